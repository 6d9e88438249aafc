/* versions.c — every save of a flow (store.h). */
#include "store/sqlite/tx.h"

#define COLUMNS "flow, number, time_ms, release, author, message, content"

static bool list(struct rows r, tx_version_fn *fn, void *arg, struct error *err) {
    while (rows_next(&r)) {
        struct version_row row = {rows_str(&r, 0), rows_int(&r, 1), rows_int(&r, 2), rows_int(&r, 3),
                                  rows_str(&r, 4), rows_str(&r, 5), rows_str(&r, 6)};
        if (!fn(arg, &row))
            break;
    }
    return rows_close(&r, err);
}

bool tx_version_add(struct store_tx *tx, int64_t workspace, struct version_row *row, struct error *err) {
    struct rows r = tx_query(tx, "SELECT coalesce(max(number), 0) + 1 FROM versions WHERE workspace = ? AND flow = ?", "it",
                             workspace, row->flow);
    int64_t number = rows_next(&r) ? rows_int(&r, 0) : 0;
    if (!rows_close(&r, err))
        return false;
    row->number = number;
    return tx_exec(tx, err, "INSERT INTO versions (workspace, " COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?)", "itiiittb",
                   workspace, row->flow, number, row->time_ms, row->release, row->author, row->message, row->content) &&
           tx_exec(tx, err, "DELETE FROM versions WHERE workspace = ? AND flow = ? AND number <= ?", "iti", workspace, row->flow,
                   number - VERSIONS_MAX);
}

bool tx_version_set_release(struct store_tx *tx, int64_t workspace, struct str flow, int64_t number, int64_t release,
                            struct error *err) {
    return tx_exec(tx, err, "UPDATE versions SET release = ? WHERE workspace = ? AND flow = ? AND number = ?", "iiti", release,
                   workspace, flow, number);
}

bool tx_version_list(struct store_tx *tx, int64_t workspace, struct str flow, int64_t before, int limit, tx_version_fn *fn,
                     void *arg, struct error *err) {
    return list(tx_query(tx,
                         "SELECT " COLUMNS " FROM versions WHERE workspace = ? AND flow = ? AND number < ? "
                         "ORDER BY number DESC LIMIT ?",
                         "itii", workspace, flow, before ? before : INT64_MAX, (int64_t)limit),
                fn, arg, err);
}

bool tx_version_newest(struct store_tx *tx, int64_t workspace, bool published, tx_version_fn *fn, void *arg, struct error *err) {
    /* SQLite takes the other columns from the row that has the maximum (https://sqlite.org/lang_select.html#bareagg). */
    return list(tx_query(tx,
                         "SELECT flow, max(number), time_ms, release, author, message, content FROM versions "
                         "WHERE workspace = ? AND release >= ? GROUP BY flow ORDER BY flow",
                         "ii", workspace, (int64_t)published),
                fn, arg, err);
}
