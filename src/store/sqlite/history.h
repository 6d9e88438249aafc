/* history.h — how much history each workspace has, what is too old or too much, and space given back to the disk.
 *
 * Table history counts the bytes of a workspace's runs that ended (histories, and pages with their heads). */
#ifndef FLOWLET_STORE_HISTORY_H
#define FLOWLET_STORE_HISTORY_H

#include "store/sqlite/tx.h"

struct history_limits {
    int64_t age_ms, bytes; /* of each workspace that has none of its own */
};

/* So many bytes more (or fewer). */
MUST_USE bool history_count(struct store_tx *tx, int64_t workspace, int64_t bytes, struct error *err);
/* The same when a durable run ends. */
MUST_USE bool history_count_run(struct store_tx *tx, int64_t run, int64_t bytes, struct error *err);
/* One step: the oldest runs that ended, in each workspace where they are too old or too much; adds to *gone as many rows as
 * they are worth. */
MUST_USE bool history_prune(struct store_tx *tx, const struct history_limits *limits, int64_t now_ms, int64_t *gone,
                            struct error *err);
/* One step: where much of the file is free, some pages from its end. *more: there are others. */
MUST_USE bool history_give_back(struct store_tx *tx, bool *more, struct error *err);

#endif
