/* links.h — links that end a Wait: whoever has one may end it, once.
 *
 *     /.flowlet/resume/RUN/PATH/SIGNATURE       PATH: the Wait's in the run (semantics 19), percent-encoded
 *
 *     SIGNATURE = HMAC-SHA256(key of the run, PATH), its first 16 bytes in hex
 *     key of the run = HMAC-SHA256(the store's key, "resume link RUN"): in the head of its START, so that flows can write
 *     links to Waits that they have not come to
 *
 *     runs_link_look(runs, run, path, done, arg);           what became of it
 *     runs_link_use(runs, run, path, answer, done, arg);    ends the Wait, if nobody and nothing did before
 *
 * Thread: the loop's. Callbacks come in a later turn, once; the view is borrowed until they return. */
#ifndef FLOWLET_LINKS_H
#define FLOWLET_LINKS_H

#include "run/runs.h"

#define LINK_KEY_TEXT 65
#define LINK_SIGNATURE_TEXT 33
#define LINKS_PREFIX "/.flowlet/resume/"

enum link_state {
    LINK_UNKNOWN, /* no such run, or it is long over */
    LINK_NOT_YET, /* the run goes on and has not come to its Wait */
    LINK_OPEN,
    LINK_USED,
    LINK_EXPIRED,
    LINK_OVER, /* the run ended otherwise */
};

struct link_view {
    enum link_state state;
    int64_t time_ms;    /* used: when; open, expired: until when */
    const json_t *page; /* title, text, button, fields, as the block has them; NULL where the state is unknown or not yet */
    bool is_ours;       /* of runs_link_use: it was this call that used it */
};

void link_key_write(const struct seal_key *key, uint64_t run, char out[LINK_KEY_TEXT]);
/* Constant time. */
MUST_USE bool runs_link_check(const struct runs *rs, uint64_t run, struct str path, struct str signature);

/* Puts stars in the place of the signatures in a text: who sees history may not use what it shows. In place. */
void links_mask(struct str text);

typedef void link_fn(void *arg, const struct link_view *view, const struct error *err); /* err: the store fails */
void runs_link_look(struct runs *rs, uint64_t run, struct str path, link_fn *done, void *arg);
/* Takes answer: what the Wait gives. */
void runs_link_use(struct runs *rs, uint64_t run, struct str path, json_t *answer, link_fn *done, void *arg);

#endif
