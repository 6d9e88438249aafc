/* schema.c — see schema.h. */
#include "store/sqlite/schema.h"

#define APPLICATION_ID 0x466c6f77 /* "Flow" */

static const char *const migrations[] = {
    /* 1. `accepted` and `journal` hold rows only while a durable run is under way. */
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE cache (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, value BLOB NOT NULL);"
    "CREATE TABLE workspaces (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, mode TEXT NOT NULL,"
    "  release INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE releases (id INTEGER PRIMARY KEY AUTOINCREMENT, workspace INTEGER NOT NULL, files BLOB NOT NULL,"
    "  compiled BLOB NOT NULL);"
    "CREATE INDEX releases_by_workspace ON releases (workspace);"
    "CREATE TABLE runs (id INTEGER PRIMARY KEY, workspace INTEGER NOT NULL, release INTEGER NOT NULL, flow TEXT NOT NULL,"
    "  state INTEGER NOT NULL, mode TEXT NOT NULL, durable INTEGER NOT NULL, trigger TEXT NOT NULL,"
    "  started_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL, error TEXT NOT NULL, history BLOB NOT NULL);"
    "CREATE TABLE accepted (run INTEGER PRIMARY KEY, sealed BLOB NOT NULL);"
    "CREATE TABLE journal (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, record BLOB NOT NULL);"
    "CREATE INDEX journal_by_run ON journal (run);"
    "CREATE TABLE deliveries (workspace INTEGER NOT NULL, mode TEXT NOT NULL, flow TEXT NOT NULL, key BLOB NOT NULL,"
    "  run INTEGER NOT NULL, time_ms INTEGER NOT NULL, PRIMARY KEY (workspace, mode, flow, key)) WITHOUT ROWID;"
    "CREATE INDEX deliveries_by_time ON deliveries (time_ms);"
    "CREATE TABLE cron (workspace INTEGER NOT NULL, flow TEXT NOT NULL, instant_ms INTEGER NOT NULL, run INTEGER NOT NULL,"
    "  PRIMARY KEY (workspace, flow, instant_ms)) WITHOUT ROWID;"
    "CREATE TABLE state (id INTEGER PRIMARY KEY, workspace INTEGER NOT NULL, mode TEXT NOT NULL, key BLOB NOT NULL,"
    "  value BLOB NOT NULL, version INTEGER NOT NULL, expires_ms INTEGER NOT NULL, UNIQUE (workspace, mode, key));"
    "CREATE INDEX state_by_expiry ON state (expires_ms);"
    "CREATE TABLE state_totals (workspace INTEGER NOT NULL, mode TEXT NOT NULL, bytes INTEGER NOT NULL,"
    "  version INTEGER NOT NULL, PRIMARY KEY (workspace, mode)) WITHOUT ROWID;"
    "CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, workspace INTEGER NOT NULL, run INTEGER NOT NULL,"
    "  time_ms INTEGER NOT NULL, flow TEXT NOT NULL, operation TEXT NOT NULL, kind TEXT NOT NULL, recipient TEXT NOT NULL,"
    "  content BLOB NOT NULL);"
    "CREATE TABLE secrets (workspace INTEGER NOT NULL, mode TEXT NOT NULL, name TEXT NOT NULL, sealed BLOB NOT NULL,"
    "  changed_ms INTEGER NOT NULL, PRIMARY KEY (workspace, mode, name)) WITHOUT ROWID;",
    /* 2. Every due instant of a cron flow is accounted for. */
    "ALTER TABLE cron ADD COLUMN outcome TEXT NOT NULL DEFAULT 'fired';"
    "ALTER TABLE cron ADD COLUMN into_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE cron ADD COLUMN from_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE cron ADD COLUMN instants INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE cron ADD COLUMN time_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE cron ADD COLUMN reason TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX cron_queued ON cron (workspace, flow, instant_ms) WHERE outcome = 'queued';"
    "CREATE INDEX cron_merged ON cron (workspace, flow, into_ms) WHERE into_ms <> 0;"
    "CREATE TABLE cron_marks (workspace INTEGER NOT NULL, flow TEXT NOT NULL, schedule TEXT NOT NULL,"
    "  accounted_ms INTEGER NOT NULL, run INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (workspace, flow)) WITHOUT ROWID;",
    /* 3. Durable runs that only wait. */
    "CREATE TABLE waits (run INTEGER PRIMARY KEY, due_ms INTEGER NOT NULL, left_ms INTEGER NOT NULL);"
    "CREATE INDEX waits_by_due ON waits (due_ms);",
    /* 4. Tokens of the API. `permissions`: names with blanks between; `workspaces`: a JSON list, or null for all. */
    "CREATE TABLE tokens (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, hash BLOB NOT NULL UNIQUE,"
    "  permissions TEXT NOT NULL, workspaces TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,"
    "  used_ms INTEGER NOT NULL);",
    /* 5. The links that end a Wait. */
    "CREATE TABLE links (run INTEGER NOT NULL, path TEXT NOT NULL, operation TEXT NOT NULL, due_ms INTEGER NOT NULL,"
    "  used_ms INTEGER NOT NULL, page BLOB NOT NULL, PRIMARY KEY (run, path)) WITHOUT ROWID;",
    /* 6. Runs that are not durable: pages.h. */
    "CREATE TABLE pages (last INTEGER PRIMARY KEY, workspace INTEGER NOT NULL, first INTEGER NOT NULL, runs INTEGER NOT NULL,"
    "  states INTEGER NOT NULL, flows INTEGER NOT NULL, newest_ms INTEGER NOT NULL, heads BLOB NOT NULL, records BLOB NOT NULL);",
    /* 7. Every save of a flow. `release` 0: a draft; `content` empty: the flow was deleted. */
    "CREATE TABLE versions (workspace INTEGER NOT NULL, flow TEXT NOT NULL, number INTEGER NOT NULL, time_ms INTEGER NOT NULL,"
    "  release INTEGER NOT NULL, author TEXT NOT NULL, message TEXT NOT NULL, content BLOB NOT NULL,"
    "  PRIMARY KEY (workspace, flow, number)) WITHOUT ROWID;",
    /* 8. Callers' idempotency keys, and what their first requests were answered. */
    "CREATE TABLE keys (id INTEGER PRIMARY KEY, workspace INTEGER NOT NULL, mode TEXT NOT NULL, flow TEXT NOT NULL,"
    "  key BLOB NOT NULL, request BLOB NOT NULL, run INTEGER NOT NULL, time_ms INTEGER NOT NULL,"
    "  status INTEGER NOT NULL DEFAULT 0, answer BLOB NOT NULL DEFAULT x'', UNIQUE (workspace, mode, flow, key));"
    "CREATE INDEX keys_by_run ON keys (run);"
    "CREATE INDEX keys_by_time ON keys (time_ms);",
    /* 9. How much is kept: history.h. keep_*: the workspace's own limits; 0: the server's. */
    "CREATE TABLE history (workspace INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, keep_ms INTEGER NOT NULL DEFAULT 0,"
    "  keep_bytes INTEGER NOT NULL DEFAULT 0);"
    "INSERT INTO history (workspace, bytes) SELECT workspace, sum(bytes) FROM ("
    "  SELECT workspace, length(history) AS bytes FROM runs UNION ALL "
    "  SELECT workspace, length(heads) + length(records) FROM pages) GROUP BY workspace;"
    "CREATE INDEX runs_by_workspace ON runs (workspace);"
    "CREATE INDEX pages_by_workspace ON pages (workspace);",
    /* 10. Every request to a stored endpoint; flows that are switched off. */
    "CREATE TABLE inbox (id INTEGER PRIMARY KEY AUTOINCREMENT, workspace INTEGER NOT NULL, time_ms INTEGER NOT NULL,"
    "  flow TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, client TEXT NOT NULL, outcome TEXT NOT NULL,"
    "  reason TEXT NOT NULL, status INTEGER NOT NULL, run INTEGER NOT NULL, bytes INTEGER NOT NULL, sealed BLOB NOT NULL);"
    "CREATE INDEX inbox_by_workspace ON inbox (workspace, id);"
    "CREATE TABLE inbox_totals (workspace INTEGER NOT NULL, became_run INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    "  PRIMARY KEY (workspace, became_run)) WITHOUT ROWID;"
    "CREATE TRIGGER inbox_added AFTER INSERT ON inbox BEGIN INSERT INTO inbox_totals VALUES (new.workspace, new.run <> 0,"
    "  length(new.sealed) + 300) ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes; END;"
    "CREATE TRIGGER inbox_removed AFTER DELETE ON inbox BEGIN UPDATE inbox_totals SET bytes = bytes - length(old.sealed) - 300"
    "  WHERE workspace = old.workspace AND became_run = (old.run <> 0); END;"
    "CREATE TABLE disabled (workspace INTEGER NOT NULL, flow TEXT NOT NULL, PRIMARY KEY (workspace, flow)) WITHOUT ROWID;",
};

static bool migrate(struct store_tx *tx, int64_t from, struct error *err) {
    char version[80];
    if ((size_t)from == ARRAY_LEN(migrations))
        return true;
    if (!tx_script(tx, "BEGIN IMMEDIATE", err))
        return false;
    for (size_t i = (size_t)from; i < ARRAY_LEN(migrations); i++) {
        snprintf(version, sizeof version, "PRAGMA application_id = %d; PRAGMA user_version = %zu", APPLICATION_ID, i + 1);
        if (!tx_script(tx, migrations[i], err) || !tx_script(tx, version, err))
            return error_wrap(err, "migration %zu", i + 1);
    }
    return tx_script(tx, "COMMIT", err);
}

/* The tables whose loss would be felt are walked; runs, by far the largest, would take too long. */
static bool check(struct store_tx *tx, struct error *err) {
    static const char *const checks[] = {
        "PRAGMA quick_check(meta)",       "PRAGMA quick_check(workspaces)",   "PRAGMA quick_check(accepted)",
        "PRAGMA quick_check(journal)",    "PRAGMA quick_check(secrets)",      "PRAGMA quick_check(cron)",
        "PRAGMA quick_check(deliveries)", "PRAGMA quick_check(state_totals)", "PRAGMA quick_check(cron_marks)",
        "PRAGMA quick_check(waits)",
    };
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        struct rows r = tx_query(tx, checks[i], "");
        char said[200] = "ok";
        if (rows_next(&r))
            snprintf(said, sizeof said, STR_FMT, STR_ARG(rows_str(&r, 0)));
        if (!rows_close(&r, err))
            return false;
        if (strcmp(said, "ok") != 0)
            return error_set(err, ERR_CORRUPT, "%s", said);
    }
    return true;
}

/* So that what is free can be given back to the disk; an older file is written anew, once. */
static bool make_shrinkable(struct store_tx *tx, bool is_new, struct error *err) {
    int64_t vacuum;
    return tx_int(tx, "PRAGMA auto_vacuum", &vacuum, err) &&
           (vacuum == 2 || (tx_script(tx, "PRAGMA auto_vacuum = INCREMENTAL", err) && (is_new || tx_script(tx, "VACUUM", err))));
}

bool schema_prepare(struct store_tx *tx, const char *path, struct error *err) {
    int64_t version, application, tables;
    if (!tx_int(tx, "PRAGMA user_version", &version, err) || !tx_int(tx, "PRAGMA application_id", &application, err) ||
        !tx_int(tx, "SELECT count(*) FROM sqlite_schema", &tables, err))
        return false;
    if (tables == 0)
        version = 0;
    else if (application != APPLICATION_ID)
        return error_set(err, ERR_INVALID, "%s is a database of another program: give another data directory", path);
    if (version < 0 || (size_t)version > ARRAY_LEN(migrations))
        return error_set(
            err, ERR_NEWER,
            "%s was written by a newer Flowlet (its version %lld, this program knows %zu): install that Flowlet again, "
            "or put back the backup made before the update",
            path, (long long)version, ARRAY_LEN(migrations));
    if (!make_shrinkable(tx, tables == 0, err) || !tx_script(tx, "PRAGMA journal_mode = WAL", err) || !migrate(tx, version, err))
        return false;
    return version == 0 || check(tx, err);
}
