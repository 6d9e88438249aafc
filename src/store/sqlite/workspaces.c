/* workspaces.c — what is kept by name: meta, cache, workspaces and their releases, tokens, secrets, outbox (store.h). */
#include "store/sqlite/tx.h"

/* The one row's first column into out; ERR_NOT_FOUND saying `what` where there is none. */
static bool get_one(struct rows r, struct buf *out, const char *what, struct error *err) {
    bool found = rows_next(&r);
    bool fits = !found || buf_add(out, rows_str(&r, 0));
    if (!rows_close(&r, err))
        return false;
    if (!found)
        return error_set(err, ERR_NOT_FOUND, "%s", what);
    return fits || error_set(err, ERR_TOO_LARGE, "%s: larger than %zu bytes", what, out->max);
}

/* ---- meta and cache ---- */

bool tx_meta_put(struct store_tx *tx, const char *key, struct str value, struct error *err) {
    return tx_exec(tx, err, "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", "tb",
                   str_from(key), value);
}

bool tx_meta_get(struct store_tx *tx, const char *key, struct buf *out, struct error *err) {
    return get_one(tx_query(tx, "SELECT value FROM meta WHERE key = ?", "t", str_from(key)), out, key, err);
}

bool tx_cache_put(struct store_tx *tx, struct str key, struct str value, struct error *err) {
    return tx_exec(tx, err, "INSERT INTO cache (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                   "bb", key, value);
}

bool tx_cache_get(struct store_tx *tx, struct str key, struct buf *out, struct error *err) {
    return get_one(tx_query(tx, "SELECT value FROM cache WHERE key = ?", "b", key), out, "cached value", err);
}

/* ---- workspaces and releases ---- */

bool tx_workspace_list(struct store_tx *tx, tx_workspace_fn *fn, void *arg, struct error *err) {
    struct rows r = tx_query(tx, "SELECT id, name, mode, release FROM workspaces ORDER BY name", "");
    while (rows_next(&r)) {
        struct workspace_row row = {rows_int(&r, 0), rows_str(&r, 1), rows_char(&r, 2), rows_int(&r, 3)};
        if (!fn(arg, &row))
            break;
    }
    return rows_close(&r, err);
}

bool tx_workspace_put(struct store_tx *tx, struct str name, char mode, int64_t *id, struct error *err) {
    /* Past those that were deleted: records that were under way then are nobody's. */
    if (!tx_exec(tx, err,
                 "INSERT INTO workspaces (id, name, mode) SELECT 1 + max(coalesce((SELECT max(id) FROM workspaces), 0), "
                 "coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'workspace_deleted'), 0)), ?, ? WHERE true "
                 "ON CONFLICT DO NOTHING",
                 "tt", name, str_of(&mode, 1)))
        return false;
    struct rows r = tx_query(tx, "SELECT id FROM workspaces WHERE name = ?", "t", name);
    int64_t found = rows_next(&r) ? rows_int(&r, 0) : 0;
    if (!rows_close(&r, err))
        return false;
    *id = found;
    return true;
}

static bool no_workspace(int64_t workspace, struct error *err) {
    return error_set(err, ERR_NOT_FOUND, "there is no workspace %lld", (long long)workspace);
}

/* Of every table that has a column `workspace`. */
static bool delete_rows(struct store_tx *tx, int64_t workspace, struct error *err) {
    struct buf script;
    buf_init(&script, 8192);
    struct rows r = tx_query(tx,
                             "SELECT m.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c "
                             "ON c.name = 'workspace' WHERE m.type = 'table'",
                             "");
    while (rows_next(&r))
        buf_addf(&script, "DELETE FROM " STR_FMT " WHERE workspace = %lld;", STR_ARG(rows_str(&r, 0)), (long long)workspace);
    ENSURE(buf_ok(&script));
    bool ok = rows_close(&r, err) && tx_script(tx, script.ptr, err);
    buf_release(&script);
    return ok;
}

bool tx_workspace_delete(struct store_tx *tx, int64_t workspace, struct error *err) {
    struct rows r = tx_query(tx, "SELECT 1 FROM accepted JOIN runs ON id = run WHERE workspace = ? LIMIT 1", "i", workspace);
    bool busy = rows_next(&r);
    if (!rows_close(&r, err))
        return false;
    if (busy)
        return error_set(err, ERR_CONFLICT, "durable runs of it are not over: cancel them, or let them end");
    return delete_rows(tx, workspace, err) && tx_exec(tx, err, "DELETE FROM workspaces WHERE id = ?", "i", workspace) &&
           tx_exec(tx, err,
                   "INSERT INTO meta VALUES ('workspace_deleted', ?1) ON CONFLICT DO UPDATE SET value = "
                   "max(CAST(value AS INTEGER), ?1)",
                   "i", workspace);
}

bool tx_workspace_set_mode(struct store_tx *tx, int64_t workspace, char mode, struct error *err) {
    if (!tx_exec(tx, err, "UPDATE workspaces SET mode = ? WHERE id = ?", "ti", str_of(&mode, 1), workspace))
        return false;
    return tx_changes(tx) == 1 || no_workspace(workspace, err);
}

bool tx_release_put(struct store_tx *tx, int64_t workspace, struct str files, struct str compiled, int64_t *release,
                    struct error *err) {
    if (!tx_exec(tx, err, "INSERT INTO releases (workspace, files, compiled) VALUES (?, ?, ?)", "ibb", workspace, files,
                 compiled))
        return false;
    int64_t id = sqlite3_last_insert_rowid(tx->db);
    if (!tx_exec(tx, err, "UPDATE workspaces SET release = ? WHERE id = ?", "ii", id, workspace))
        return false;
    if (tx_changes(tx) != 1)
        return no_workspace(workspace, err);
    *release = id;
    return true;
}

bool tx_release_get(struct store_tx *tx, int64_t workspace, int64_t release, struct buf *files, struct buf *compiled,
                    struct error *err) {
    static const char files_sql[] = "SELECT files FROM releases WHERE id = ? AND workspace = ?";
    static const char compiled_sql[] = "SELECT compiled FROM releases WHERE id = ? AND workspace = ?";
    char what[64];
    snprintf(what, sizeof what, "release %lld of workspace %lld", (long long)release, (long long)workspace);
    return (!files || get_one(tx_query(tx, files_sql, "ii", release, workspace), files, what, err)) &&
           (!compiled || get_one(tx_query(tx, compiled_sql, "ii", release, workspace), compiled, what, err));
}

/* ---- tokens ---- */

bool tx_token_add(struct store_tx *tx, struct token_row *row, struct error *err) {
    if (!tx_exec(tx, err,
                 "INSERT INTO tokens (name, hash, permissions, workspaces, created_ms, expires_ms, used_ms) "
                 "VALUES (?, ?, ?, ?, ?, ?, ?)",
                 "tbttiii", row->name, row->hash, row->permissions, row->workspaces, row->created_ms, row->expires_ms,
                 row->used_ms))
        return false;
    row->id = sqlite3_last_insert_rowid(tx->db);
    return true;
}

bool tx_token_used(struct store_tx *tx, int64_t id, int64_t used_ms, struct error *err) {
    return tx_exec(tx, err, "UPDATE tokens SET used_ms = ? WHERE id = ?", "ii", used_ms, id);
}

bool tx_token_delete(struct store_tx *tx, int64_t id, struct error *err) {
    return tx_exec(tx, err, "DELETE FROM tokens WHERE id = ?", "i", id);
}

bool tx_token_list(struct store_tx *tx, tx_token_fn *fn, void *arg, struct error *err) {
    struct rows r = tx_query(
        tx, "SELECT id, name, hash, permissions, workspaces, created_ms, expires_ms, used_ms FROM tokens ORDER BY id", "");
    while (rows_next(&r)) {
        struct token_row row = {rows_int(&r, 0), rows_str(&r, 1), rows_str(&r, 2), rows_str(&r, 3),
                                rows_str(&r, 4), rows_int(&r, 5), rows_int(&r, 6), rows_int(&r, 7)};
        if (!fn(arg, &row))
            break;
    }
    return rows_close(&r, err);
}

/* ---- secrets ---- */

bool tx_secret_put(struct store_tx *tx, int64_t workspace, char mode, struct str name, struct str sealed, int64_t now_ms,
                   struct error *err) {
    return tx_exec(tx, err, "INSERT OR REPLACE INTO secrets VALUES (?, ?, ?, ?, ?)", "ittbi", workspace, str_of(&mode, 1), name,
                   sealed, now_ms);
}

bool tx_secret_delete(struct store_tx *tx, int64_t workspace, char mode, struct str name, struct error *err) {
    return tx_exec(tx, err, "DELETE FROM secrets WHERE workspace = ? AND mode = ? AND name = ?", "itt", workspace,
                   str_of(&mode, 1), name);
}

bool tx_secret_list(struct store_tx *tx, int64_t workspace, char mode, tx_secret_fn *fn, void *arg, struct error *err) {
    struct rows r = tx_query(tx, "SELECT name, sealed, changed_ms FROM secrets WHERE workspace = ? AND mode = ? ORDER BY name",
                             "it", workspace, str_of(&mode, 1));
    while (rows_next(&r) && fn(arg, rows_str(&r, 0), rows_str(&r, 1), rows_int(&r, 2)))
        ;
    return rows_close(&r, err);
}

/* ---- outbox ---- */

bool tx_outbox_add(struct store_tx *tx, int64_t workspace, const struct outbox_row *row, struct error *err) {
    return tx_exec(tx, err,
                   "INSERT INTO outbox (workspace, run, time_ms, flow, operation, kind, recipient, content) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                   "iiittttb", workspace, row->run, row->time_ms, row->flow, row->operation, row->kind, row->to, row->content);
}

bool tx_outbox_list(struct store_tx *tx, int64_t workspace, int64_t after_id, int limit, tx_outbox_fn *fn, void *arg,
                    struct error *err) {
    struct rows r = tx_query(tx,
                             "SELECT id, run, time_ms, flow, operation, kind, recipient, content FROM outbox "
                             "WHERE workspace = ? AND id > ? ORDER BY id LIMIT ?",
                             "iii", workspace, after_id, (int64_t)limit);
    while (rows_next(&r)) {
        struct outbox_row row = {rows_int(&r, 0), rows_int(&r, 1), rows_int(&r, 2), rows_str(&r, 3),
                                 rows_str(&r, 4), rows_str(&r, 5), rows_str(&r, 6), rows_str(&r, 7)};
        if (!fn(arg, &row))
            break;
    }
    return rows_close(&r, err);
}

bool tx_outbox_clear(struct store_tx *tx, int64_t workspace, struct error *err) {
    return tx_exec(tx, err, "DELETE FROM outbox WHERE workspace = ?", "i", workspace);
}
