/* keys.c — see store/keys.h. */
#include "store/keys.h"

#include "store/sqlite/tx.h"

bool tx_key_claim(struct store_tx *tx, struct key_row *row, struct arena *arena, struct error *err) {
    struct str mode = str_of(&row->mode, 1);
    if (!tx_exec(tx, err,
                 "INSERT INTO keys (workspace, mode, flow, key, request, run, time_ms) VALUES (?, ?, ?, ?, ?, ?, ?) "
                 "ON CONFLICT DO NOTHING",
                 "ittbbii", row->workspace, mode, row->flow, row->key, row->request, row->run, row->time_ms))
        return false;
    struct rows r =
        tx_query(tx,
                 "SELECT request, run, time_ms, status, answer FROM keys WHERE workspace = ? AND mode = ? AND flow = ? "
                 "AND key = ?",
                 "ittb", row->workspace, mode, row->flow, row->key);
    if (rows_next(&r)) {
        row->request = arena_str(arena, rows_str(&r, 0));
        row->run = rows_int(&r, 1);
        row->time_ms = rows_int(&r, 2);
        row->status = (int)rows_int(&r, 3);
        row->answer = arena_str(arena, rows_str(&r, 4));
    }
    return rows_close(&r, err);
}

bool tx_key_answer(struct store_tx *tx, int64_t run, int status, struct str answer, struct error *err) {
    return tx_exec(tx, err, "UPDATE keys SET status = ?, answer = ? WHERE run = ?", "ibi", (int64_t)status, answer, run);
}
