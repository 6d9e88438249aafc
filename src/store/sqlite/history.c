/* history.c — see history.h. */
#include "store/sqlite/history.h"

#define STEP_ROWS 2000 /* some 3 ms of work: what waits to be written meanwhile must not notice */
#define STEP_PAGES 50  /* of history: the same, when they are full */
#define FREE_PAGES 256 /* that may stay in the file, and a quarter of what is in use: it will be needed again */
#define BACK_PAGES 500 /* of the file, given back in one step */

bool history_count(struct store_tx *tx, int64_t workspace, int64_t bytes, struct error *err) {
    return tx_exec(tx, err,
                   "INSERT INTO history (workspace, bytes) VALUES (?1, ?2) "
                   "ON CONFLICT (workspace) DO UPDATE SET bytes = bytes + ?2",
                   "ii", workspace, bytes);
}

bool history_count_run(struct store_tx *tx, int64_t run, int64_t bytes, struct error *err) {
    return tx_exec(tx, err,
                   "INSERT INTO history (workspace, bytes) SELECT workspace, ?2 FROM runs WHERE id = ?1 "
                   "ON CONFLICT (workspace) DO UPDATE SET bytes = bytes + ?2",
                   "ii", run, bytes);
}

bool tx_workspace_keep_history(struct store_tx *tx, int64_t workspace, int64_t age_ms, int64_t bytes, struct error *err) {
    return tx_exec(tx, err,
                   "INSERT INTO history VALUES (?1, 0, ?2, ?3) "
                   "ON CONFLICT (workspace) DO UPDATE SET keep_ms = ?2, keep_bytes = ?3",
                   "iii", workspace, age_ms, bytes);
}

/* Of a DELETE that tells each row's bytes. */
static bool count_deleted(struct rows r, int64_t *rows, int64_t *bytes, struct error *err) {
    for (*rows = *bytes = 0; rows_next(&r); ++*rows)
        *bytes += rows_int(&r, 0);
    return rows_close(&r, err);
}

/* Of one workspace, those that began before before_ms. Rows go as far as pages do in this step, so that neither kind outlives
 * the other. */
static bool prune_workspace(struct store_tx *tx, int64_t workspace, int64_t before_ms, int64_t *gone, struct error *err) {
    static const char edge_of_pages[] =
        "SELECT ifnull(max(last), 0) FROM (SELECT last FROM pages WHERE workspace = ?1 ORDER BY last LIMIT ?2)";
    static const char pages[] = "DELETE FROM pages WHERE workspace = ?1 AND last <= ?2 AND newest_ms < ?3 "
                                "RETURNING length(heads) + length(records)";
    static const char runs[] =
        "DELETE FROM runs WHERE id IN (SELECT id FROM runs WHERE workspace = ?1 AND id <= ?2 "
        "AND id NOT IN (SELECT run FROM accepted) ORDER BY id LIMIT ?4) AND started_ms < ?3 RETURNING length(history)";
    int64_t edge = 0, page_rows, page_bytes, rows, bytes;
    struct rows r = tx_query(tx, edge_of_pages, "ii", workspace, (int64_t)STEP_PAGES);
    if (rows_next(&r))
        edge = rows_int(&r, 0);
    if (!rows_close(&r, err) ||
        !count_deleted(tx_query(tx, pages, "iii", workspace, edge, before_ms), &page_rows, &page_bytes, err) ||
        !count_deleted(tx_query(tx, runs, "iiii", workspace, edge ? edge : INT64_MAX, before_ms, (int64_t)STEP_ROWS), &rows,
                       &bytes, err))
        return false;
    *gone += rows + page_rows * (STEP_ROWS / STEP_PAGES);
    return rows + page_rows == 0 || history_count(tx, workspace, -(bytes + page_bytes), err);
}

bool history_prune(struct store_tx *tx, const struct history_limits *limits, int64_t now_ms, int64_t *gone, struct error *err) {
    bool ok = true;
    struct rows r = tx_query(tx,
                             "SELECT id, ifnull(bytes, 0) > iif(keep_bytes, keep_bytes, ?1), iif(keep_ms, keep_ms, ?2) "
                             "FROM workspaces LEFT JOIN history ON workspace = id",
                             "ii", limits->bytes, limits->age_ms);
    while (ok && rows_next(&r))
        ok = prune_workspace(tx, rows_int(&r, 0), rows_int(&r, 1) ? INT64_MAX : now_ms - rows_int(&r, 2), gone, err);
    struct error ignored;
    return rows_close(&r, ok ? err : &ignored) && ok;
}

bool history_give_back(struct store_tx *tx, bool *more, struct error *err) {
    int64_t pages, free_pages;
    *more = false;
    if (!tx_int(tx, "PRAGMA page_count", &pages, err) || !tx_int(tx, "PRAGMA freelist_count", &free_pages, err))
        return false;
    if (free_pages <= FREE_PAGES + (pages - free_pages) / 4)
        return true;
    char script[60];
    snprintf(script, sizeof script, "PRAGMA incremental_vacuum(%d)", BACK_PAGES);
    *more = true;
    return tx_script(tx, script, err);
}
