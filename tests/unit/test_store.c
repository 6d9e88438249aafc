/* The store: what was committed is there, what was not leaves no trace, whatever happens in between. */
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/sqlite/prune.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite.h"

static struct loop *l;
static struct store *s;
static char dir[64];
static struct error err;

static void dir_make(void) {
    snprintf(dir, sizeof dir, "/tmp/flowlet-store-XXXXXX");
    cr_assert(mkdtemp(dir));
}
static void dir_drop(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    cr_assert_eq(system(command), 0);
}
static void must_open(void) {
    s = store_open(l, dir, &err);
    cr_assert(s, "%s", err.text);
}
static void setup(void) {
    dir_make();
    l = loop_new();
    must_open();
}
static void teardown(void) {
    store_close(s);
    loop_free(l);
    dir_drop();
}
static void reopen(void) {
    store_close(s);
    must_open();
}
/* Runs fn on the writer's thread; criterion's asserts are for the test's own thread only. */
static bool now(store_work_fn *fn, void *arg) { return store_write_now(s, fn, arg, &err); }
#define MUST(fn, arg) cr_assert(now(fn, arg), "%s", err.text)

/* ---- names, values, releases ---- */

static bool put_meta(struct store_tx *tx, void *arg, struct error *e) { return tx_meta_put(tx, arg, str_from(arg), e); }
static bool get_meta(struct store_tx *tx, void *arg, struct error *e) {
    struct buf b;
    buf_init(&b, 100);
    bool ok = tx_meta_get(tx, arg, &b, e) && str_is(buf_str(&b), arg);
    buf_release(&b);
    return ok;
}
static bool has_meta(const char *key) { return now(get_meta, (void *)(uintptr_t)key); }

Test(store, meta_survives_reopening, .init = setup, .fini = teardown) {
    MUST(put_meta, (char[]){"a"});
    MUST(put_meta, (char[]){"a"});
    reopen();
    cr_assert(has_meta("a"));
    cr_assert(!has_meta("b") && err.code == ERR_NOT_FOUND);
}

struct released {
    int64_t workspace, release;
};
static bool count_workspace(void *arg, const struct workspace_row *row) {
    struct released *r = arg;
    r->workspace = row->id;
    r->release = row->mode == 'l' ? row->release : -1;
    return true;
}
static bool release(struct store_tx *tx, void *arg, struct error *e) {
    struct released *r = arg;
    int64_t again, other, first;
    struct buf files, compiled;
    buf_init(&files, 100);
    buf_init(&compiled, 100);
    bool ok = tx_workspace_put(tx, STR("er"), 'p', &r->workspace, e) && tx_workspace_put(tx, STR("er"), 'l', &again, e) &&
              again == r->workspace && tx_workspace_put(tx, STR("other"), 'l', &other, e) && other != again &&
              tx_workspace_set_mode(tx, again, 'l', e) && !tx_workspace_set_mode(tx, 99, 'l', e) &&
              tx_release_put(tx, again, STR("files"), STR("one"), &first, e) &&
              tx_release_put(tx, again, STR("files 2"), STR("two"), &r->release, e) && r->release > first &&
              !tx_release_get(tx, other, first, &files, NULL, e) && e->code == ERR_NOT_FOUND &&
              tx_release_get(tx, again, first, NULL, &compiled, e) && tx_release_get(tx, again, r->release, &files, NULL, e) &&
              str_is(buf_str(&compiled), "one") && str_is(buf_str(&files), "files 2") &&
              tx_cache_put(tx, STR("k"), STR("1"), e) && tx_cache_put(tx, STR("k"), STR("2"), e);
    buf_clear(&files);
    ok = ok && tx_cache_get(tx, STR("k"), &files, e) && str_is(buf_str(&files), "2");
    buf_release(&files);
    buf_release(&compiled);
    return ok;
}
static bool list_workspaces(struct store_tx *tx, void *arg, struct error *e) {
    return tx_workspace_list(tx, count_workspace, arg, e);
}

Test(store, releases_belong_to_a_workspace, .init = setup, .fini = teardown) {
    struct released r, listed[2];
    MUST(release, &r);
    MUST(list_workspaces, &listed);
    cr_assert_eq(listed[0].workspace, r.workspace + 1, "the last by name: other");
}

/* ---- group commit ---- */

static int done_count, done_failed;
static enum error_code done_code;
static void on_done(void *arg, const struct error *e) {
    (void)arg;
    done_count++;
    done_failed += e != NULL;
    done_code = e ? e->code : ERR_NONE;
    if (done_count == 64)
        loop_stop(l);
}
static bool put_and_fail(struct store_tx *tx, void *arg, struct error *e) {
    return put_meta(tx, arg, e) && error_set(e, ERR_CONFLICT, "on purpose");
}

Test(store, one_turn_shares_a_commit_and_a_failed_work_goes_alone, .init = setup, .fini = teardown) {
    uint64_t before = store_commits(s);
    static char keys[64][8];
    for (int i = 0; i < 64; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        store_write(s, i == 7 ? put_and_fail : put_meta, on_done, keys[i]);
    }
    cr_assert_eq(done_count, 0, "later, never from inside");
    loop_run(l);
    cr_assert_eq(done_failed, 1);
    cr_assert_eq(store_commits(s) - before, 1);
    for (int i = 0; i < 64; i++)
        cr_assert_eq(has_meta(keys[i]), i != 7, "%s", keys[i]);
}

Test(store, close_brings_all_done, .init = setup, .fini = teardown) {
    static char x[] = "x", y[] = "y";
    for (int i = 0; i < 10; i++) {
        store_write(s, put_meta, on_done, x);
        store_read(s, list_workspaces, on_done, &(struct released){0});
    }
    store_write(s, put_and_fail, on_done, y);
    reopen();
    cr_assert_eq(done_count, 21);
    cr_assert_eq(done_failed, 1);
    cr_assert(has_meta("x") && !has_meta("y"));
}

/* ---- runs ---- */

static struct run_row sample(int64_t id) {
    return (struct run_row){.id = id,
                            .workspace = 1,
                            .release = 4,
                            .flow = STR("hello"),
                            .state = RUN_DONE,
                            .mode = 'l',
                            .trigger = STR("GET /hello"),
                            .started_ms = clock_now_ms(),
                            .ended_ms = clock_now_ms(),
                            .history = STR("{\"blocks\":[]}")};
}
struct listing {
    struct run_filter filter;
    int64_t ids[2000];
    int count;
};
static bool list_one(void *arg, const struct run_row *row) {
    struct listing *x = arg;
    x->ids[x->count++] = row->id;
    return x->count < 2000;
}
static bool list(struct store_tx *tx, void *arg, struct error *e) {
    struct listing *x = arg;
    x->count = 0;
    return tx_run_list(tx, &x->filter, list_one, x, e);
}
static bool list_open(struct store_tx *tx, void *arg, struct error *e) {
    ((struct listing *)arg)->count = 0;
    return tx_run_list_open(tx, list_one, arg, e);
}

Test(store, recorded_runs_are_there_soon_and_after_reopening, .init = setup, .fini = teardown) {
    uint64_t before = store_commits(s);
    for (int i = 1; i <= 1500; i++) {
        struct run_row row = sample(i);
        row.state = i % 100 ? RUN_DONE : RUN_FAILED;
        store_record_run(s, &row);
    }
    reopen();
    (void)before;
    struct listing x = {.filter = {.workspace = 1, .state = -1, .limit = 2000}};
    MUST(list, &x);
    cr_assert_eq(x.count, 1500);
    cr_assert(x.ids[0] == 1500 && x.ids[1499] == 1);
    x.filter = (struct run_filter){.workspace = 1, .state = RUN_FAILED, .before_id = 1500, .limit = 3};
    MUST(list, &x);
    cr_assert(x.count == 3 && x.ids[0] == 1400 && x.ids[2] == 1200);
    x.filter = (struct run_filter){.workspace = 1, .flow = STR("hello"), .state = -1, .after_id = 1490, .limit = 5};
    MUST(list, &x);
    cr_assert(x.count == 5 && x.ids[0] == 1491);
    x.filter = (struct run_filter){.workspace = 2, .state = -1, .limit = 5};
    MUST(list, &x);
    cr_assert_eq(x.count, 0);
}

static struct timer watch;
static int watched;
static void on_watch(struct timer *t) {
    struct listing x = {.filter = {.workspace = 1, .state = -1, .limit = 10}};
    cr_assert(now(list, &x));
    watched = x.count;
    (void)t;
    loop_stop(l);
}
Test(store, records_need_no_commit_that_waits_for_the_disk, .init = setup, .fini = teardown) {
    struct run_row row = sample(5);
    uint64_t before = store_commits(s);
    store_record_run(s, &row);
    timer_init(&watch, l, on_watch);
    timer_start(&watch, 200);
    loop_run(l);
    cr_assert_eq(watched, 1, "written within 200 ms");
    cr_assert_eq(store_commits(s) - before, 1, "that of the listing alone");
}

static bool accept_run(struct store_tx *tx, void *arg, struct error *e) {
    struct run_row row = sample(*(int64_t *)arg);
    row.durable = true;
    row.state = RUN_ACCEPTED;
    row.ended_ms = 0;
    row.history = STR("");
    row.accepted = STR("sealed");
    return tx_run_put(tx, &row, e) && tx_journal_add(tx, row.id, STR("one"), e) && tx_journal_add(tx, row.id, STR("two"), e);
}
static bool end(struct store_tx *tx, void *arg, struct error *e) {
    return tx_run_end(tx, *(int64_t *)arg, RUN_DONE, 99, STR("no"), STR("history"), e);
}
struct got {
    int64_t id;
    struct run_row row;
    struct arena arena;
    struct buf journal;
};
static bool add_record(void *arg, struct str record) { return buf_add(arg, record); }
static bool get(struct store_tx *tx, void *arg, struct error *e) {
    struct got *g = arg;
    buf_clear(&g->journal);
    return tx_run_get(tx, 1, g->id, &g->row, &g->arena, e) && tx_journal_list(tx, g->id, add_record, &g->journal, e);
}

Test(store, durable_runs_are_open_until_they_end, .init = setup, .fini = teardown) {
    struct got g = {.id = 7};
    struct listing x = {.count = 0};
    arena_init(&g.arena);
    buf_init(&g.journal, 1000);
    MUST(accept_run, &(int64_t){7});
    MUST(accept_run, &(int64_t){3});
    reopen();
    MUST(list_open, &x);
    cr_assert(x.count == 2 && x.ids[0] == 3 && x.ids[1] == 7);
    MUST(get, &g);
    cr_assert(str_is(buf_str(&g.journal), "onetwo") && str_is(g.row.accepted, "sealed") && g.row.durable);
    MUST(end, &(int64_t){7});
    MUST(get, &g);
    cr_assert(g.journal.len == 0 && g.row.accepted.len == 0 && g.row.state == RUN_DONE && g.row.ended_ms == 99);
    cr_assert(str_is(g.row.history, "history") && str_is(g.row.error, "no") && str_is(g.row.trigger, "GET /hello"));
    MUST(list_open, &x);
    cr_assert_eq(x.count, 1);
    cr_assert(!now(end, &(int64_t){8}) && err.code == ERR_NOT_FOUND);
    g.id = 8;
    cr_assert(!now(get, &g) && err.code == ERR_NOT_FOUND);
    buf_release(&g.journal);
    arena_release(&g.arena);
}

static bool claims(struct store_tx *tx, void *arg, struct error *e) {
    int64_t *out = arg;
    bool fresh[3];
    bool ok = tx_delivery_claim(tx, 1, 'l', STR("hook"), STR("id-1"), 10, 5, &out[0], e) &&
              tx_delivery_claim(tx, 1, 'l', STR("hook"), STR("id-1"), 11, 6, &out[1], e) &&
              tx_delivery_claim(tx, 1, 'p', STR("hook"), STR("id-1"), 12, 7, &out[2], e) &&
              tx_cron_last(tx, 1, STR("scan"), &out[3], e) && tx_cron_fire(tx, 1, STR("scan"), 60, 1, &fresh[0], e) &&
              tx_cron_fire(tx, 1, STR("scan"), 60, 2, &fresh[1], e) && tx_cron_fire(tx, 1, STR("scan"), 120, 3, &fresh[2], e) &&
              tx_cron_last(tx, 1, STR("scan"), &out[4], e);
    out[5] = fresh[0] + 2 * fresh[1] + 4 * fresh[2];
    return ok;
}
Test(store, deliveries_and_instants_happen_once, .init = setup, .fini = teardown) {
    int64_t out[6];
    MUST(claims, out);
    cr_assert(out[0] == 10 && out[1] == 10 && out[2] == 12);
    cr_assert(out[3] == 0 && out[4] == 120 && out[5] == 5);
}
