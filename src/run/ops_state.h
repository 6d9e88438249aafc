/* ops_state.h — the operations state.get, put, delete and list, on the writer's thread.
 *
 *     state_op_check(name, args, err)                      on the loop, before anything is stored
 *     state_op_work(tx, workspace, mode, name, args, ...)  inside a work: the value, NULL with err
 *
 * Arguments and values are those of docs/internals.md, section 5. A refusal (ERR_CONFLICT, ERR_TOO_LARGE)
 * leaves the store as it was. */
#ifndef FLOWLET_OPS_STATE_H
#define FLOWLET_OPS_STATE_H

#include "base/json.h"
#include "store/store.h"

bool state_op_is_read(const char *name); /* get, list */
MUST_USE bool state_op_check(const char *name, const json_t *args, struct error *err);
json_t *state_op_work(struct store_tx *tx, int64_t workspace, char mode, const char *name, const json_t *args, int64_t now_ms,
                      struct error *err) MUST_USE;

#endif
