/* letter.h — a request to a stored endpoint on its way into the inbox (store/inbox.h).
 *
 *     struct letter *l = letter_new(key, workspace, flow, path, &request);
 *     start.letter = l;            of a run: stored in the commit that accepts it, or with what was answered instead
 *     letter_keep(l, store, ...)   of any other
 *
 * Sealed, since it holds what callers prove themselves with; whoever shows it masks it. Thread: the loop's; letter_write any. */
#ifndef FLOWLET_LETTER_H
#define FLOWLET_LETTER_H

#include "auth/seal.h"
#include "run/runs.h"
#include "store/inbox.h"

struct letter;
struct letter *letter_new(const struct seal_key *key, int64_t workspace, struct str flow, struct str path,
                          const struct run_request *request) MUST_USE;
void letter_free(struct letter *l); /* takes NULL */
/* In a work. */
MUST_USE bool letter_write(struct store_tx *tx, const struct letter *l, const char *outcome, int64_t run, struct error *err);
/* What its caller was answered, for those that become no run. */
void letter_answered(struct letter *l, int status, struct str reason);
/* Takes l; outcome: a literal; NULL: by what was answered, refused or failed. */
void letter_keep(struct letter *l, struct store *store, const char *outcome);

/* What a row holds. Everything borrows from plain. */
struct letter_content {
    struct buf plain;
    json_t *head; /* {"query", "type", "headers": [[name, value], ...]} */
    struct str body;
};
MUST_USE bool letter_open(const struct seal_key *key, const struct inbox_row *row, struct letter_content *out, struct error *err);
void letter_content_release(struct letter_content *c);

#endif
