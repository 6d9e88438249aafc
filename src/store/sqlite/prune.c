/* prune.c — see prune.h. */
#include "store/sqlite/prune.h"

#define STEP_ROWS 400 /* a few ms of work: what waits to be written meanwhile must not notice */

/* The oldest runs that ended, when they are too old or the file is too large. */
static bool prune_runs(struct store_tx *tx, int64_t now_ms, int64_t *gone, struct error *err) {
    int64_t pages, free_pages, page_size;
    if (!tx_int(tx, "PRAGMA page_count", &pages, err) || !tx_int(tx, "PRAGMA freelist_count", &free_pages, err) ||
        !tx_int(tx, "PRAGMA page_size", &page_size, err))
        return false;
    bool too_large = (pages - free_pages) * page_size > PRUNE_FILE_BYTES;
    if (!tx_exec(tx, err,
                 "DELETE FROM runs WHERE id IN (SELECT id FROM runs ORDER BY id LIMIT ?1) AND started_ms < ?2 "
                 "AND id NOT IN (SELECT run FROM accepted)",
                 "ii", (int64_t)STEP_ROWS, too_large ? INT64_MAX : now_ms - PRUNE_HISTORY_MS))
        return false;
    *gone += tx_changes(tx);
    return true;
}

static bool prune_state(struct store_tx *tx, int64_t now_ms, int64_t *gone, struct error *err) {
    struct rows r = tx_query(tx,
                             "SELECT workspace, mode, sum(length(key) + length(value)), count(*) FROM state "
                             "WHERE id IN (SELECT id FROM state WHERE expires_ms BETWEEN 1 AND ?1 ORDER BY expires_ms LIMIT ?2) "
                             "GROUP BY workspace, mode",
                             "ii", now_ms, (int64_t)STEP_ROWS);
    bool ok = true;
    while (ok && rows_next(&r)) {
        *gone += rows_int(&r, 3);
        ok = tx_exec(tx, err, "UPDATE state_totals SET bytes = bytes - ? WHERE workspace = ? AND mode = ?", "iit",
                     rows_int(&r, 2), rows_int(&r, 0), rows_str(&r, 1));
    }
    struct error ignored;
    if (!rows_close(&r, ok ? err : &ignored) || !ok)
        return false;
    return tx_exec(tx, err,
                   "DELETE FROM state WHERE id IN "
                   "(SELECT id FROM state WHERE expires_ms BETWEEN 1 AND ?1 ORDER BY expires_ms LIMIT ?2)",
                   "ii", now_ms, (int64_t)STEP_ROWS);
}

static bool prune_rest(struct store_tx *tx, int64_t now_ms, int64_t *gone, struct error *err) {
    static const char deliveries[] =
        "DELETE FROM deliveries WHERE (workspace, mode, flow, key) IN (SELECT workspace, mode, flow, "
        "key FROM deliveries WHERE time_ms < ?1 ORDER BY time_ms LIMIT ?2)";
    /* Each flow's newest instant stays: tx_cron_last needs it. */
    static const char cron[] =
        "DELETE FROM cron WHERE instant_ms < ?1 AND instant_ms < (SELECT max(instant_ms) FROM cron AS newest "
        "WHERE newest.workspace = cron.workspace AND newest.flow = cron.flow)";
    static const char outbox[] = "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT ?2) AND time_ms < ?1";
    static const char releases[] =
        "DELETE FROM releases WHERE id NOT IN (SELECT release FROM accepted JOIN runs ON id = run) AND (SELECT count(*) FROM "
        "releases AS newer WHERE newer.workspace = releases.workspace AND newer.id > releases.id) >= ?1";
    if (!tx_exec(tx, err, deliveries, "ii", now_ms - PRUNE_DELIVERIES_MS, (int64_t)STEP_ROWS))
        return false;
    *gone += tx_changes(tx);
    if (!tx_exec(tx, err, outbox, "ii", now_ms - PRUNE_OUTBOX_MS, (int64_t)STEP_ROWS))
        return false;
    *gone += tx_changes(tx);
    return tx_exec(tx, err, cron, "i", now_ms - PRUNE_DELIVERIES_MS) && tx_exec(tx, err, releases, "i", (int64_t)PRUNE_RELEASES);
}

bool prune_step(struct store_tx *tx, int64_t now_ms, bool *more, struct error *err) {
    int64_t gone = 0;
    struct error ignored;
    if (!tx_set_synced(tx, false, err) || !tx_exec(tx, err, "BEGIN IMMEDIATE", ""))
        return false;
    bool ok = prune_runs(tx, now_ms, &gone, err) && prune_state(tx, now_ms, &gone, err) && prune_rest(tx, now_ms, &gone, err) &&
              tx_exec(tx, err, "COMMIT", "");
    if (!ok) {
        if (!sqlite3_get_autocommit(tx->db) && !tx_exec(tx, &ignored, "ROLLBACK", ""))
            return false;
        return false;
    }
    *more = gone >= STEP_ROWS;
    return true;
}
