/* A backup is the store as it was at one moment, and whoever writes meanwhile does not wait for it. */
#include <criterion/criterion.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"

#define FILLING 1500

static struct loop *l;
static struct store *s;
static char dir[64], copy_dir[80], copy_path[100];
static struct error err;

static void setup(void) {
    snprintf(dir, sizeof dir, "/tmp/flowlet-backup-XXXXXX");
    cr_assert(mkdtemp(dir));
    snprintf(copy_dir, sizeof copy_dir, "%s/copy", dir);
    snprintf(copy_path, sizeof copy_path, "%s/flowlet.db", copy_dir);
    cr_assert_eq(mkdir(copy_dir, 0700), 0);
    l = loop_new();
    s = store_open(l, dir, &err);
    cr_assert(s, "%s", err.text);
}

static void teardown(void) {
    char command[128];
    store_close(s);
    loop_free(l);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    cr_assert_eq(system(command), 0);
}

static char big[16 * 1024];
static bool fill(struct store_tx *tx, void *arg, struct error *e) {
    (void)arg;
    for (int i = 0; i < FILLING; i++)
        if (!tx_cache_put(tx, str_of(&i, sizeof i), str_of(big, sizeof big), e))
            return false;
    return true;
}

/* Two rows that must never be apart. */
static bool put_pair(struct store_tx *tx, void *arg, struct error *e) {
    char key[32];
    snprintf(key, sizeof key, "a%d", (int)(intptr_t)arg);
    if (!tx_meta_put(tx, key, STR("1"), e))
        return false;
    key[0] = 'b';
    return tx_meta_put(tx, key, STR("1"), e);
}

static bool has(struct store_tx *tx, char which, int pair) {
    char key[32];
    struct error ignored;
    struct buf b;
    buf_init(&b, 10);
    snprintf(key, sizeof key, "%c%d", which, pair);
    bool is_there = tx_meta_get(tx, key, &b, &ignored);
    buf_release(&b);
    return is_there;
}

struct found {
    int pairs, halves, filling;
};
static bool look(struct store_tx *tx, void *arg, struct error *e) {
    struct found *f = arg;
    struct buf b;
    (void)e;
    buf_init(&b, sizeof big);
    for (int i = 0; i < FILLING; i++, buf_clear(&b))
        f->filling += tx_cache_get(tx, str_of(&i, sizeof i), &b, e) && b.len == sizeof big;
    buf_release(&b);
    for (int i = 1; i < 100000; i++) {
        f->halves += has(tx, 'a', i) != has(tx, 'b', i);
        if (!has(tx, 'a', i))
            break;
        f->pairs++;
    }
    return true;
}

static int next, backups, failed;
static bool is_over;
static enum error_code code;
static int64_t slowest_ms, asked_ms;
static void on_pair(void *arg, const struct error *e) {
    (void)arg;
    int64_t took_ms = clock_monotonic_ms() - asked_ms;
    failed += e != NULL;
    slowest_ms = took_ms > slowest_ms ? took_ms : slowest_ms;
    if (is_over) {
        loop_stop(l);
        return;
    }
    asked_ms = clock_monotonic_ms();
    store_write(s, put_pair, on_pair, (void *)(intptr_t)++next);
}
static void on_backup(void *arg, const struct error *e) {
    (void)arg;
    is_over = true;
    backups++;
    code = e ? e->code : ERR_NONE;
}

Test(store_backup, is_of_one_moment_and_stalls_nobody, .init = setup, .fini = teardown) {
    int64_t copied, total;
    struct stat made;
    cr_assert(store_write_now(s, fill, NULL, &err), "%s", err.text);
    asked_ms = clock_monotonic_ms();
    store_write(s, put_pair, on_pair, (void *)(intptr_t)++next);
    cr_assert(store_backup(s, copy_path, on_backup, NULL, &err), "%s", err.text);
    cr_assert(!store_backup(s, "/tmp/another", on_backup, NULL, &err) && err.code == ERR_BUSY);
    loop_run(l);
    cr_assert_eq(code, ERR_NONE, "%s", error_name(code));
    cr_assert_eq(failed, 0);
    cr_assert_gt(next, 3, "%d commits went on meanwhile", next);
    cr_assert_lt(slowest_ms, 1000);
    store_backup_progress(s, &copied, &total);
    cr_assert(copied == total && total > FILLING * (int64_t)sizeof big);
    cr_assert(stat(copy_path, &made) == 0 && (made.st_mode & 0777) == 0600);

    struct found f = {0};
    struct store *copy = store_open(l, copy_dir, &err);
    cr_assert(copy, "%s", err.text);
    cr_assert(store_write_now(copy, look, &f, &err), "%s", err.text);
    store_close(copy);
    cr_assert_eq(f.filling, FILLING);
    cr_assert_eq(f.halves, 0);
    cr_assert_leq(f.pairs, next);
    cr_assert(store_backup(s, copy_path, on_backup, NULL, &err), "%s", err.text);
    is_over = false;
    store_write(s, put_pair, on_pair, (void *)(intptr_t)++next);
    loop_run(l);
    cr_assert_eq(code, ERR_CONFLICT, "a file that is there stays as it is");
}

Test(store_backup, is_canceled_by_closing_and_leaves_no_file, .init = setup, .fini = teardown) {
    cr_assert(store_write_now(s, fill, NULL, &err), "%s", err.text);
    cr_assert(store_backup(s, copy_path, on_backup, NULL, &err), "%s", err.text);
    store_close(s);
    cr_assert(backups == 1 && code == ERR_CANCELED, "%s", error_name(code));
    cr_assert(access(copy_path, F_OK) != 0);
    s = store_open(l, dir, &err);
    cr_assert(s, "%s", err.text);
}

Test(store_backup, says_where_it_cannot_write, .init = setup, .fini = teardown) {
    cr_assert(store_backup(s, "/proc/none/flowlet.db", on_backup, NULL, &err), "%s", err.text);
    asked_ms = clock_monotonic_ms();
    store_write(s, put_pair, on_pair, (void *)(intptr_t)++next);
    loop_run(l);
    cr_assert_eq(code, ERR_NOT_FOUND, "%s", error_name(code));
}
