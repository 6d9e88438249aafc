/* inbox.c — see store/inbox.h. */
#include "store/inbox.h"

#include "store/sqlite/prune.h"

#define INBOX_MS (30 * (int64_t)24 * 60 * 60 * 1000)
#define INBOX_BYTES (256 * 1024 * 1024)       /* of a workspace */
#define INBOX_OTHERS_BYTES (16 * 1024 * 1024) /* of those that were refused */
#define STEP_ROWS 500

#define COLUMNS "id, workspace, time_ms, flow, method, path, client, outcome, reason, status, run, bytes"

bool tx_inbox_add(struct store_tx *tx, const struct inbox_row *row, struct error *err) {
    return tx_exec(
        tx, err,
        "INSERT INTO inbox (workspace, time_ms, flow, method, path, client, outcome, reason, status, run, bytes, sealed) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "iittttttiiib", row->workspace, row->time_ms, row->flow, row->method, row->path, row->client, row->outcome, row->reason,
        (int64_t)row->status, row->run, row->bytes, row->sealed);
}

static struct inbox_row read_row(const struct rows *r) {
    return (struct inbox_row){.id = rows_int(r, 0),
                              .workspace = rows_int(r, 1),
                              .time_ms = rows_int(r, 2),
                              .flow = rows_str(r, 3),
                              .method = rows_str(r, 4),
                              .path = rows_str(r, 5),
                              .client = rows_str(r, 6),
                              .outcome = rows_str(r, 7),
                              .reason = rows_str(r, 8),
                              .status = (int)rows_int(r, 9),
                              .run = rows_int(r, 10),
                              .bytes = rows_int(r, 11)};
}

bool tx_inbox_list(struct store_tx *tx, const struct inbox_filter *f, tx_inbox_fn *fn, void *arg, struct error *err) {
    struct rows r = tx_query(tx,
                             "SELECT " COLUMNS " FROM inbox WHERE workspace = ?1 AND (?2 = '' OR flow = ?2) AND (?3 = '' OR "
                             "outcome = ?3) AND id < ?4 ORDER BY id DESC LIMIT ?5",
                             "ittii", f->workspace, f->flow.ptr ? f->flow : STR(""), f->outcome.ptr ? f->outcome : STR(""),
                             f->before_id ? f->before_id : INT64_MAX, (int64_t)f->limit);
    while (rows_next(&r)) {
        struct inbox_row row = read_row(&r);
        if (!fn(arg, &row))
            break;
    }
    return rows_close(&r, err);
}

bool tx_inbox_get(struct store_tx *tx, int64_t workspace, int64_t id, struct inbox_row *row, struct arena *arena,
                  struct error *err) {
    struct rows r = tx_query(tx, "SELECT " COLUMNS ", sealed FROM inbox WHERE id = ? AND workspace = ?", "ii", id, workspace);
    bool found = rows_next(&r);
    if (found) {
        *row = read_row(&r);
        struct str *texts[] = {&row->flow, &row->method, &row->path, &row->client, &row->outcome, &row->reason};
        for (size_t i = 0; i < ARRAY_LEN(texts); i++)
            *texts[i] = arena_str(arena, *texts[i]);
        row->sealed = arena_str(arena, rows_str(&r, 12));
    }
    return rows_close(&r, err) && (found || error_set(err, ERR_NOT_FOUND, "the inbox has no %lld", (long long)id));
}

/* ---- retention: inbox_totals is kept by triggers ---- */

static bool drop(struct store_tx *tx, int64_t workspace, int64_t kept, int64_t *gone, struct error *err) {
    bool ok = tx_exec(tx, err,
                      "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE workspace = ? AND (run <> 0) = ? ORDER BY id "
                      "LIMIT ?)",
                      "iii", workspace, kept, (int64_t)STEP_ROWS);
    *gone += tx_changes(tx);
    return ok;
}

bool prune_inbox(struct store_tx *tx, int64_t now_ms, int64_t *gone, struct error *err) {
    if (!tx_exec(tx, err, "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox ORDER BY id LIMIT ?) AND time_ms < ?", "ii",
                 (int64_t)STEP_ROWS, now_ms - INBOX_MS))
        return false;
    *gone += tx_changes(tx);
    struct rows r =
        tx_query(tx, "SELECT workspace, became_run FROM inbox_totals WHERE bytes > CASE became_run WHEN 1 THEN ?1 ELSE ?2 END",
                 "ii", (int64_t)INBOX_BYTES, (int64_t)INBOX_OTHERS_BYTES);
    bool ok = true;
    while (ok && rows_next(&r))
        ok = drop(tx, rows_int(&r, 0), rows_int(&r, 1), gone, err);
    struct error ignored;
    return rows_close(&r, ok ? err : &ignored) && ok;
}

/* ---- flows that are switched off ---- */

bool tx_flow_disable(struct store_tx *tx, int64_t workspace, struct str flow, bool disabled, struct error *err) {
    if (!disabled)
        return tx_exec(tx, err, "DELETE FROM disabled WHERE workspace = ? AND flow = ?", "it", workspace, flow);
    return tx_exec(tx, err, "INSERT INTO disabled VALUES (?, ?) ON CONFLICT DO NOTHING", "it", workspace, flow);
}

bool tx_flow_list_disabled(struct store_tx *tx, int64_t workspace, tx_disabled_fn *fn, void *arg, struct error *err) {
    struct rows r = tx_query(tx, "SELECT flow FROM disabled WHERE workspace = ?", "i", workspace);
    while (rows_next(&r))
        fn(arg, rows_str(&r, 0));
    return rows_close(&r, err);
}
