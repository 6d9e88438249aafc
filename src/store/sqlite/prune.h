/* prune.h — what grows old goes, in small steps on the writer's thread. */
#ifndef FLOWLET_STORE_PRUNE_H
#define FLOWLET_STORE_PRUNE_H

#include "store/sqlite/tx.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
#define PRUNE_HISTORY_MS (30 * DAY_MS)                 /* runs that ended */
#define PRUNE_FILE_BYTES ((int64_t)1024 * 1024 * 1024) /* what is in use of the file; past it the oldest runs go sooner */
#define PRUNE_DELIVERIES_MS (7 * DAY_MS)
#define PRUNE_OUTBOX_MS (30 * DAY_MS)
#define PRUNE_RELEASES 50 /* kept of each workspace, besides those that open runs are bound to */

/* One step, in a transaction of its own; *more when another one has work to do. */
MUST_USE bool prune_step(struct store_tx *tx, int64_t now_ms, bool *more, struct error *err);

#endif
