/* tx.c — see tx.h. */
#include "store/sqlite/tx.h"

#include <errno.h>

/* The connection's last error as ours; result is what the call gave. */
static bool fail(struct store_tx *tx, int result, struct error *err) {
    if (tx->failure.code != ERR_NONE) {
        *err = tx->failure;
        return false;
    }
    int system = sqlite3_system_errno(tx->db);
    enum error_code code = ERR_INTERNAL;
    switch (result & 0xff) {
    case SQLITE_FULL:
        code = ERR_DISK_FULL;
        break;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        code = system == ENOSPC || system == EDQUOT || system == EFBIG ? ERR_DISK_FULL : ERR_IO;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        code = ERR_CORRUPT;
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        code = ERR_BUSY;
        break;
    case SQLITE_TOOBIG:
        code = ERR_TOO_LARGE;
        break;
    default:
        break;
    }
    if (code == ERR_DISK_FULL)
        error_set(err, code, "the store's disk is full: free some space, it goes on by itself");
    else if (code == ERR_IO && system)
        error_set(err, code, "the store: %s: %s", sqlite3_errmsg(tx->db), strerror(system));
    else
        error_set(err, code, "the store: %s", sqlite3_errmsg(tx->db));
    if (code == ERR_DISK_FULL || code == ERR_IO || code == ERR_CORRUPT)
        tx->failure = *err;
    return false;
}

struct store_tx *tx_open(const char *path, const char *vfs, bool read_only, struct error *err) {
    struct store_tx *tx = mem_alloc(sizeof *tx);
    tx->synced = true; /* SQLite's own default */
    int result = sqlite3_open_v2(path, &tx->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, vfs);
    ENSURE(tx->db);
    sqlite3_extended_result_codes(tx->db, 1);
    sqlite3_busy_timeout(tx->db, 5000);
    /* Other programs' hands (SQLite's shell, a backup) may be in the file for a moment: hence the wait above.
     * secure_delete off: what must not be read is sealed before it gets here. */
    if (result != SQLITE_OK)
        fail(tx, result, err);
    else if (tx_script(tx,
                       "PRAGMA secure_delete = OFF; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;"
                       "PRAGMA cache_size = -4000; PRAGMA journal_size_limit = 67108864",
                       err) &&
             (!read_only || tx_script(tx, "PRAGMA query_only = ON", err)))
        return tx;
    tx_close(tx);
    return NULL;
}

void tx_close(struct store_tx *tx) {
    if (!tx)
        return;
    for (size_t i = 0; i < TX_STATEMENTS; i++)
        sqlite3_finalize(tx->statements[i].prepared);
    ENSURE(sqlite3_close(tx->db) == SQLITE_OK);
    free(tx);
}

bool tx_script(struct store_tx *tx, const char *sql, struct error *err) {
    int result = sqlite3_exec(tx->db, sql, NULL, NULL, NULL);
    return result == SQLITE_OK || fail(tx, result, err);
}

void tx_roll_back(struct store_tx *tx) {
    struct error ignored;
    tx->failure.code = ERR_NONE;
    if (!sqlite3_get_autocommit(tx->db) && !tx_exec(tx, &ignored, "ROLLBACK", ""))
        tx->failure = ignored;
}

bool tx_set_synced(struct store_tx *tx, bool synced, struct error *err) {
    if (tx->synced == synced)
        return true;
    if (!tx_script(tx, synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", err))
        return false;
    tx->synced = synced;
    return true;
}

/* NULL when it could not be prepared; *result then says why. */
static sqlite3_stmt *statement(struct store_tx *tx, const char *sql, int *result) {
    size_t i = ((uintptr_t)sql >> 3) % TX_STATEMENTS;
    for (size_t tried = 0; tx->statements[i].sql && tx->statements[i].sql != sql; tried++) {
        ENSURE(tried < TX_STATEMENTS);
        i = (i + 1) % TX_STATEMENTS;
    }
    sqlite3_stmt *st = tx->statements[i].prepared;
    if (!st) {
        *result = sqlite3_prepare_v3(tx->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL);
        if (*result != SQLITE_OK)
            return NULL;
        tx->statements[i].sql = sql;
        tx->statements[i].prepared = st;
    }
    ENSURE(!sqlite3_stmt_busy(st));
    return st;
}

/* After a failure SQLite may have rolled back by itself: any further statement would be a transaction of its own. */
static struct rows query(struct store_tx *tx, const char *sql, const char *types, va_list values) {
    struct rows r = {.tx = tx, .result = SQLITE_ABORT};
    if (tx->failure.code != ERR_NONE)
        return r;
    r.result = SQLITE_OK;
    r.statement = statement(tx, sql, &r.result);
    for (int i = 0; r.statement && types[i]; i++) {
        if (types[i] == 'i') {
            sqlite3_bind_int64(r.statement, i + 1, va_arg(values, int64_t));
            continue;
        }
        struct str s = va_arg(values, struct str);
        const char *bytes = s.len ? s.ptr : "";
        if (types[i] == 't')
            r.result = sqlite3_bind_text(r.statement, i + 1, bytes, (int)s.len, SQLITE_STATIC);
        else
            r.result = sqlite3_bind_blob64(r.statement, i + 1, bytes, s.len, SQLITE_STATIC);
        if (r.result != SQLITE_OK)
            break;
    }
    return r;
}

struct rows tx_query(struct store_tx *tx, const char *sql, const char *types, ...) {
    va_list values;
    va_start(values, types);
    struct rows r = query(tx, sql, types, values);
    va_end(values);
    return r;
}

bool rows_next(struct rows *r) {
    if (!r->statement || (r->result != SQLITE_OK && r->result != SQLITE_ROW))
        return false;
    r->result = sqlite3_step(r->statement);
    return r->result == SQLITE_ROW;
}

int64_t rows_int(const struct rows *r, int column) { return sqlite3_column_int64(r->statement, column); }

struct str rows_str(const struct rows *r, int column) {
    const void *bytes = sqlite3_column_blob(r->statement, column);
    return str_of(bytes, (size_t)sqlite3_column_bytes(r->statement, column));
}

char rows_char(const struct rows *r, int column) {
    struct str s = rows_str(r, column);
    return s.len ? s.ptr[0] : 0;
}

bool rows_close(struct rows *r, struct error *err) {
    bool ok = r->result == SQLITE_OK || r->result == SQLITE_ROW || r->result == SQLITE_DONE || fail(r->tx, r->result, err);
    if (r->statement)
        sqlite3_reset(r->statement);
    return ok;
}

bool tx_exec(struct store_tx *tx, struct error *err, const char *sql, const char *types, ...) {
    va_list values;
    va_start(values, types);
    struct rows r = query(tx, sql, types, values);
    va_end(values);
    while (rows_next(&r))
        ;
    return rows_close(&r, err);
}

bool tx_int(struct store_tx *tx, const char *sql, int64_t *out, struct error *err) {
    struct rows r = tx_query(tx, sql, "");
    int64_t value = rows_next(&r) ? rows_int(&r, 0) : 0;
    if (!rows_close(&r, err))
        return false;
    *out = value;
    return true;
}

int64_t tx_changes(const struct store_tx *tx) { return sqlite3_changes64(tx->db); }
