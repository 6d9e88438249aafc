/* links.h — the links that end a Wait, one for each that began: what it asks, until when, and whether it was used.
 *
 * A link is named by the run and the Wait's path in it. The row stays after the run, so that whoever comes late is told what
 * became of it; it goes with the history. */
#ifndef FLOWLET_STORE_LINKS_H
#define FLOWLET_STORE_LINKS_H

#include "store/store.h"

struct link_row {
    int64_t run;
    struct str path;
    struct str operation;       /* its id */
    int64_t due_ms, used_ms;    /* used 0: not yet */
    struct str page;            /* sealed */
    bool is_there, run_is_open; /* of tx_link_get alone */
};

/* Once: what is there stays. */
MUST_USE bool tx_link_put(struct store_tx *tx, const struct link_row *row, struct error *err);
/* row->run and row->path say which; texts live in arena. */
MUST_USE bool tx_link_get(struct store_tx *tx, struct link_row *row, struct arena *arena, struct error *err);
/* ERR_CONFLICT where it is not there, or was used. */
MUST_USE bool tx_link_use(struct store_tx *tx, int64_t run, struct str path, int64_t now_ms, struct error *err);

#endif
