/* prune.h — what grows old goes, in small steps on the writer's thread. */
#ifndef FLOWLET_STORE_PRUNE_H
#define FLOWLET_STORE_PRUNE_H

#include "store/sqlite/history.h"

struct prune_limits {
    struct history_limits history;
    int64_t deliveries_ms; /* claimed keys, and cron instants but those that are queued */
    int64_t outbox_ms;
    int64_t releases; /* kept of each workspace, besides those that open runs are bound to */
};
extern const struct prune_limits prune_defaults;

/* One step, in a transaction of its own; *more when another one has work to do. After a failure a
 * transaction may be open. */
MUST_USE bool prune_step(struct store_tx *tx, const struct prune_limits *limits, int64_t now_ms, bool *more, struct error *err);

/* inbox.c: requests that are old, or too many. */
MUST_USE bool prune_inbox(struct store_tx *tx, int64_t now_ms, int64_t *gone, struct error *err);

#endif
