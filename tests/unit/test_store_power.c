/* The store on a disk that fills up and loses power, by way of a VFS between SQLite and the system's.
 *
 * The disk keeps for each file what was synced (`durable`) and what was written since (`pending`). A
 * power loss is an image of all files in another directory: the durable bytes, with any subset of the
 * pending sectors on top, in whatever combination chance gives: a real disk writes them in any order.
 * The store goes on meanwhile; each image is then opened by a store of its own. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/sqlite/sqlite.h"
#include "store/sqlite/tx.h"

#define SECTOR 512
#define IMAGES_MAX 60

static char dir[64], images_dir[64];
static struct loop *l;
static struct store *s;
static struct error err;

/* ---- the disk ---- */

struct pending {
    size_t offset, len;
    char *bytes; /* NULL: cut to `offset` bytes */
};
struct disk_file {
    char name[32];
    char *durable;
    size_t durable_len;
    struct pending *pending;
    size_t pending_count;
    bool is_there;
};
static struct {
    pthread_mutex_t lock; /* both of the store's threads write */
    struct disk_file files[4];
    size_t file_count;
    uint64_t seed;
    unsigned syncs, image_each; /* an image before every so many syncs on average; 0: none */
    int images, acked_at[IMAGES_MAX];
    atomic_int acked;
    atomic_int writes_until_full; /* -1: there is room */
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER, .writes_until_full = -1};

static unsigned chance(unsigned n) {
    disk.seed = disk.seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(disk.seed >> 33) % n;
}

static struct disk_file *disk_find(const char *path) {
    const char *name = strrchr(path, '/') + 1;
    for (size_t i = 0; i < disk.file_count; i++)
        if (strcmp(disk.files[i].name, name) == 0)
            return &disk.files[i];
    if (disk.file_count == ARRAY_LEN(disk.files))
        abort();
    struct disk_file *f = &disk.files[disk.file_count++];
    snprintf(f->name, sizeof f->name, "%s", name);
    return f;
}

static void grow_to(char **bytes, size_t *len, size_t size) {
    if (size <= *len)
        return;
    *bytes = mem_realloc(*bytes, size);
    memset(*bytes + *len, 0, size - *len);
    *len = size;
}

/* All of a pending change, or of its sectors those that chance picks. */
static void apply(const struct pending *p, bool all, char **bytes, size_t *len) {
    if (!p->bytes) {
        if (p->offset < *len && (all || chance(2)))
            *len = p->offset;
        return;
    }
    for (size_t at = 0; at < p->len;) {
        size_t n = SECTOR - (p->offset + at) % SECTOR;
        n = n < p->len - at ? n : p->len - at;
        if (all || chance(2)) {
            grow_to(bytes, len, p->offset + at + n);
            memcpy(*bytes + p->offset + at, p->bytes + at, n);
        }
        at += n;
    }
}

static void disk_change(struct disk_file *f, const void *bytes, size_t len, size_t offset) {
    pthread_mutex_lock(&disk.lock);
    f->pending = mem_realloc(f->pending, (f->pending_count + 1) * sizeof *f->pending);
    struct pending *p = &f->pending[f->pending_count++];
    *p = (struct pending){offset, len, NULL};
    if (bytes)
        p->bytes = memcpy(mem_alloc(len), bytes, len);
    pthread_mutex_unlock(&disk.lock);
}

static void disk_write_image(void) {
    disk.acked_at[disk.images] = disk.acked;
    for (size_t i = 0; i < disk.file_count; i++) {
        const struct disk_file *f = &disk.files[i];
        if (!f->is_there)
            continue;
        size_t len = f->durable_len;
        char *bytes = memcpy(mem_alloc(len), f->durable ? f->durable : "", len), path[256];
        struct error ignored;
        for (size_t k = 0; k < f->pending_count; k++)
            apply(&f->pending[k], false, &bytes, &len);
        snprintf(path, sizeof path, "%s/%d", images_dir, disk.images);
        mkdir(path, 0700);
        snprintf(path, sizeof path, "%s/%d/%s", images_dir, disk.images, f->name);
        if (!file_write(path, str_of(bytes, len), 0600, &ignored))
            abort();
        free(bytes);
    }
    disk.images++;
}

static void disk_sync(struct disk_file *f) {
    pthread_mutex_lock(&disk.lock);
    disk.syncs++;
    if (disk.image_each && disk.images < IMAGES_MAX && chance(disk.image_each) == 0)
        disk_write_image();
    for (size_t i = 0; i < f->pending_count; i++) {
        apply(&f->pending[i], true, &f->durable, &f->durable_len);
        free(f->pending[i].bytes);
    }
    f->pending_count = 0;
    pthread_mutex_unlock(&disk.lock);
}

static void disk_forget(struct disk_file *f) {
    for (size_t i = 0; i < f->pending_count; i++)
        free(f->pending[i].bytes);
    free(f->pending);
    free(f->durable);
    f->pending = NULL;
    f->durable = NULL;
    f->pending_count = f->durable_len = 0;
    f->is_there = false;
}

/* ---- the VFS ---- */

struct file {
    sqlite3_file base;
    struct disk_file *on_disk;
    sqlite3_file *real; /* stands behind this struct */
};
static sqlite3_file *real(sqlite3_file *f) { return ((struct file *)f)->real; }
static struct disk_file *on_disk(sqlite3_file *f) { return ((struct file *)f)->on_disk; }

static int f_close(sqlite3_file *f) { return real(f)->pMethods->xClose(real(f)); }
static int f_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at) { return real(f)->pMethods->xRead(real(f), to, n, at); }
static int f_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at) {
    if (disk.writes_until_full == 0)
        return SQLITE_FULL;
    if (disk.writes_until_full > 0)
        disk.writes_until_full--;
    disk_change(on_disk(f), from, (size_t)n, (size_t)at);
    return real(f)->pMethods->xWrite(real(f), from, n, at);
}
static int f_truncate(sqlite3_file *f, sqlite3_int64 size) {
    disk_change(on_disk(f), NULL, 0, (size_t)size);
    return real(f)->pMethods->xTruncate(real(f), size);
}
static int f_sync(sqlite3_file *f, int flags) {
    (void)flags;
    disk_sync(on_disk(f));
    return SQLITE_OK;
}
static int f_size(sqlite3_file *f, sqlite3_int64 *size) { return real(f)->pMethods->xFileSize(real(f), size); }
static int f_lock(sqlite3_file *f, int how) { return real(f)->pMethods->xLock(real(f), how); }
static int f_unlock(sqlite3_file *f, int how) { return real(f)->pMethods->xUnlock(real(f), how); }
static int f_reserved(sqlite3_file *f, int *is) { return real(f)->pMethods->xCheckReservedLock(real(f), is); }
static int f_control(sqlite3_file *f, int op, void *arg) { return real(f)->pMethods->xFileControl(real(f), op, arg); }
static int f_sector(sqlite3_file *f) {
    (void)f;
    return SECTOR;
}
static int f_traits(sqlite3_file *f) {
    (void)f;
    return 0; /* promises nothing: not even that a byte beside a write keeps its value */
}
static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **at) {
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, at);
}
static int f_shm_lock(sqlite3_file *f, int from, int n, int flags) {
    return real(f)->pMethods->xShmLock(real(f), from, n, flags);
}
static void f_shm_barrier(sqlite3_file *f) { real(f)->pMethods->xShmBarrier(real(f)); }
static int f_shm_unmap(sqlite3_file *f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); }

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = f_close,
    .xRead = f_read,
    .xWrite = f_write,
    .xTruncate = f_truncate,
    .xSync = f_sync,
    .xFileSize = f_size,
    .xLock = f_lock,
    .xUnlock = f_unlock,
    .xCheckReservedLock = f_reserved,
    .xFileControl = f_control,
    .xSectorSize = f_sector,
    .xDeviceCharacteristics = f_traits,
    .xShmMap = f_shm_map,
    .xShmLock = f_shm_lock,
    .xShmBarrier = f_shm_barrier,
    .xShmUnmap = f_shm_unmap,
};

static sqlite3_vfs *below, vfs;
static int v_open(sqlite3_vfs *v, const char *path, sqlite3_file *out, int flags, int *out_flags) {
    struct file *f = (struct file *)out;
    (void)v;
    f->base.pMethods = NULL;
    f->real = (sqlite3_file *)(f + 1);
    int result = below->xOpen(below, path, f->real, flags, out_flags);
    if (result != SQLITE_OK)
        return result;
    f->on_disk = disk_find(path);
    f->on_disk->is_there = true;
    f->base.pMethods = &methods;
    return SQLITE_OK;
}

/* Removing a name is taken to last at once: SQLite syncs the directory where it matters. */
static int v_delete(sqlite3_vfs *v, const char *path, int sync_dir) {
    (void)v;
    pthread_mutex_lock(&disk.lock);
    disk_forget(disk_find(path));
    pthread_mutex_unlock(&disk.lock);
    return below->xDelete(below, path, sync_dir);
}

static void setup(void) {
    below = sqlite3_vfs_find(NULL);
    vfs = *below;
    vfs.zName = "power";
    vfs.szOsFile = (int)sizeof(struct file) + below->szOsFile;
    vfs.xOpen = v_open;
    vfs.xDelete = v_delete;
    sqlite3_vfs_register(&vfs, 0);
    snprintf(dir, sizeof dir, "/tmp/flowlet-power-XXXXXX");
    snprintf(images_dir, sizeof images_dir, "/tmp/flowlet-images-XXXXXX");
    cr_assert(mkdtemp(dir) && mkdtemp(images_dir));
    disk.seed = 20261123;
    l = loop_new();
    s = store_open_on(l, dir, "power", &err);
    cr_assert(s, "%s", err.text);
}
static void teardown(void) {
    char command[200];
    store_close(s);
    loop_free(l);
    for (size_t i = 0; i < disk.file_count; i++)
        disk_forget(&disk.files[i]);
    snprintf(command, sizeof command, "rm -rf '%s' '%s'", dir, images_dir);
    cr_assert_eq(system(command), 0);
}

/* ---- power loss ---- */

#define PAIRS 150
static char big[48 * 1024]; /* so that checkpoints come often */
static int next;

/* Two rows that must never be apart. */
static bool put_pair(struct store_tx *tx, void *arg, struct error *e) {
    char a[32], b[32];
    int id = (int)(intptr_t)arg;
    snprintf(a, sizeof a, "a%d", id);
    snprintf(b, sizeof b, "b%d", id);
    memset(big, id, sizeof big);
    return tx_meta_put(tx, a, STR("1"), e) && tx_cache_put(tx, str_of(&(char){(char)(id % 7)}, 1), str_of(big, sizeof big), e) &&
           tx_meta_put(tx, b, STR("1"), e);
}
static void on_pair(void *arg, const struct error *e) {
    (void)arg;
    struct run_row row = {.id = 1000 + next, .workspace = 1, .mode = 'l', .flow = STR("f"), .history = str_of(big, 3000)};
    if (e)
        abort();
    /* Works of one batch end in order, so the number of those that ended says which did. */
    if (++disk.acked == PAIRS)
        loop_stop(l);
    store_record_run(s, &row);
    if (next < PAIRS)
        store_write(s, put_pair, on_pair, (void *)(intptr_t)++next);
}

struct found {
    int first, second; /* how many pairs have their first, their second row; -1: a gap */
};
static int count_until_gap(struct store_tx *tx, char which) {
    int count = 0, in_a_row = 0;
    for (int id = 1; id <= PAIRS; id++) {
        char key[32];
        struct error ignored;
        struct buf b;
        buf_init(&b, 10);
        snprintf(key, sizeof key, "%c%d", which, id);
        if (tx_meta_get(tx, key, &b, &ignored)) {
            count++;
            in_a_row = id;
        }
        buf_release(&b);
    }
    return count == in_a_row ? count : -1;
}
static bool look(struct store_tx *tx, void *arg, struct error *e) {
    struct found *f = arg;
    *f = (struct found){count_until_gap(tx, 'a'), count_until_gap(tx, 'b')};
    struct rows r = tx_query(tx, "PRAGMA integrity_check", "");
    bool sound = rows_next(&r) && str_is(rows_str(&r, 0), "ok");
    return rows_close(&r, e) && (sound || error_set(e, ERR_CORRUPT, "the file is damaged"));
}

Test(power, loss_at_any_sync_takes_nothing_that_was_acknowledged, .init = setup, .fini = teardown) {
    disk.image_each = 3;
    for (int i = 0; i < 3; i++)
        store_write(s, put_pair, on_pair, (void *)(intptr_t)++next);
    loop_run(l);
    disk.image_each = 0;
    cr_assert(disk.images > 10, "%d images of %u syncs", disk.images, disk.syncs);
    for (int i = 0; i < disk.images; i++) {
        char path[128];
        struct found f;
        snprintf(path, sizeof path, "%s/%d", images_dir, i);
        struct store *after = store_open(l, path, &err);
        cr_assert(after, "image %d: %s", i, err.text);
        cr_assert(store_write_now(after, look, &f, &err), "image %d: %s", i, err.text);
        cr_expect_eq(f.first, f.second, "image %d: half a work, %d and %d", i, f.first, f.second);
        cr_expect_geq(f.first, disk.acked_at[i], "image %d: %d of %d that were acknowledged", i, f.first, disk.acked_at[i]);
        store_close(after);
    }
}

Test(power, records_alone_do_not_sync, .init = setup, .fini = teardown) {
    struct run_row row = {.id = 1, .workspace = 1, .mode = 'l', .flow = STR("f")};
    unsigned before = disk.syncs;
    store_record_run(s, &row);
    store_close(s);
    cr_assert_leq(disk.syncs - before, 2, "closing folds the log into the file: %u syncs", disk.syncs - before);
    s = store_open_on(l, dir, "power", &err);
    before = disk.syncs;
    for (row.id = 2; row.id < 5; row.id++) {
        store_record_run(s, &row);
        usleep(1000);
        uv_run(loop_uv(l), UV_RUN_NOWAIT);
    }
    cr_assert_eq(disk.syncs, before);
}

/* ---- a full disk ---- */

static int failed, ended;
static enum error_code code;
static void on_full(void *arg, const struct error *e) {
    (void)arg;
    failed += e != NULL;
    code = e ? e->code : ERR_NONE;
    if (++ended == 3)
        loop_stop(l);
}
static struct timer again;
static void on_again(struct timer *t) {
    struct error why;
    if (store_is_failing(s, &why))
        timer_start(t, 20);
    else
        loop_stop(l);
}

Test(power, full_disk_stores_nothing_by_half_and_recovers, .init = setup, .fini = teardown) {
    struct found f;
    cr_assert(store_write_now(s, put_pair, (void *)(intptr_t)++next, &err), "%s", err.text);
    /* The disk is full after 0, 1, 2... further writes of the batch. */
    for (int room = 0; room < 60; room += 7) {
        disk.writes_until_full = room;
        ended = failed = 0;
        for (int i = 1; i <= 3; i++)
            store_write(s, put_pair, on_full, (void *)(intptr_t)(next + i));
        loop_run(l);
        disk.writes_until_full = -1;
        if (!failed) {
            next += 3;
            continue;
        }
        cr_assert_eq(failed, 3);
        cr_assert_eq(code, ERR_DISK_FULL);
        cr_assert(store_write_now(s, look, &f, &err), "%s", err.text);
        cr_assert(f.first == next && f.second == next, "%d and %d of %d", f.first, f.second, next);
    }
    cr_assert_lt(next, 10, "most of them failed");
    disk.writes_until_full = 0;
    cr_assert(!store_write_now(s, put_pair, (void *)(intptr_t)(next + 1), &err));
    cr_assert_eq(err.code, ERR_DISK_FULL);
    cr_assert(store_is_failing(s, &err) && err.code == ERR_DISK_FULL);
    usleep(700 * 1000);
    cr_assert(store_is_failing(s, &err), "trying did not help");
    disk.writes_until_full = -1;
    timer_init(&again, l, on_again);
    timer_start(&again, 20);
    int64_t from_ms = clock_monotonic_ms();
    loop_run(l);
    cr_assert_lt(clock_monotonic_ms() - from_ms, 1500, "it works again by itself");
    cr_assert(store_write_now(s, put_pair, (void *)(intptr_t)++next, &err), "%s", err.text);
}

/* Meets the full disk, once the cache does not hold it all, and makes nothing of it. */
static bool careless(struct store_tx *tx, void *arg, struct error *e) {
    struct error ignored;
    disk.writes_until_full = 3;
    for (int i = 0; i < 400; i++)
        if (!tx_cache_put(tx, str_of(&i, sizeof i), str_of(big, sizeof big), &ignored))
            *(bool *)arg = true;
    disk.writes_until_full = -1;
    return tx_meta_put(tx, "careless", STR("1"), e);
}
static bool read_careless(struct store_tx *tx, void *arg, struct error *e) {
    struct buf b;
    (void)arg;
    buf_init(&b, 10);
    bool found = tx_meta_get(tx, "careless", &b, e);
    buf_release(&b);
    return found;
}

Test(power, work_that_overlooks_a_full_disk_is_not_committed, .init = setup, .fini = teardown) {
    bool met = false;
    cr_assert(!store_write_now(s, careless, &met, &err) && err.code == ERR_DISK_FULL, "%s", err.text);
    cr_assert(met);
    cr_assert(!store_write_now(s, read_careless, NULL, &err) && err.code == ERR_NOT_FOUND);
}
