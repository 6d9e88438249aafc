/* again.h — running a run again, from its start or from one of its blocks, with what its history kept (docs/semantics.md,
 * rule 28).
 *
 *     json_t *list = again_list(&source);                       what is possible, else why not
 *     again_take(&source, STR("page"), &input, &repeated, err)  for run_start's fields of these names
 *
 * Pure: history and documents in, JSON out. Any thread. */
#ifndef FLOWLET_AGAIN_H
#define FLOWLET_AGAIN_H

#include "base/json.h"
#include "flow/release.h"

struct again {
    const json_t *history;           /* docs/internals.md, section 6; NULL: not there (yet) */
    const json_t *before, *now;      /* the flow's document when it ran, and as it is to run; NULL: there is none */
    bool test; /* it was a test run */
    const struct release *release;   /* that it is to run on */
    const struct release_flow *flow; /* of it; NULL: there is none any more */
};

/* {"start": {"possible", "reason"}, "blocks": [{"block", "name", "possible", "reason"}]}: all blocks of the flow's outer scope,
 * in the document's order. */
json_t *again_list(const struct again *a) MUST_USE;

/* from empty: the start. Both are new; *repeated is NULL from the start. Fails with the reason. */
MUST_USE bool again_take(const struct again *a, struct str from, json_t **input, json_t **repeated, struct error *err);

#endif
