/* inbox.h — every request to a stored endpoint, as it came, and what became of it; and which flows are switched off.
 *
 * Rows go when they are old, and the oldest when there are too many bytes; those that were refused have less room of their
 * own, so that strangers cannot push out what counts (the limits stand in sqlite/inbox.c). */
#ifndef FLOWLET_STORE_INBOX_H
#define FLOWLET_STORE_INBOX_H

#include "store/store.h"

struct inbox_row {
    int64_t id, workspace, time_ms;
    struct str flow, method, path, client;
    struct str outcome; /* "accepted", "duplicate", "repeated", "refused", "failed", "busy", "disabled" */
    struct str reason;  /* why not; empty: none */
    int status;         /* of the answer; accepted: 0 */
    int64_t run;        /* that it became, or that an earlier one became; 0: none */
    int64_t bytes;      /* of the body */
    struct str sealed;  /* query, headers and body; left out of lists */
};

MUST_USE bool tx_inbox_add(struct store_tx *tx, const struct inbox_row *row, struct error *err); /* gives it its id */
struct inbox_filter {
    int64_t workspace;
    struct str flow, outcome; /* empty: all */
    int64_t before_id;        /* 0: the newest first */
    int limit;
};
typedef bool tx_inbox_fn(void *arg, const struct inbox_row *row); /* false stops */
MUST_USE bool tx_inbox_list(struct store_tx *tx, const struct inbox_filter *filter, tx_inbox_fn *fn, void *arg,
                            struct error *err);
/* Texts live in arena. ERR_NOT_FOUND. */
MUST_USE bool tx_inbox_get(struct store_tx *tx, int64_t workspace, int64_t id, struct inbox_row *row, struct arena *arena,
                           struct error *err);

/* ---- flows that are switched off ---- */
MUST_USE bool tx_flow_disable(struct store_tx *tx, int64_t workspace, struct str flow, bool disabled, struct error *err);
typedef void tx_disabled_fn(void *arg, struct str flow);
MUST_USE bool tx_flow_list_disabled(struct store_tx *tx, int64_t workspace, tx_disabled_fn *fn, void *arg, struct error *err);

#endif
