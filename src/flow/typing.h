/* typing.h — what the type checker is asked of a workspace, and what it answers (docs/internals.md, section 3).
 *
 *     flow->typing = json_array();  flow_check(flow, ...)     for each flow: its mappings
 *     job = typing_job(&catalog);                             with all scripts
 *     typing_answer(job, answer, findings, err);              each finding at its place
 *
 * The checker compiles texts of users, so nothing that it says is believed but that something is to be told at a place
 * which the job named. */
#ifndef FLOWLET_TYPING_H
#define FLOWLET_TYPING_H

#include "flow/flow.h"

json_t *typing_job(const struct catalog *w) MUST_USE;
MUST_USE bool typing_answer(const json_t *job, struct str answer, struct findings *findings, struct error *err);

#endif
