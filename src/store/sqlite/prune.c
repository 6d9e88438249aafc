/* prune.c — see prune.h. */
#include "store/sqlite/prune.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)
const struct prune_limits prune_defaults = {.history = {.age_ms = 30 * DAY_MS, .bytes = (int64_t)1024 * 1024 * 1024},
                                            .deliveries_ms = 7 * DAY_MS,
                                            .outbox_ms = 30 * DAY_MS,
                                            .releases = 50};

#define STEP_ROWS 2000 /* some 3 ms of work: what waits to be written meanwhile must not notice */

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

static bool prune_rest(struct store_tx *tx, const struct prune_limits *limits, int64_t now_ms, int64_t *gone, struct error *err) {
    static const char deliveries[] =
        "DELETE FROM deliveries WHERE (workspace, mode, flow, key) IN (SELECT workspace, mode, flow, "
        "key FROM deliveries WHERE time_ms < ?1 ORDER BY time_ms LIMIT ?2)";
    /* The marks keep what is gone from firing again. */
    static const char cron[] = "DELETE FROM cron WHERE instant_ms < ?1 AND outcome <> 'queued'";
    static const char outbox[] = "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT ?2) AND time_ms < ?1";
    static const char releases[] =
        "DELETE FROM releases WHERE id NOT IN (SELECT release FROM accepted JOIN runs ON id = run) AND (SELECT count(*) FROM "
        "releases AS newer WHERE newer.workspace = releases.workspace AND newer.id > releases.id) >= ?1";
    if (!tx_exec(tx, err, deliveries, "ii", now_ms - limits->deliveries_ms, (int64_t)STEP_ROWS))
        return false;
    *gone += tx_changes(tx);
    if (!tx_exec(tx, err, outbox, "ii", now_ms - limits->outbox_ms, (int64_t)STEP_ROWS))
        return false;
    *gone += tx_changes(tx);
    static const char keys[] =
        "DELETE FROM keys WHERE id IN (SELECT id FROM keys WHERE time_ms < ?1 ORDER BY time_ms LIMIT ?2) AND run NOT IN (SELECT "
        "run FROM accepted)";
    /* A run's number begins with its time. */
    static const char links[] = "DELETE FROM links WHERE run < ?1 * 4096 AND run NOT IN (SELECT run FROM accepted)";
    return tx_exec(tx, err, keys, "ii", now_ms - DAY_MS, (int64_t)STEP_ROWS) &&
           tx_exec(tx, err, links, "i", now_ms - limits->history.age_ms) &&
           tx_exec(tx, err, cron, "i", now_ms - limits->deliveries_ms) && tx_exec(tx, err, releases, "i", limits->releases);
}

bool prune_step(struct store_tx *tx, const struct prune_limits *limits, int64_t now_ms, bool *more, struct error *err) {
    int64_t gone = 0;
    bool gives_back;
    if (!tx_set_synced(tx, false, err) || !tx_exec(tx, err, "BEGIN IMMEDIATE", "") ||
        !history_prune(tx, &limits->history, now_ms, &gone, err) || !prune_state(tx, now_ms, &gone, err) ||
        !prune_rest(tx, limits, now_ms, &gone, err) || !prune_inbox(tx, now_ms, &gone, err) ||
        !history_give_back(tx, &gives_back, err) || !tx_exec(tx, err, "COMMIT", ""))
        return false;
    *more = gone >= STEP_ROWS || gives_back;
    return true;
}
