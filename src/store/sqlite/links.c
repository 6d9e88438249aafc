/* links.c — see store/links.h. */
#include "store/links.h"

#include "store/sqlite/tx.h"

bool tx_link_put(struct store_tx *tx, const struct link_row *row, struct error *err) {
    return tx_exec(tx, err, "INSERT INTO links VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING", "ittib", row->run, row->path,
                   row->operation, row->due_ms, row->page);
}

bool tx_link_get(struct store_tx *tx, struct link_row *row, struct arena *arena, struct error *err) {
    struct rows r =
        tx_query(tx, "SELECT operation, due_ms, used_ms, page FROM links WHERE run = ? AND path = ?", "it", row->run, row->path);
    row->is_there = rows_next(&r);
    if (row->is_there) {
        row->operation = arena_str(arena, rows_str(&r, 0));
        row->due_ms = rows_int(&r, 1);
        row->used_ms = rows_int(&r, 2);
        row->page = arena_str(arena, rows_str(&r, 3));
    }
    if (!rows_close(&r, err))
        return false;
    r = tx_query(tx, "SELECT 1 FROM accepted WHERE run = ?", "i", row->run);
    row->run_is_open = rows_next(&r);
    return rows_close(&r, err);
}

bool tx_link_use(struct store_tx *tx, int64_t run, struct str path, int64_t now_ms, struct error *err) {
    if (!tx_exec(tx, err, "UPDATE links SET used_ms = ? WHERE run = ? AND path = ? AND used_ms = 0", "iit", now_ms, run, path))
        return false;
    return tx_changes(tx) == 1 || error_set(err, ERR_CONFLICT, "this link was used before");
}
