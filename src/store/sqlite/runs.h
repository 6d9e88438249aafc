/* runs.h — the columns of table runs, for those who read it. */
#ifndef FLOWLET_STORE_RUNS_H
#define FLOWLET_STORE_RUNS_H

#include "store/sqlite/tx.h"

#define RUN_COLUMNS "id, workspace, release, flow, state, mode, durable, trigger, started_ms, ended_ms, error"
#define RUN_COLUMN_COUNT 11

/* The row of a SELECT that begins with RUN_COLUMNS; its texts last until the next one. */
struct run_row run_row_read(const struct rows *r);

#endif
