/* waits.h — durable runs that only wait: a row with the due time each, and no worker (semantics.md, rule 25).
 *
 *     tx_wait_put        the run is parked
 *     tx_wait_take       those that are due, in pages: from then on they are awake
 *     tx_wait_list       the ids of all that are parked, at the server's start
 *
 * A row that is gone is a run that is awake: after a crash it is resumed as any other. */
#ifndef FLOWLET_STORE_WAITS_H
#define FLOWLET_STORE_WAITS_H

#include "store/store.h"

struct wait_row {
    int64_t due_ms;
    int64_t left_ms;    /* of its run time */
    struct run_row run; /* history and accepted left out */
};

/* Parks the run: its state becomes waiting. */
MUST_USE bool tx_wait_put(struct store_tx *tx, int64_t run, int64_t due_ms, int64_t left_ms, struct error *err);
/* Hands fn at most `limit` runs that are due at now_ms, the earliest first; these are awake. *next_ms: when the next one is
 * due, which may be past already; 0: none. */
typedef void tx_wait_fn(void *arg, const struct wait_row *row);
MUST_USE bool tx_wait_take(struct store_tx *tx, int64_t now_ms, int limit, tx_wait_fn *fn, void *arg, int64_t *next_ms,
                           struct error *err);
/* Wakes this one, whenever it is due. ERR_NOT_FOUND: it is not parked. */
MUST_USE bool tx_wait_take_one(struct store_tx *tx, int64_t run, tx_wait_fn *fn, void *arg, struct error *err);
typedef void tx_wait_id_fn(void *arg, int64_t run);
MUST_USE bool tx_wait_list(struct store_tx *tx, tx_wait_id_fn *fn, void *arg, struct error *err);

#endif
