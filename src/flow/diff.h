/* diff.h — what changed between two contents of a flow (run/versions.h), as an editor would tell it.
 *
 *     [{"kind": "block", "change": "changed", "at": "page", "fields": ["timeout_ms"], "before": {...}, "after": {...}},
 *      {"kind": "connection", "change": "added", "at": "start.out -> page", "after": {...}},
 *      {"kind": "mapping", "change": "changed", "at": "start.out -> page", "input": "url", "before": SOURCE, "after": SOURCE},
 *      {"kind": "script", "change": "changed", "at": "flows/greet.ts", "line": 3, "before": "lines", "after": "lines"},
 *      {"kind": "flow", "change": "changed", "at": "name", "before": "...", "after": "..."}]
 *
 * The layout of blocks is one entry, and the last. */
#ifndef FLOWLET_DIFF_H
#define FLOWLET_DIFF_H

#include "base/json.h"

/* NULL stands for no flow. */
json_t *flow_diff(const json_t *before, const json_t *after) MUST_USE;

#endif
