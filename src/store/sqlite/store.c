/* store.c — the two threads behind store.h, and group commit.
 *
 *     loop's thread        turn ──flush──▶ writes, records, reads      (lock)
 *     writer's thread      takes all of `writes`: one transaction, one sync; then one block of `records`
 *     reader's thread      takes all of `reads`: a transaction each
 *     back                 finished works ──▶ mailbox ──loop_post──▶ each work's done
 *
 * While a commit is under way the next batch collects. Records (runs that are not durable) go in
 * transactions that do not wait for the disk; the next synced commit makes them safe as well. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/sqlite/backup.h"
#include "store/sqlite/pages.h"
#include "store/sqlite/prune.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite.h"

#define RECORD_DELAY_MS 100
#define RECORD_BLOCK_BYTES (256 * 1024) /* one transaction each: larger ones cost less a row, but works wait behind them */
#define HOUSEKEEPING_MS 5000
#define MORE_HOUSEKEEPING_MS 10
#define PROBE_MS 500 /* how often a failing store tries whether it works again */

struct work {
    struct work *next;
    store_work_fn *fn;
    store_done_fn *done; /* may be NULL */
    void *arg;
    uv_sem_t *waiter; /* of store_write_now, which then owns the work; else NULL */
    bool ok;
    struct error err;
};

struct works {
    struct work *first, **last;
};

/* Rows of store_record_run, one behind the other: struct run_row, then its texts. */
struct block {
    struct block *next;
    size_t used, size; /* bytes */
    _Alignas(16) char bytes[];
};

/* Outlives the store while a post to the loop is under way. */
struct mailbox {
    pthread_mutex_t lock;
    struct works finished;
    bool posted, closed;
};

struct backup_job {
    struct backup state;
    pthread_t thread;
    bool over;  /* `done` was called */
    char *path; /* owned */
    store_done_fn *done;
    void *arg;
};

struct store {
    struct loop *loop;
    char *path;      /* of the file, owned */
    const char *vfs; /* borrowed; NULL: the system's */
    int lock_fd;
    struct store_tx *writer, *reader; /* each its own thread's, once those run */
    pthread_t writer_thread, reader_thread;
    struct mailbox *mailbox;

    /* The loop's thread only. */
    struct works turn;
    size_t turn_count;
    struct loop_flush flush;
    struct block *filling; /* or NULL */
    struct timer record_timer;
    struct backup_job *backup; /* the last one; NULL: none yet */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t writer_wake, reader_wake, idle;
    struct works writes, reads;
    struct block *records, **records_last;
    size_t backlog_bytes; /* of blocks not yet written */
    size_t unfinished;    /* works and blocks queued here or in a thread's hands */
    bool stop;
    struct prune_limits limits;
    struct error failure; /* of the last commit; ERR_NONE: it went well */

    uint64_t commits; /* synced; guarded by lock */
};

static void works_init(struct works *w) { *w = (struct works){NULL, &w->first}; }

static void works_add(struct works *w, struct work *first, struct work **last) {
    *w->last = first;
    w->last = last;
}

static struct work *works_take(struct works *w) {
    struct work *first = w->first;
    works_init(w);
    return first;
}

/* ---- back to the loop ---- */

static void mailbox_free(struct mailbox *m) {
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* False when there was nothing. */
static bool mailbox_deliver(struct mailbox *m) {
    pthread_mutex_lock(&m->lock);
    struct work *w = works_take(&m->finished);
    pthread_mutex_unlock(&m->lock);
    bool any = w != NULL;
    while (w) {
        struct work *next = w->next;
        if (w->done)
            w->done(w->arg, w->ok ? NULL : &w->err);
        free(w);
        w = next;
    }
    return any;
}

static void on_post(void *arg) {
    struct mailbox *m = arg;
    pthread_mutex_lock(&m->lock);
    m->posted = false;
    bool closed = m->closed;
    pthread_mutex_unlock(&m->lock);
    if (closed)
        mailbox_free(m);
    else
        mailbox_deliver(m);
}

/* From the writer's or the reader's thread; takes the works. */
static void give_back(struct store *s, struct work *first) {
    struct mailbox *m = s->mailbox;
    size_t count = 0;
    bool post = false;
    while (first) {
        struct work *w = first;
        first = w->next;
        w->next = NULL;
        count++;
        if (w->waiter) {
            uv_sem_post(w->waiter);
            continue;
        }
        pthread_mutex_lock(&m->lock);
        works_add(&m->finished, w, &w->next);
        post |= !m->posted;
        m->posted = true;
        pthread_mutex_unlock(&m->lock);
    }
    if (post)
        loop_post(s->loop, on_post, m);
    pthread_mutex_lock(&s->lock);
    s->unfinished -= count;
    if (!s->unfinished)
        pthread_cond_signal(&s->idle);
    pthread_mutex_unlock(&s->lock);
}

/* ---- the writer ---- */

static void set_failure(struct store *s, const struct error *failure) {
    pthread_mutex_lock(&s->lock);
    bool was_well = s->failure.code == ERR_NONE;
    if (failure)
        s->failure = *failure;
    else
        s->failure.code = ERR_NONE;
    pthread_mutex_unlock(&s->lock);
    if (failure && was_well)
        log_error("store", "msg=%s", log_quote(str_from(failure->text)));
    else if (!failure && !was_well)
        log_info("store", "msg=\"writing works again\"");
}

/* Where a record's next one starts, seen from it. */
static size_t record_size(const struct run_row *row) {
    size_t bytes = sizeof *row + row->flow.len + row->trigger.len + row->error.len + row->history.len;
    return (bytes + 15) & ~(size_t)15;
}

static bool begin(struct store_tx *tx, bool synced, struct error *err) {
    return tx_set_synced(tx, synced, err) && tx_exec(tx, err, "BEGIN IMMEDIATE", "");
}

/* One work among several: what it changed stays or goes by itself. */
static bool run_in_savepoint(struct store_tx *tx, struct work *w, struct error *err) {
    if (!tx_exec(tx, err, "SAVEPOINT work", ""))
        return false;
    w->ok = w->fn(tx, w->arg, &w->err);
    return (w->ok || tx_exec(tx, err, "ROLLBACK TO work", "")) && tx_exec(tx, err, "RELEASE work", "");
}

static bool commit_works(struct store_tx *tx, struct work *first, struct error *err) {
    if (!begin(tx, true, err))
        return false;
    if (!first->next) {
        first->ok = first->fn(tx, first->arg, &first->err);
        return first->ok ? tx_exec(tx, err, "COMMIT", "") : tx_exec(tx, err, "ROLLBACK", "");
    }
    for (struct work *w = first; w; w = w->next)
        if (!run_in_savepoint(tx, w, err))
            return false;
    return tx_exec(tx, err, "COMMIT", "");
}

static void write_works(struct store *s, struct work *first) {
    struct error failure;
    if (commit_works(s->writer, first, &failure)) {
        set_failure(s, NULL);
        pthread_mutex_lock(&s->lock);
        s->commits++;
        pthread_mutex_unlock(&s->lock);
    } else {
        tx_roll_back(s->writer);
        set_failure(s, &failure);
        for (struct work *w = first; w; w = w->next) {
            w->ok = false;
            w->err = failure;
        }
    }
    give_back(s, first);
}

static bool commit_block(struct store_tx *tx, const struct block *b, struct error *err) {
    if (!begin(tx, false, err))
        return false;
    const struct run_row **rows = mem_alloc((b->used / sizeof **rows + 1) * sizeof *rows);
    size_t count = 0;
    for (size_t at = 0; at < b->used; at += record_size(rows[count++]))
        rows[count] = (const struct run_row *)(const void *)(b->bytes + at);
    bool ok = pages_put(tx, rows, count, err) && tx_exec(tx, err, "COMMIT", "");
    free(rows);
    return ok;
}

/* Records that cannot be written are given up: they are history, and memory is needed for what comes. */
static void write_block(struct store *s, struct block *b) {
    struct error failure;
    bool ok = commit_block(s->writer, b, &failure);
    if (!ok)
        tx_roll_back(s->writer);
    set_failure(s, ok ? NULL : &failure);
    pthread_mutex_lock(&s->lock);
    s->backlog_bytes -= b->size;
    if (!--s->unfinished)
        pthread_cond_signal(&s->idle);
    pthread_mutex_unlock(&s->lock);
    free(b);
}

/* NULL: there is none. Under the lock. */
static struct block *take_block(struct store *s) {
    struct block *b = s->records;
    if (b && !(s->records = b->next))
        s->records_last = &s->records;
    return b;
}

static bool probe(struct store_tx *tx, struct error *err) {
    struct str now = str_of(&(int64_t){clock_now_ms()}, sizeof(int64_t));
    return begin(tx, true, err) && tx_meta_put(tx, "probe", now, err) && tx_exec(tx, err, "COMMIT", "");
}

/* Without other work: tries whether a failing store works again, or prunes. How long until it is due again. */
static int64_t keep_house(struct store *s, bool failing) {
    struct error err;
    bool more = false;
    pthread_mutex_lock(&s->lock);
    struct prune_limits limits = s->limits;
    pthread_mutex_unlock(&s->lock);
    if (failing ? probe(s->writer, &err) : prune_step(s->writer, &limits, clock_now_ms(), &more, &err)) {
        if (failing)
            set_failure(s, NULL);
        return more ? MORE_HOUSEKEEPING_MS : HOUSEKEEPING_MS;
    }
    tx_roll_back(s->writer);
    set_failure(s, &err);
    return PROBE_MS;
}

static struct timespec deadline(int64_t monotonic_ms) {
    return (struct timespec){.tv_sec = monotonic_ms / 1000, .tv_nsec = monotonic_ms % 1000 * 1000000};
}

static void *writer_main(void *arg) {
    struct store *s = arg;
    int64_t due_ms = clock_monotonic_ms() + HOUSEKEEPING_MS;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        struct timespec due = deadline(due_ms);
        while (!s->stop && !s->writes.first && !s->records && clock_monotonic_ms() < due_ms)
            pthread_cond_timedwait(&s->writer_wake, &s->lock, &due);
        struct work *works = works_take(&s->writes);
        struct block *block = take_block(s);
        if (s->stop && !works && !block)
            break;
        pthread_mutex_unlock(&s->lock);
        if (works)
            write_works(s, works);
        if (block)
            write_block(s, block);
        struct error failure;
        int64_t now_ms = clock_monotonic_ms();
        bool failing = store_is_failing(s, &failure);
        if (now_ms >= due_ms)
            due_ms = now_ms + keep_house(s, failing);
        else if (failing && due_ms > now_ms + PROBE_MS)
            due_ms = now_ms + PROBE_MS;
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- the reader ---- */

static void read_one(struct store *s, struct work *w) {
    w->next = NULL;
    w->ok = tx_exec(s->reader, &w->err, "BEGIN", "") && w->fn(s->reader, w->arg, &w->err);
    tx_roll_back(s->reader);
    give_back(s, w);
}

static void *reader_main(void *arg) {
    struct store *s = arg;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (!s->stop && !s->reads.first)
            pthread_cond_wait(&s->reader_wake, &s->lock);
        struct work *works = works_take(&s->reads);
        if (!works)
            break;
        pthread_mutex_unlock(&s->lock);
        while (works) {
            struct work *next = works->next;
            read_one(s, works);
            works = next;
        }
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* ---- the loop's side ---- */

/* What this turn collected goes to the threads. */
static void hand_over(void *arg) {
    struct store *s = arg;
    pthread_mutex_lock(&s->lock);
    if (s->turn.first) {
        works_add(&s->writes, s->turn.first, s->turn.last);
        works_init(&s->turn);
        s->unfinished += s->turn_count;
        s->turn_count = 0;
        pthread_cond_signal(&s->writer_wake);
    }
    pthread_mutex_unlock(&s->lock);
}

static struct work *work_new(store_work_fn *fn, store_done_fn *done, void *arg) {
    struct work *w = mem_alloc(sizeof *w);
    *w = (struct work){.fn = fn, .done = done, .arg = arg};
    return w;
}

void store_write(struct store *s, store_work_fn *fn, store_done_fn *done, void *arg) {
    struct work *w = work_new(fn, done, arg);
    works_add(&s->turn, w, &w->next);
    s->turn_count++;
    loop_flush_add(s->loop, &s->flush);
}

void store_read(struct store *s, store_work_fn *fn, store_done_fn *done, void *arg) {
    struct work *w = work_new(fn, done, arg);
    pthread_mutex_lock(&s->lock);
    works_add(&s->reads, w, &w->next);
    s->unfinished++;
    pthread_cond_signal(&s->reader_wake);
    pthread_mutex_unlock(&s->lock);
}

bool store_write_now(struct store *s, store_work_fn *fn, void *arg, struct error *err) {
    uv_sem_t waiter;
    struct work w = {.fn = fn, .arg = arg, .waiter = &waiter};
    ENSURE(uv_sem_init(&waiter, 0) == 0);
    works_add(&s->turn, &w, &w.next);
    s->turn_count++;
    hand_over(s);
    uv_sem_wait(&waiter);
    uv_sem_destroy(&waiter);
    if (!w.ok)
        *err = w.err;
    return w.ok;
}

static void hand_over_records(struct store *s) {
    if (!s->filling)
        return;
    timer_stop(&s->record_timer);
    pthread_mutex_lock(&s->lock);
    *s->records_last = s->filling;
    s->records_last = &s->filling->next;
    s->backlog_bytes += s->filling->size;
    s->unfinished++;
    pthread_cond_signal(&s->writer_wake);
    pthread_mutex_unlock(&s->lock);
    s->filling = NULL;
}

static void on_record_timer(struct timer *t) { hand_over_records(container_of(t, struct store, record_timer)); }

static struct block *block_new(size_t size) {
    struct block *b = mem_realloc(NULL, sizeof *b + size); /* not zeroed: it is about to be filled */
    b->next = NULL;
    b->used = 0;
    b->size = size;
    return b;
}

static struct str copy_into(char **at, struct str s) {
    if (s.len)
        memcpy(*at, s.ptr, s.len);
    struct str copy = {*at, s.len};
    *at += s.len;
    return copy;
}

void store_record_run(struct store *s, const struct run_row *row) {
    size_t bytes = record_size(row);
    if (s->filling && s->filling->size - s->filling->used < bytes)
        hand_over_records(s);
    if (!s->filling) {
        size_t size = bytes > RECORD_BLOCK_BYTES ? bytes : RECORD_BLOCK_BYTES;
        s->filling = block_new(size);
        timer_start(&s->record_timer, RECORD_DELAY_MS);
    }
    char *at = s->filling->bytes + s->filling->used;
    struct run_row *copy = (struct run_row *)(void *)at;
    s->filling->used += bytes;
    at += sizeof *row;
    *copy = *row;
    copy->flow = copy_into(&at, row->flow);
    copy->trigger = copy_into(&at, row->trigger);
    copy->error = copy_into(&at, row->error);
    copy->history = copy_into(&at, row->history);
    copy->accepted = (struct str){NULL, 0};
}

size_t store_backlog(struct store *s) {
    pthread_mutex_lock(&s->lock);
    size_t bytes = s->backlog_bytes;
    pthread_mutex_unlock(&s->lock);
    return bytes;
}

bool store_is_behind(struct store *s) { return store_backlog(s) > STORE_BACKLOG_MAX; }

void store_keep_history(struct store *s, int64_t age_ms, int64_t bytes) {
    pthread_mutex_lock(&s->lock);
    s->limits.history = (struct history_limits){.age_ms = age_ms, .bytes = bytes};
    pthread_mutex_unlock(&s->lock);
}

bool store_is_failing(struct store *s, struct error *err) {
    pthread_mutex_lock(&s->lock);
    bool failing = s->failure.code != ERR_NONE;
    if (failing)
        *err = s->failure;
    pthread_mutex_unlock(&s->lock);
    return failing;
}

uint64_t store_commits(struct store *s) {
    pthread_mutex_lock(&s->lock);
    uint64_t commits = s->commits;
    pthread_mutex_unlock(&s->lock);
    return commits;
}

/* ---- backup ---- */

static void on_backup(void *arg, const struct error *err) {
    struct store *s = arg;
    s->backup->over = true;
    s->backup->done(s->backup->arg, err);
}

static void *backup_main(void *arg) {
    struct store *s = arg;
    struct work *w = work_new(NULL, on_backup, s);
    w->ok = backup_copy(&s->backup->state, s->path, s->vfs, s->backup->path, &w->err);
    give_back(s, w);
    return NULL;
}

/* Takes NULL. */
static void backup_free(struct backup_job *b) {
    if (!b)
        return;
    pthread_join(b->thread, NULL);
    free(b->path);
    free(b);
}

bool store_backup(struct store *s, const char *path, store_done_fn *done, void *arg, struct error *err) {
    if (s->backup && !s->backup->over)
        return error_set(err, ERR_BUSY, "a backup is under way already");
    backup_free(s->backup);
    s->backup = mem_alloc(sizeof *s->backup);
    s->backup->path = str_dup(str_from(path));
    s->backup->done = done;
    s->backup->arg = arg;
    pthread_mutex_lock(&s->lock);
    s->unfinished++;
    pthread_mutex_unlock(&s->lock);
    ENSURE(pthread_create(&s->backup->thread, NULL, backup_main, s) == 0);
    return true;
}

bool store_backup_now(const char *dir, const char *path, store_progress_fn *tell, struct error *err) {
    struct backup state = {.tell = tell};
    char from[PATH_MAX];
    snprintf(from, sizeof from, "%s/flowlet.db", dir);
    if (access(from, F_OK) != 0)
        return error_set(err, ERR_NOT_FOUND, "%s holds no data of a server: name its data directory by --data DIR", dir);
    return backup_copy(&state, from, NULL, path, err);
}

void store_backup_progress(struct store *s, int64_t *copied_bytes, int64_t *total_bytes) {
    *copied_bytes = s->backup ? s->backup->state.copied_bytes : 0;
    *total_bytes = s->backup ? s->backup->state.total_bytes : 0;
}

/* ---- open and close ---- */

/* DIR/lock, held while the process lives and naming it; -1 when another one holds it. */
static int take_lock(const char *dir, struct error *err) {
    char path[PATH_MAX], holder[32] = "";
    snprintf(path, sizeof path, "%s/lock", dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        error_errno(err, path);
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        ssize_t n = read(fd, holder, sizeof holder - 1);
        close(fd);
        error_set(err, ERR_CONFLICT,
                  "%s is in use by another flowlet (process %.*s): stop that one, or give another data directory", dir,
                  n > 0 ? (int)strspn(holder, "0123456789") : 1, n > 0 ? holder : "?");
        return -1;
    }
    /* For the sentence above only: not being able to write it is no harm. */
    int n = snprintf(holder, sizeof holder, "%d\n", (int)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, holder, (size_t)n, 0) == n)
        fdatasync(fd);
    return fd;
}

/* SQLite gives its files besides this one the same rights. */
static bool make_private(const char *path, struct error *err) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(err, path);
    close(fd);
    return true;
}

static bool open_files(struct store *s, const char *dir, const char *vfs, struct error *err) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/flowlet.db", dir);
    s->path = str_dup(str_from(path));
    s->vfs = vfs;
    s->lock_fd = take_lock(dir, err);
    if (s->lock_fd < 0)
        return false;
    if (make_private(path, err) && (s->writer = tx_open(path, vfs, false, err)) && schema_prepare(s->writer, path, err) &&
        (s->reader = tx_open(path, vfs, true, err)))
        return true;
    struct error why = *err;
    if (why.code == ERR_CORRUPT)
        error_set(
            err, ERR_CORRUPT,
            "%s is damaged (%s): put back the last backup, or move the file away (with %s-wal) to start with an empty store",
            path, why.text, path);
    else if (why.code == ERR_DISK_FULL || why.code == ERR_IO || why.code == ERR_BUSY)
        error_wrap(err, "%s", path);
    return false;
}

static void threads_start(struct store *s) {
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->writer_wake, &monotonic);
    pthread_cond_init(&s->reader_wake, NULL);
    pthread_cond_init(&s->idle, NULL);
    pthread_condattr_destroy(&monotonic);
    ENSURE(pthread_create(&s->writer_thread, NULL, writer_main, s) == 0);
    ENSURE(pthread_create(&s->reader_thread, NULL, reader_main, s) == 0);
}

static void files_close(struct store *s) {
    tx_close(s->reader);
    tx_close(s->writer);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s->path);
}

struct store *store_open_on(struct loop *l, const char *dir, const char *vfs, struct error *err) {
    struct store *s = mem_alloc(sizeof *s);
    s->loop = l;
    if (!open_files(s, dir, vfs, err)) {
        files_close(s);
        free(s);
        return NULL;
    }
    s->mailbox = mem_alloc(sizeof *s->mailbox);
    pthread_mutex_init(&s->mailbox->lock, NULL);
    works_init(&s->mailbox->finished);
    works_init(&s->turn);
    works_init(&s->writes);
    works_init(&s->reads);
    s->records_last = &s->records;
    s->limits = prune_defaults;
    s->flush = (struct loop_flush){.fn = hand_over, .arg = s};
    timer_init(&s->record_timer, l, on_record_timer);
    threads_start(s);
    return s;
}

struct store *store_open(struct loop *l, const char *dir, struct error *err) {
    return store_open_on(l, dir, NULL, err);
}

/* Everything queued, and what its `done` queued in turn. */
static void finish_all(struct store *s) {
    do {
        hand_over(s);
        hand_over_records(s);
        pthread_mutex_lock(&s->lock);
        while (s->unfinished)
            pthread_cond_wait(&s->idle, &s->lock);
        pthread_mutex_unlock(&s->lock);
    } while (mailbox_deliver(s->mailbox));
}

static void threads_stop(struct store *s) {
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->writer_wake);
    pthread_cond_signal(&s->reader_wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->writer_thread, NULL);
    pthread_join(s->reader_thread, NULL);
    pthread_cond_destroy(&s->writer_wake);
    pthread_cond_destroy(&s->reader_wake);
    pthread_cond_destroy(&s->idle);
    pthread_mutex_destroy(&s->lock);
}

void store_close(struct store *s) {
    if (!s)
        return;
    if (s->backup)
        s->backup->state.cancel = true;
    finish_all(s);
    backup_free(s->backup);
    threads_stop(s);
    loop_flush_remove(s->loop, &s->flush);
    pthread_mutex_lock(&s->mailbox->lock);
    s->mailbox->closed = true;
    bool posted = s->mailbox->posted;
    pthread_mutex_unlock(&s->mailbox->lock);
    if (!posted)
        mailbox_free(s->mailbox);
    files_close(s);
    free(s);
}
