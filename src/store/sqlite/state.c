/* state.c — small JSON values of a workspace (store.h). A set's total and newest version stand in state_totals:
 * versions never come twice in a set, so a key that was deleted and put again differs from the old one. */
#include "store/sqlite/tx.h"

/* One set's totals; zero where nothing was put yet. */
struct totals {
    int64_t bytes, version;
};

static bool totals_get(struct store_tx *tx, int64_t workspace, struct str mode, struct totals *out, struct error *err) {
    struct rows r =
        tx_query(tx, "SELECT bytes, version FROM state_totals WHERE workspace = ? AND mode = ?", "it", workspace, mode);
    struct totals found = {0, 0};
    if (rows_next(&r))
        found = (struct totals){rows_int(&r, 0), rows_int(&r, 1)};
    if (!rows_close(&r, err))
        return false;
    *out = found;
    return true;
}

static bool totals_put(struct store_tx *tx, int64_t workspace, struct str mode, struct totals t, struct error *err) {
    return tx_exec(tx, err, "INSERT OR REPLACE INTO state_totals VALUES (?, ?, ?, ?)", "itii", workspace, mode, t.bytes,
                   t.version);
}

/* What stands under a key, expired or not. */
struct found {
    int64_t bytes, version, expires_ms; /* version 0: nothing */
};

static bool find(struct store_tx *tx, int64_t workspace, struct str mode, struct str key, struct buf *value, struct found *out,
                 struct error *err) {
    struct rows r = tx_query(tx, "SELECT value, version, expires_ms FROM state WHERE workspace = ? AND mode = ? AND key = ?",
                             "itb", workspace, mode, key);
    struct found f = {0, 0, 0};
    bool fits = true;
    if (rows_next(&r)) {
        f = (struct found){(int64_t)(key.len + rows_str(&r, 0).len), rows_int(&r, 1), rows_int(&r, 2)};
        fits = !value || buf_add(value, rows_str(&r, 0));
    }
    if (!rows_close(&r, err))
        return false;
    if (!fits)
        return error_set(err, ERR_TOO_LARGE, "the state's value is larger than %zu bytes", value->max);
    *out = f;
    return true;
}

static bool is_there(const struct found *f, int64_t now_ms) {
    return f->version && (f->expires_ms == 0 || f->expires_ms > now_ms);
}

bool tx_state_get(struct store_tx *tx, int64_t workspace, char mode, struct str key, int64_t now_ms, struct buf *value,
                  int64_t *version, struct error *err) {
    struct found f;
    size_t before = value->len;
    if (!find(tx, workspace, str_of(&mode, 1), key, value, &f, err))
        return false;
    if (!is_there(&f, now_ms)) {
        value->len = before;
        return error_set(err, ERR_NOT_FOUND, "the state has no " STR_FMT, STR_ARG(key));
    }
    *version = f.version;
    return true;
}

/* Deletes what is past its time in a set, to make room. */
static bool drop_expired(struct store_tx *tx, int64_t workspace, struct str mode, int64_t now_ms, struct totals *t,
                         struct error *err) {
    struct rows r = tx_query(tx,
                             "DELETE FROM state WHERE workspace = ? AND mode = ? AND expires_ms BETWEEN 1 AND ? "
                             "RETURNING length(key) + length(value)",
                             "iti", workspace, mode, now_ms);
    while (rows_next(&r))
        t->bytes -= rows_int(&r, 0);
    return rows_close(&r, err);
}

bool tx_state_put(struct store_tx *tx, int64_t workspace, char mode_char, struct str key, struct str value, int64_t ttl_ms,
                  int64_t if_version, int64_t now_ms, int64_t *version, struct error *err) {
    struct str mode = str_of(&mode_char, 1);
    struct found old;
    struct totals t;
    if (value.len > STATE_VALUE_MAX)
        return error_set(err, ERR_TOO_LARGE, "a value of %zu bytes: the state takes at most %d each", value.len, STATE_VALUE_MAX);
    if (!find(tx, workspace, mode, key, NULL, &old, err) || !totals_get(tx, workspace, mode, &t, err))
        return false;
    int64_t current = is_there(&old, now_ms) ? old.version : 0;
    if (if_version >= 0 && if_version != current)
        return error_set(err, ERR_CONFLICT,
                         current ? "the state's " STR_FMT " is at version %lld, not %lld: read it again"
                                 : "the state has no " STR_FMT " (version %lld), expected version %lld: read it again",
                         STR_ARG(key), (long long)current, (long long)if_version);
    int64_t bytes = (int64_t)(key.len + value.len);
    if (t.bytes - old.bytes + bytes > STATE_TOTAL_MAX) {
        if (!drop_expired(tx, workspace, mode, now_ms, &t, err) || !find(tx, workspace, mode, key, NULL, &old, err))
            return false;
        if (t.bytes - old.bytes + bytes > STATE_TOTAL_MAX)
            return error_set(err, ERR_LIMIT, "the workspace's state is full (%d MB): delete values, or give them a time to live",
                             STATE_TOTAL_MAX / 1024 / 1024);
    }
    t = (struct totals){t.bytes - old.bytes + bytes, t.version + 1};
    if (!tx_exec(tx, err,
                 "INSERT INTO state (workspace, mode, key, value, version, expires_ms) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT "
                 "(workspace, mode, key) DO UPDATE SET value = excluded.value, version = excluded.version, "
                 "expires_ms = excluded.expires_ms",
                 "itbbii", workspace, mode, key, value, t.version, ttl_ms ? now_ms + ttl_ms : (int64_t)0) ||
        !totals_put(tx, workspace, mode, t, err))
        return false;
    *version = t.version;
    return true;
}

bool tx_state_delete(struct store_tx *tx, int64_t workspace, char mode_char, struct str key, int64_t now_ms, bool *was_there,
                     struct error *err) {
    struct str mode = str_of(&mode_char, 1);
    struct found old;
    struct totals t;
    if (!find(tx, workspace, mode, key, NULL, &old, err) || !totals_get(tx, workspace, mode, &t, err))
        return false;
    bool there = is_there(&old, now_ms);
    t.bytes -= old.bytes;
    if (old.version &&
        (!tx_exec(tx, err, "DELETE FROM state WHERE workspace = ? AND mode = ? AND key = ?", "itb", workspace, mode, key) ||
         !totals_put(tx, workspace, mode, t, err)))
        return false;
    *was_there = there;
    return true;
}

bool tx_state_list(struct store_tx *tx, int64_t workspace, char mode, struct str prefix, int64_t now_ms, int limit,
                   tx_state_fn *fn, void *arg, struct error *err) {
    /* Keys with the prefix follow it directly in the index's order: reading stops at the first without. */
    struct rows r = tx_query(tx,
                             "SELECT key, value, version FROM state WHERE workspace = ?1 AND mode = ?2 AND key >= ?3 "
                             "AND (expires_ms = 0 OR expires_ms > ?4) ORDER BY key LIMIT ?5",
                             "itbii", workspace, str_of(&mode, 1), prefix, now_ms, (int64_t)limit);
    while (rows_next(&r) && str_starts(rows_str(&r, 0), prefix) && fn(arg, rows_str(&r, 0), rows_str(&r, 1), rows_int(&r, 2)))
        ;
    return rows_close(&r, err);
}
