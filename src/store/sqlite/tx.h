/* tx.h — one SQLite connection, as the works of one thread see it (`struct store_tx`).
 *
 *     tx_exec(tx, err, "DELETE FROM state WHERE workspace = ? AND key = ?", "ib", workspace, key);
 *
 *     struct rows r = tx_query(tx, "SELECT run FROM deliveries WHERE key = ?", "b", key);
 *     while (rows_next(&r))
 *         use(rows_int(&r, 0));
 *     return rows_close(&r, err);
 *
 * Each `?` has a letter: i int64_t, b bytes, t text (both a struct str, borrowed until the
 * statement is over). SQL must be a literal: statements stay prepared, found by its address.
 *
 * What is the disk's fault (full, unreadable, damaged) is kept in `failure`: from then on all calls fail until
 * tx_roll_back, so that nothing of the batch is committed, whatever the work makes of the error. */
#ifndef FLOWLET_STORE_TX_H
#define FLOWLET_STORE_TX_H

#include <sqlite3.h>

#include "store/store.h"

#define TX_STATEMENTS 128 /* a power of two, well above the number of SQL literals */

struct store_tx {
    sqlite3 *db;
    struct {
        const char *sql;
        sqlite3_stmt *prepared;
    } statements[TX_STATEMENTS];
    bool synced; /* commits wait for the disk */
    struct error failure;
};

/* vfs NULL: the system's. */
struct store_tx *tx_open(const char *path, const char *vfs, bool read_only, struct error *err);
void tx_close(struct store_tx *tx); /* takes NULL */
/* Whether the next commits wait for the disk; outside transactions only. */
MUST_USE bool tx_set_synced(struct store_tx *tx, bool synced, struct error *err);
/* Ends a transaction if there is one, and forgets `failure`. */
void tx_roll_back(struct store_tx *tx);
/* Several statements without values, not kept. */
MUST_USE bool tx_script(struct store_tx *tx, const char *sql, struct error *err);
MUST_USE bool tx_exec(struct store_tx *tx, struct error *err, const char *sql, const char *types, ...);
/* For values that must be there, like counts. */
MUST_USE bool tx_int(struct store_tx *tx, const char *sql, int64_t *out, struct error *err);
int64_t tx_changes(const struct store_tx *tx); /* rows changed by the last statement */

struct rows {
    struct store_tx *tx;
    sqlite3_stmt *statement; /* NULL: could not be prepared */
    int result;
};
struct rows tx_query(struct store_tx *tx, const char *sql, const char *types, ...);
bool rows_next(struct rows *r);
int64_t rows_int(const struct rows *r, int column);
struct str rows_str(const struct rows *r, int column); /* until the next row */
char rows_char(const struct rows *r, int column);      /* the text's first byte; 0 where it is empty */
/* May come before the last row. False when the statement failed. */
MUST_USE bool rows_close(struct rows *r, struct error *err);

#endif
