/* store.h — what must not be lost: releases, runs, journals, state, outbox, secrets.
 *
 *     store_write(s, work, done, arg);   work(tx, arg) on the writer's thread, done on the loop
 *     store_read(s, work, done, arg);    the same on a reader's thread, side by side with writing
 *
 * What one turn of the loop queued is committed together: one transaction, one sync
 * (group commit), with all that was queued while the commit before was under way. Each work has
 * a savepoint of its own: when it returns false only its own changes go, and its `done` gets the
 * error. After a failed commit (disk full) all of the batch's `done` get that error, nothing of it is
 * stored, and the next batch tries again; without one the store tries by itself twice a second.
 * Works run, and their `done` come, in the order queued. `done` may be NULL.
 *
 * store_record_run is the cheap way for runs that are not durable: it copies the row and
 * returns; they are written within 200 ms, many to a row, with no sync of their own. Past
 * STORE_BACKLOG_MAX bytes waiting, store_is_behind says so and callers answer 503. While the
 * disk is full they are given up: they are history alone.
 *
 * What grew old goes by itself, and space that is free is given back: store_keep_history, sqlite/prune.c.
 *
 * Two backends keep this contract: sqlite/ (one file, WAL); later one on PostgreSQL.
 * All keys start with the workspace's number. Times are ms since 1970. Modes: 'p', 'l'.
 * Thread: store_* on the loop, tx_* only inside a work. */
#ifndef FLOWLET_STORE_H
#define FLOWLET_STORE_H

#include "base/arena.h"
#include "base/json.h"
#include "net/loop.h"

#define STORE_BACKLOG_MAX (64 * 1024 * 1024)

struct store;
struct store_tx;

/* dir must exist. Checks the version (ERR_NEWER, ERR_CORRUPT say what to do), migrates. */
struct store *store_open(struct loop *l, const char *dir, struct error *err);
/* Writes what is waiting; all `done` have come when it returns. Takes NULL. */
void store_close(struct store *s);

typedef bool store_work_fn(struct store_tx *tx, void *arg, struct error *err);
typedef void store_done_fn(void *arg, const struct error *err); /* err NULL: committed */
void store_write(struct store *s, store_work_fn *work, store_done_fn *done, void *arg);
void store_read(struct store *s, store_work_fn *work, store_done_fn *done, void *arg);
/* At start and in the command line, where waiting is no harm: runs work and waits. */
MUST_USE bool store_write_now(struct store *s, store_work_fn *work, void *arg, struct error *err);
bool store_is_behind(struct store *s);
/* Bytes of store_record_run that wait to be written. */
size_t store_backlog(struct store *s);
/* How many transactions waited for the disk so far. */
uint64_t store_commits(struct store *s);
/* How long, and how much, a workspace's history is kept that says nothing else; 30 days and 1 GB before that. */
void store_keep_history(struct store *s, int64_t age_ms, int64_t bytes);
/* Whether the last commit failed, and why (readiness). */
bool store_is_failing(struct store *s, struct error *err);

/* ---- a copy, while all goes on ---- */
/* Copies what is committed now into a new file (0600; it must not be there), on a thread of its own; nothing waits for it.
 * The file is on the disk when done comes with err NULL, and gone where it failed. It is DIR/flowlet.db of a store that
 * is opened from it. store_close cancels (ERR_CANCELED). False, and no done: one is under way (ERR_BUSY). */
MUST_USE bool store_backup(struct store *s, const char *path, store_done_fn *done, void *arg, struct error *err);
/* How far the one under way, or the last one, is. total 0: not known yet. */
void store_backup_progress(struct store *s, int64_t *copied_bytes, int64_t *total_bytes);

/* The same in the command line, where waiting is no harm, of the store in dir, which another process may have open. */
typedef void store_progress_fn(int64_t copied_bytes, int64_t total_bytes);
MUST_USE bool store_backup_now(const char *dir, const char *path, store_progress_fn *tell, struct error *err);

/* ---- key and value: schema version, keys, caches by content ---- */
MUST_USE bool tx_meta_put(struct store_tx *tx, const char *key, struct str value, struct error *err);
/* False with ERR_NOT_FOUND where there is none. */
MUST_USE bool tx_meta_get(struct store_tx *tx, const char *key, struct buf *out, struct error *err);
MUST_USE bool tx_cache_put(struct store_tx *tx, struct str key, struct str value, struct error *err);
MUST_USE bool tx_cache_get(struct store_tx *tx, struct str key, struct buf *out, struct error *err);

/* ---- workspaces and releases ---- */
struct workspace_row {
    int64_t id;
    struct str name;
    char mode;       /* 'p' practice, 'l' live */
    int64_t release; /* the newest; 0: none yet */
};
typedef bool tx_workspace_fn(void *arg, const struct workspace_row *row); /* false stops */
MUST_USE bool tx_workspace_list(struct store_tx *tx, tx_workspace_fn *fn, void *arg, struct error *err);
/* Makes it where there is none of this name; *id either way. */
MUST_USE bool tx_workspace_put(struct store_tx *tx, struct str name, char mode, int64_t *id, struct error *err);
/* With all that it has; its number is not given again. ERR_CONFLICT while it has durable runs that are not over. */
MUST_USE bool tx_workspace_delete(struct store_tx *tx, int64_t workspace, struct error *err);
MUST_USE bool tx_workspace_set_mode(struct store_tx *tx, int64_t workspace, char mode, struct error *err);
/* How long, and how much of it, its history is kept; 0: as store_keep_history says. */
MUST_USE bool tx_workspace_keep_history(struct store_tx *tx, int64_t workspace, int64_t age_ms, int64_t bytes, struct error *err);
/* files: the folder as one blob; compiled: what release_write made. Becomes the newest. */
MUST_USE bool tx_release_put(struct store_tx *tx, int64_t workspace, struct str files, struct str compiled, int64_t *release,
                             struct error *err);
MUST_USE bool tx_release_get(struct store_tx *tx, int64_t workspace, int64_t release, struct buf *files, struct buf *compiled,
                             struct error *err); /* either buf may be NULL */

/* ---- versions: every save of a flow, numbered from 1; the oldest beyond VERSIONS_MAX of a flow go ---- */
#define VERSIONS_MAX 1000
struct version_row {
    struct str flow;
    int64_t number, time_ms;
    int64_t release;            /* the first that it was published with; 0: a draft */
    struct str author, message; /* a token's name; may be empty */
    struct str content;         /* JSON; empty: the flow was deleted */
};
typedef bool tx_version_fn(void *arg, const struct version_row *row); /* false stops */
/* Gives row its number. */
MUST_USE bool tx_version_add(struct store_tx *tx, int64_t workspace, struct version_row *row, struct error *err);
MUST_USE bool tx_version_set_release(struct store_tx *tx, int64_t workspace, struct str flow, int64_t number, int64_t release,
                                     struct error *err);
/* Newest first, those before `before` (0: all). */
MUST_USE bool tx_version_list(struct store_tx *tx, int64_t workspace, struct str flow, int64_t before, int limit,
                              tx_version_fn *fn, void *arg, struct error *err);
/* The newest of each flow, by their ids; `published`: the newest of those that were published. */
MUST_USE bool tx_version_newest(struct store_tx *tx, int64_t workspace, bool published, tx_version_fn *fn, void *arg,
                                struct error *err);

/* ---- tokens of the API ---- */
struct token_row {
    int64_t id; /* given by the first tx_token_put */
    struct str name, hash;
    struct str permissions, workspaces; /* names with blanks between; a JSON list, or null */
    int64_t created_ms, expires_ms;     /* expires 0: never */
    int64_t used_ms;                    /* 0: never */
};
MUST_USE bool tx_token_add(struct store_tx *tx, struct token_row *row, struct error *err);
MUST_USE bool tx_token_used(struct store_tx *tx, int64_t id, int64_t used_ms, struct error *err);
MUST_USE bool tx_token_delete(struct store_tx *tx, int64_t id, struct error *err);
typedef bool tx_token_fn(void *arg, const struct token_row *row);
MUST_USE bool tx_token_list(struct store_tx *tx, tx_token_fn *fn, void *arg, struct error *err);

/* ---- runs ---- */
enum run_state { RUN_ACCEPTED = 0, RUN_RUNNING = 1, RUN_WAITING = 2, RUN_DONE = 3, RUN_FAILED = 4, RUN_CANCELED = 5 };
struct run_row {
    int64_t id; /* ordered by time */
    int64_t workspace, release;
    struct str flow;
    enum run_state state;
    char mode;
    bool durable;
    struct str trigger;           /* "POST /path", "cron 2026-...", "run 18..." , "api" */
    int64_t started_ms, ended_ms; /* ended 0: not yet */
    struct str error;             /* one sentence, masked; empty: none */
    struct str history;           /* masked; empty while it runs. Opaque here but for its text */
    struct str accepted;          /* durable, under way: sealed input and seed; empty otherwise */
};
void store_record_run(struct store *s, const struct run_row *row);                           /* copies */
MUST_USE bool tx_run_put(struct store_tx *tx, const struct run_row *row, struct error *err); /* inserts or replaces */
/* The end of a durable run: state, time, history; drops `accepted` and its journal. */
MUST_USE bool tx_run_end(struct store_tx *tx, int64_t id, enum run_state state, int64_t ended_ms, struct str error,
                         struct str history, struct error *err);
struct run_filter {
    int64_t workspace;
    struct str flow;   /* empty: all */
    int state;         /* -1: all */
    struct str text;   /* what stands in flow, trigger, error or history, letters of ASCII in either case; empty: all */
    int64_t before_id; /* only older ones; 0: all */
    int64_t from_id;   /* none older than this; 0: all */
    int limit;
    bool histories; /* with history, which is else left out */
};
typedef bool tx_run_fn(void *arg, const struct run_row *row); /* `accepted` is left out; false stops */
/* The newest first. *next: the before_id to go on with; 0: there are no more. It is set also where less than `limit` were found
 * in the time that one look may take. */
MUST_USE bool tx_run_list(struct store_tx *tx, const struct run_filter *filter, tx_run_fn *fn, void *arg, int64_t *next,
                          struct error *err);
/* The row's texts live in arena. ERR_NOT_FOUND. */
MUST_USE bool tx_run_get(struct store_tx *tx, int64_t workspace, int64_t id, struct run_row *row, struct arena *arena,
                         struct error *err);
/* Durable runs that have not ended and are not parked (waits.h), of all workspaces, oldest first, with `accepted`. */
MUST_USE bool tx_run_list_open(struct store_tx *tx, tx_run_fn *fn, void *arg, struct error *err);

/* ---- the journal of durable runs: sealed records in order ---- */
MUST_USE bool tx_journal_add(struct store_tx *tx, int64_t run, struct str record, struct error *err);
typedef bool tx_journal_fn(void *arg, struct str record);
MUST_USE bool tx_journal_list(struct store_tx *tx, int64_t run, tx_journal_fn *fn, void *arg, struct error *err);

/* ---- deliveries seen: *first is the run that claimed key, which may be `run` itself ---- */
MUST_USE bool tx_delivery_claim(struct store_tx *tx, int64_t workspace, char mode, struct str flow, struct str key, int64_t run,
                                int64_t now_ms, int64_t *first, struct error *err);

/* ---- cron: what became of each due instant. A flow's mark is the last instant that is accounted for ---- */
enum cron_outcome { CRON_FIRED, CRON_QUEUED, CRON_MERGED, CRON_SKIPPED, CRON_FAILED };
struct cron_row {
    int64_t instant_ms; /* with the flow the key: each is accounted for once */
    enum cron_outcome outcome;
    int64_t run;       /* fired: its own; merged: that of into_ms; skipped: the one that was under way; 0: none (yet) */
    int64_t into_ms;   /* merged: the instant that it went into; else 0 */
    int64_t from_ms;   /* a row for several: the first of them; instant_ms is the last. Else 0 */
    int64_t instants;  /* how many it stands for; 0: not counted */
    int64_t time_ms;   /* when it was accounted for */
    struct str reason; /* a sentence; empty: none */
};
struct cron_mark {
    int64_t accounted_ms;
    int64_t run; /* the last one fired; 0: none yet */
};
/* The flow's mark. Where it had none, or one of another schedule (`text`), it becomes now_ms. */
MUST_USE bool tx_cron_begin(struct store_tx *tx, int64_t workspace, struct str flow, struct str text, int64_t now_ms,
                            struct cron_mark *mark, struct error *err);
/* Forgets the marks of all other flows; what was queued for these is skipped. */
MUST_USE bool tx_cron_keep(struct store_tx *tx, int64_t workspace, const struct str *flows, size_t count, struct error *err);
/* Accounts for instants that start no run now, ascending, and moves the mark. What was accounted for stays, if not queued. */
MUST_USE bool tx_cron_account(struct store_tx *tx, int64_t workspace, struct str flow, const struct cron_row *rows, size_t count,
                              struct error *err);
/* The instant, queued or new, becomes that run; moves the mark. *fresh: it was not accounted for otherwise. */
MUST_USE bool tx_cron_fire(struct store_tx *tx, int64_t workspace, struct str flow, int64_t instant_ms, int64_t run,
                           int64_t now_ms, bool *fresh, struct error *err);
/* The mark as it is; zeros where the flow has none. */
MUST_USE bool tx_cron_mark(struct store_tx *tx, int64_t workspace, struct str flow, struct cron_mark *mark, struct error *err);
typedef bool tx_cron_fn(void *arg, const struct cron_row *row); /* false stops */
/* The newest first, those before before_ms (0: all). */
MUST_USE bool tx_cron_list(struct store_tx *tx, int64_t workspace, struct str flow, int64_t before_ms, int limit, tx_cron_fn *fn,
                           void *arg, struct error *err);
/* The queued ones, oldest first. */
MUST_USE bool tx_cron_list_queued(struct store_tx *tx, int64_t workspace, struct str flow, tx_cron_fn *fn, void *arg,
                                  struct error *err);
const char *cron_outcome_name(enum cron_outcome o); /* "fired" */

/* ---- state: small JSON values of a workspace, one set a mode ---- */
#define STATE_VALUE_MAX (64 * 1024)
#define STATE_TOTAL_MAX (100 * 1024 * 1024)
MUST_USE bool tx_state_get(struct store_tx *tx, int64_t workspace, char mode, struct str key, int64_t now_ms, struct buf *value,
                           int64_t *version, struct error *err); /* ERR_NOT_FOUND, also when expired */
/* if_version: -1 any, 0 must not be there, else must be this (ERR_CONFLICT). ttl_ms 0: for ever. */
MUST_USE bool tx_state_put(struct store_tx *tx, int64_t workspace, char mode, struct str key, struct str value, int64_t ttl_ms,
                           int64_t if_version, int64_t now_ms, int64_t *version, struct error *err);
MUST_USE bool tx_state_delete(struct store_tx *tx, int64_t workspace, char mode, struct str key, int64_t now_ms, bool *was_there,
                              struct error *err);
typedef bool tx_state_fn(void *arg, struct str key, struct str value, int64_t version);
MUST_USE bool tx_state_list(struct store_tx *tx, int64_t workspace, char mode, struct str prefix, int64_t now_ms, int limit,
                            tx_state_fn *fn, void *arg, struct error *err);

/* ---- outbox: what practice mode captured ---- */
struct outbox_row {
    int64_t id, run, time_ms;
    struct str flow, operation, kind, to, content;
};
MUST_USE bool tx_outbox_add(struct store_tx *tx, int64_t workspace, const struct outbox_row *row, struct error *err);
typedef bool tx_outbox_fn(void *arg, const struct outbox_row *row);
MUST_USE bool tx_outbox_list(struct store_tx *tx, int64_t workspace, int64_t after_id, int limit, tx_outbox_fn *fn, void *arg,
                             struct error *err);
MUST_USE bool tx_outbox_clear(struct store_tx *tx, int64_t workspace, struct error *err);

/* ---- secrets: sealed values by name, one set a mode ---- */
MUST_USE bool tx_secret_put(struct store_tx *tx, int64_t workspace, char mode, struct str name, struct str sealed, int64_t now_ms,
                            struct error *err);
MUST_USE bool tx_secret_delete(struct store_tx *tx, int64_t workspace, char mode, struct str name, struct error *err);
typedef bool tx_secret_fn(void *arg, struct str name, struct str sealed, int64_t changed_ms);
MUST_USE bool tx_secret_list(struct store_tx *tx, int64_t workspace, char mode, tx_secret_fn *fn, void *arg, struct error *err);

#endif
