/* runs.c — runs, their journals, and the deliveries that keep them single (store.h). */
#include "store/sqlite/runs.h"

#include "store/sqlite/history.h"
#include "store/sqlite/pages.h"

bool tx_run_put(struct store_tx *tx, const struct run_row *row, struct error *err) {
    if (!tx_exec(tx, err, "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                 "iiititi"
                 "tiitb",
                 row->id, row->workspace, row->release, row->flow, (int64_t)row->state, str_of(&row->mode, 1),
                 (int64_t)row->durable, row->trigger, row->started_ms, row->ended_ms, row->error, row->history))
        return false;
    if (!row->durable)
        return true;
    if (row->accepted.len)
        return tx_exec(tx, err, "INSERT OR REPLACE INTO accepted VALUES (?, ?)", "ib", row->id, row->accepted);
    return tx_exec(tx, err, "DELETE FROM accepted WHERE run = ?", "i", row->id);
}

static bool no_run(int64_t id, struct error *err) {
    return error_set(err, ERR_NOT_FOUND, "there is no run %014llx", (unsigned long long)id);
}

bool tx_run_end(struct store_tx *tx, int64_t id, enum run_state state, int64_t ended_ms, struct str error, struct str history,
                struct error *err) {
    if (!tx_exec(tx, err, "UPDATE runs SET state = ?, ended_ms = ?, error = ?, history = ? WHERE id = ?", "iitbi", (int64_t)state,
                 ended_ms, error, history, id))
        return false;
    if (tx_changes(tx) != 1)
        return no_run(id, err);
    return history_count_run(tx, id, (int64_t)history.len, err) &&
           tx_exec(tx, err, "DELETE FROM accepted WHERE run = ?", "i", id) &&
           tx_exec(tx, err, "DELETE FROM journal WHERE run = ?", "i", id);
}

struct run_row run_row_read(const struct rows *r) {
    return (struct run_row){
        .id = rows_int(r, 0),
        .workspace = rows_int(r, 1),
        .release = rows_int(r, 2),
        .flow = rows_str(r, 3),
        .state = (enum run_state)rows_int(r, 4),
        .mode = rows_char(r, 5),
        .durable = rows_int(r, 6) != 0,
        .trigger = rows_str(r, 7),
        .started_ms = rows_int(r, 8),
        .ended_ms = rows_int(r, 9),
        .error = rows_str(r, 10),
    };
}

bool tx_run_get(struct store_tx *tx, int64_t workspace, int64_t id, struct run_row *row, struct arena *arena, struct error *err) {
    struct rows r = tx_query(tx,
                             "SELECT " RUN_COLUMNS ", history, sealed FROM runs LEFT JOIN accepted ON run = id "
                             "WHERE id = ? AND workspace = ?",
                             "ii", id, workspace);
    bool found = rows_next(&r);
    if (found) {
        *row = run_row_read(&r);
        row->flow = arena_str(arena, row->flow);
        row->trigger = arena_str(arena, row->trigger);
        row->error = arena_str(arena, row->error);
        row->history = arena_str(arena, rows_str(&r, 11));
        row->accepted = arena_str(arena, rows_str(&r, 12));
    }
    return rows_close(&r, err) && (found || pages_find(tx, workspace, id, row, arena, &found, err)) && (found || no_run(id, err));
}

bool tx_run_list_open(struct store_tx *tx, tx_run_fn *fn, void *arg, struct error *err) {
    struct rows r = tx_query(tx,
                             "SELECT " RUN_COLUMNS ", sealed FROM accepted JOIN runs ON id = run "
                             "WHERE run NOT IN (SELECT run FROM waits) ORDER BY run",
                             "");
    while (rows_next(&r)) {
        struct run_row row = run_row_read(&r);
        row.accepted = rows_str(&r, 11);
        if (!fn(arg, &row))
            break;
    }
    return rows_close(&r, err);
}

/* ---- journal ---- */

bool tx_journal_add(struct store_tx *tx, int64_t run, struct str record, struct error *err) {
    return tx_exec(tx, err, "INSERT INTO journal (run, record) VALUES (?, ?)", "ib", run, record);
}

bool tx_journal_list(struct store_tx *tx, int64_t run, tx_journal_fn *fn, void *arg, struct error *err) {
    struct rows r = tx_query(tx, "SELECT record FROM journal WHERE run = ? ORDER BY id", "i", run);
    while (rows_next(&r) && fn(arg, rows_str(&r, 0)))
        ;
    return rows_close(&r, err);
}

/* ---- deliveries ---- */

/* Of a SELECT of one number; 0 where there is no row. */
static bool read_int(struct rows r, int64_t *out, struct error *err) {
    int64_t value = rows_next(&r) ? rows_int(&r, 0) : 0;
    if (!rows_close(&r, err))
        return false;
    *out = value;
    return true;
}

bool tx_delivery_claim(struct store_tx *tx, int64_t workspace, char mode, struct str flow, struct str key, int64_t run,
                       int64_t now_ms, int64_t *first, struct error *err) {
    struct str m = str_of(&mode, 1);
    return tx_exec(tx, err, "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", "ittbii", workspace, m,
                   flow, key, run, now_ms) &&
           read_int(tx_query(tx, "SELECT run FROM deliveries WHERE workspace = ? AND mode = ? AND flow = ? AND key = ?", "ittb",
                             workspace, m, flow, key),
                    first, err);
}
