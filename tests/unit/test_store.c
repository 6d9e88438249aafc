/* The store: what was committed is there, what was not leaves no trace, whatever happens in between. */
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/sqlite/pages.h"
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

Test(store, failed_work_alone_leaves_nothing, .init = setup, .fini = teardown) {
    cr_assert(!now(put_and_fail, (char[]){"z"}) && err.code == ERR_CONFLICT);
    cr_assert(!has_meta("z"));
    MUST(put_meta, (char[]){"z"});
    cr_assert(has_meta("z"));
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
    int64_t next;
};
static bool list_one(void *arg, const struct run_row *row) {
    struct listing *x = arg;
    x->ids[x->count++] = row->id;
    return x->count < 2000;
}
static bool list(struct store_tx *tx, void *arg, struct error *e) {
    struct listing *x = arg;
    x->count = 0;
    return tx_run_list(tx, &x->filter, list_one, x, &x->next, e);
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
    cr_assert_eq(x.next, 1200);
    x.filter = (struct run_filter){.workspace = 1, .flow = STR("hello"), .state = -1, .from_id = 1491, .limit = 500};
    MUST(list, &x);
    cr_assert(x.count == 10 && x.ids[9] == 1491 && !x.next);
    x.filter.flow = STR("other");
    MUST(list, &x);
    cr_assert(x.count == 0 && !x.next);
    x.filter = (struct run_filter){.workspace = 2, .state = -1, .limit = 5};
    MUST(list, &x);
    cr_assert_eq(x.count, 0);
}

struct got {
    int64_t id, workspace;
    struct run_row row;
    struct arena arena;
    struct buf journal;
};
static bool add_record(void *arg, struct str record) { return buf_add(arg, record); }
static bool get(struct store_tx *tx, void *arg, struct error *e) {
    struct got *g = arg;
    buf_clear(&g->journal);
    return tx_run_get(tx, g->workspace, g->id, &g->row, &g->arena, e) && tx_journal_list(tx, g->id, add_record, &g->journal, e);
}

#define MIXED 3000
static int64_t mixed_id(int i) { return (int64_t)i * 40000 + 1; } /* some tens of seconds in all */
static struct run_row mixed_run(int i, char *text, size_t size) {
    struct run_row row = sample(mixed_id(i));
    row.workspace = i % 10 == 3 ? 2 : 1;
    row.durable = i % 4 == 0;
    row.state = i % 250 == 7 ? RUN_FAILED : RUN_DONE;
    row.flow = i % 100 == 1 ? STR("rare") : STR("hello");
    snprintf(text, size, "{\"number\":\"No %d\",\"said\":\"a \\\"quote\\\"\"}", i);
    row.history = str_from(text);
    return row;
}
static bool mixed_is_meant(int i, const struct run_filter *f) {
    char text[100], looked_for[64] = "";
    struct run_row row = mixed_run(i, text, sizeof text);
    memcpy(looked_for, f->text.len ? f->text.ptr : "", f->text.len);
    return row.workspace == f->workspace && (f->state < 0 || (int)row.state == f->state) &&
           (!f->flow.len || str_eq(row.flow, f->flow)) && row.id >= f->from_id &&
           (!f->text.len || str_is(f->text, "A \"QUOTE") || strcasestr(text, looked_for));
}
static bool put_run(struct store_tx *tx, void *arg, struct error *e) { return tx_run_put(tx, arg, e); }
static void mixed_store(void) {
    static int order[MIXED];
    char text[100];
    for (int i = 0; i < MIXED; i++)
        order[i] = i;
    srand(7);
    for (int i = 0; i < MIXED; i++) { /* they end near to, and at times far from, where they began */
        int other = rand() % 10 ? i + rand() % 20 : rand() % MIXED, kept = order[i];
        other = other < MIXED ? other : MIXED - 1;
        order[i] = order[other];
        order[other] = kept;
    }
    for (int i = 0; i < MIXED; i++) {
        struct run_row row = mixed_run(order[i], text, sizeof text);
        if (row.durable)
            MUST(put_run, &row);
        else
            store_record_run(s, &row);
        if (i % 500 == 0)
            reopen();
    }
    reopen();
}

Test(store, runs_of_both_kinds_are_listed_in_one_order_by_any_filter, .init = setup, .fini = teardown) {
    const struct run_filter filters[] = {
        {.workspace = 1, .state = -1, .limit = 7},
        {.workspace = 2, .state = -1, .limit = 1},
        {.workspace = 1, .state = RUN_FAILED, .limit = 2},
        {.workspace = 1, .state = -1, .flow = STR("rare"), .limit = 3},
        {.workspace = 1, .state = -1, .text = STR("no 11"), .limit = 30},
        {.workspace = 1, .state = -1, .text = STR("A \"QUOTE"), .limit = 500, .from_id = mixed_id(1000)},
    };
    mixed_store();
    for (size_t f = 0; f < ARRAY_LEN(filters); f++) {
        struct listing x = {.filter = filters[f]};
        int at = MIXED - 1;
        do {
            MUST(list, &x);
            for (int i = 0; i < x.count; i++, at--) {
                while (at >= 0 && !mixed_is_meant(at, &filters[f]))
                    at--;
                cr_assert_eq(x.ids[i], mixed_id(at), "filter %zu: %lld, not %d", f, (long long)x.ids[i], at);
            }
            x.filter.before_id = x.next;
        } while (x.next);
        while (at >= 0 && !mixed_is_meant(at, &filters[f]))
            at--;
        cr_assert_eq(at, -1, "filter %zu: ends before %d", f, at);
    }
    struct got g;
    for (int i = 0; i < MIXED; i += 97) {
        char text[100];
        struct run_row row = mixed_run(i, text, sizeof text);
        g = (struct got){.id = row.id, .workspace = row.workspace};
        arena_init(&g.arena);
        buf_init(&g.journal, 10);
        MUST(get, &g);
        cr_assert(str_is(g.row.history, text) && g.row.state == row.state && str_eq(g.row.trigger, row.trigger));
        g.workspace = 3;
        cr_assert(!now(get, &g) && err.code == ERR_NOT_FOUND);
        arena_release(&g.arena);
        buf_release(&g.journal);
    }
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
Test(store, durable_runs_are_open_until_they_end, .init = setup, .fini = teardown) {
    struct got g = {.id = 7, .workspace = 1};
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
    struct cron_mark mark[2];
    bool fresh[3];
    bool ok = tx_delivery_claim(tx, 1, 'l', STR("hook"), STR("id-1"), 10, 5, &out[0], e) &&
              tx_delivery_claim(tx, 1, 'l', STR("hook"), STR("id-1"), 11, 6, &out[1], e) &&
              tx_delivery_claim(tx, 1, 'p', STR("hook"), STR("id-1"), 12, 7, &out[2], e) &&
              tx_cron_begin(tx, 1, STR("scan"), STR("* * * * *"), 5, &mark[0], e) &&
              tx_cron_fire(tx, 1, STR("scan"), 60, 1, 61, &fresh[0], e) &&
              tx_cron_fire(tx, 1, STR("scan"), 60, 2, 62, &fresh[1], e) &&
              tx_cron_fire(tx, 1, STR("scan"), 120, 3, 121, &fresh[2], e) && tx_cron_mark(tx, 1, STR("scan"), &mark[1], e);
    out[3] = mark[0].accounted_ms;
    out[4] = mark[1].accounted_ms;
    out[5] = fresh[0] + 2 * fresh[1] + 4 * fresh[2];
    return ok;
}
Test(store, deliveries_and_instants_happen_once, .init = setup, .fini = teardown) {
    int64_t out[6];
    MUST(claims, out);
    cr_assert(out[0] == 10 && out[1] == 10 && out[2] == 12);
    cr_assert(out[3] == 5 && out[4] == 120 && out[5] == 5);
}

/* ---- cron ---- */

static bool add_outcome(void *arg, const struct cron_row *row) {
    buf_addf(arg, "%lld %s %lld %lld,", (long long)row->instant_ms, cron_outcome_name(row->outcome), (long long)row->run,
             (long long)row->instants);
    return true;
}

static bool outcomes(struct store_tx *tx, void *arg, struct error *e) {
    return tx_cron_list(tx, 1, STR("f"), 0, 10, add_outcome, arg, e);
}

static bool queued_outcomes(struct store_tx *tx, void *arg, struct error *e) {
    return tx_cron_list_queued(tx, 1, STR("f"), add_outcome, arg, e);
}

static bool account_some(struct store_tx *tx, void *arg, struct error *e) {
    const struct cron_row rows[] = {
        {.instant_ms = 20, .from_ms = 10, .instants = 2, .outcome = CRON_MERGED, .into_ms = 30},
        {.instant_ms = 30, .outcome = CRON_QUEUED, .instants = 1},
        {.instant_ms = 40, .outcome = CRON_QUEUED, .instants = 1},
    };
    return tx_cron_begin(tx, 1, STR("f"), STR("* * * * *"), 5, arg, e) &&
           tx_cron_begin(tx, 1, STR("f"), STR("* * * * *"), 7, arg, e) && tx_cron_account(tx, 1, STR("f"), rows, 3, e) &&
           tx_cron_account(tx, 2, STR("f"), rows, 3, e);
}

static bool fire_the_first(struct store_tx *tx, void *arg, struct error *e) {
    return tx_cron_fire(tx, 1, STR("f"), 30, 99, 50, arg, e);
}

static bool begin_with(struct store_tx *tx, struct cron_mark *mark, const char *text, int64_t now_ms, struct error *e) {
    return tx_cron_begin(tx, 1, STR("f"), str_from(text), now_ms, mark, e);
}

static bool begin_again(struct store_tx *tx, void *arg, struct error *e) { return begin_with(tx, arg, "* * * * *", 60, e); }
static bool begin_other(struct store_tx *tx, void *arg, struct error *e) { return begin_with(tx, arg, "5 * * * *", 60, e); }
static bool keep_none(struct store_tx *tx, void *arg, struct error *e) {
    return tx_cron_keep(tx, 1, (const struct str[]){STR("other")}, 1, e) && begin_with(tx, arg, "5 * * * *", 80, e);
}

Test(store, every_instant_is_accounted_for, .init = setup, .fini = teardown) {
    struct cron_mark mark;
    struct buf text;
    bool fresh = false;
    buf_init(&text, 1000);
    MUST(account_some, &mark);
    cr_assert(mark.accounted_ms == 5 && mark.run == 0);
    MUST(fire_the_first, &fresh);
    cr_assert(fresh);
    MUST(fire_the_first, &fresh);
    cr_assert(!fresh);
    MUST(outcomes, &text);
    cr_assert_str_eq(text.ptr, "40 queued 0 1,30 fired 99 1,20 merged 99 2,");
    buf_clear(&text);
    reopen();
    MUST(begin_again, &mark);
    cr_assert(mark.accounted_ms == 40 && mark.run == 99, "the mark is that of the newest instant");
    MUST(begin_other, &mark);
    cr_assert(mark.accounted_ms == 60 && mark.run == 99, "another schedule begins anew");
    MUST(queued_outcomes, &text);
    cr_assert_str_eq(text.ptr, "40 queued 0 1,");
    buf_clear(&text);
    MUST(keep_none, &mark);
    cr_assert(mark.accounted_ms == 80 && mark.run == 0);
    MUST(outcomes, &text);
    cr_assert_str_eq(text.ptr, "40 skipped 0 1,30 fired 99 1,20 merged 99 2,");
    buf_release(&text);
}

/* ---- state ---- */

struct put {
    const char *key, *value;
    int64_t ttl_ms, if_version, now_ms, version;
};
static bool put_state(struct store_tx *tx, void *arg, struct error *e) {
    struct put *p = arg;
    return tx_state_put(tx, 1, 'l', str_from(p->key), str_from(p->value), p->ttl_ms, p->if_version, p->now_ms, &p->version, e);
}
static bool get_state(struct store_tx *tx, void *arg, struct error *e) {
    struct put *p = arg;
    struct buf b;
    buf_init(&b, 100);
    bool ok = tx_state_get(tx, 1, 'l', str_from(p->key), p->now_ms, &b, &p->version, e) && str_is(buf_str(&b), p->value);
    buf_release(&b);
    return ok;
}
static bool delete_state(struct store_tx *tx, void *arg, struct error *e) {
    struct put *p = arg;
    bool was_there;
    bool ok = tx_state_delete(tx, 1, 'l', str_from(p->key), p->now_ms, &was_there, e);
    p->version = was_there;
    return ok;
}

Test(store, state_has_versions_that_never_come_twice, .init = setup, .fini = teardown) {
    struct put a = {.key = "a", .value = "1", .if_version = 0, .now_ms = 10};
    MUST(put_state, &a);
    int64_t first = a.version;
    cr_assert(!now(put_state, &a) && err.code == ERR_CONFLICT);
    a.if_version = first;
    a.value = "22";
    MUST(put_state, &a);
    cr_assert(a.version > first);
    int64_t second = a.version;
    a.version = 0;
    MUST(get_state, &a);
    cr_assert_eq(a.version, second);
    MUST(delete_state, &a);
    cr_assert_eq(a.version, 1);
    MUST(delete_state, &a);
    cr_assert_eq(a.version, 0, "it was gone already");
    cr_assert(!now(put_state, &a) && err.code == ERR_CONFLICT, "it has no version any more");
    a.if_version = 0;
    MUST(put_state, &a);
    cr_assert(a.version > second);
}

Test(store, state_is_gone_when_its_time_is, .init = setup, .fini = teardown) {
    struct put a = {.key = "a", .value = "1", .ttl_ms = 100, .if_version = -1, .now_ms = 10};
    MUST(put_state, &a);
    a.now_ms = 109;
    MUST(get_state, &a);
    a.now_ms = 110;
    cr_assert(!now(get_state, &a) && err.code == ERR_NOT_FOUND);
    a.if_version = 0;
    MUST(put_state, &a);
}

static char big[STATE_VALUE_MAX + 2];
static bool fill_state(struct store_tx *tx, void *arg, struct error *e) {
    int64_t *count = arg, version;
    char key[16];
    for (;; ++*count) {
        snprintf(key, sizeof key, "%08lld", (long long)*count);
        if (!tx_state_put(tx, 1, 'l', str_from(key), str_of(big, STATE_VALUE_MAX), 1000, -1, 1, &version, e))
            return e->code == ERR_LIMIT;
    }
}

Test(store, state_has_limits, .init = setup, .fini = teardown) {
    memset(big, 'x', sizeof big - 1);
    struct put a = {.key = "a", .value = big, .if_version = -1, .now_ms = 1};
    cr_assert(!now(put_state, &a) && err.code == ERR_TOO_LARGE);
    int64_t count = 0;
    MUST(fill_state, &count);
    cr_assert_eq(count, STATE_TOTAL_MAX / (STATE_VALUE_MAX + 8));
    big[STATE_VALUE_MAX] = 0;
    cr_assert(!now(put_state, &a) && err.code == ERR_LIMIT);
    struct put replaced = {.key = "00000000", .value = big, .if_version = -1, .now_ms = 1};
    MUST(put_state, &replaced);
    a.now_ms = 2000;
    MUST(put_state, &a); /* what is past its time makes room */
    int64_t again = 0;
    MUST(fill_state, &again);
    cr_assert_eq(again, count - 1);
}

static char listed[200];
static bool add_state(void *arg, struct str key, struct str value, int64_t version) {
    (void)arg;
    snprintf(listed + strlen(listed), sizeof listed - strlen(listed), STR_FMT "=" STR_FMT ";", STR_ARG(key), STR_ARG(value));
    return version > 0;
}
static bool list_state(struct store_tx *tx, void *arg, struct error *e) {
    int64_t version;
    static const char *const keys[] = {"a", "b/", "b/1", "b/2", "b/\xC3\xBC", "b0", "c"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (!tx_state_put(tx, 1, 'l', str_from(keys[i]), STR("v"), i == 3 ? 5 : 0, -1, 1, &version, e))
            return false;
    return tx_state_put(tx, 1, 'p', STR("b/p"), STR("v"), 0, -1, 1, &version, e) &&
           tx_state_put(tx, 2, 'l', STR("b/o"), STR("v"), 0, -1, 1, &version, e) &&
           tx_state_list(tx, 1, 'l', str_from(arg), 100, 10, add_state, NULL, e);
}

Test(store, state_lists_by_prefix, .init = setup, .fini = teardown) {
    MUST(list_state, (char[]){"b/"});
    cr_assert_str_eq(listed, "b/=v;b/1=v;b/\xC3\xBC=v;");
    listed[0] = 0;
    MUST(list_state, (char[]){"zz"});
    cr_assert_str_eq(listed, "");
}

/* ---- outbox and secrets ---- */

static bool add_outbox_id(void *arg, const struct outbox_row *row) {
    struct listing *x = arg;
    x->ids[x->count++] = row->id;
    return str_is(row->to, "duty") && str_is(row->content, "help") && str_is(row->operation, "page#1");
}
static bool outbox(struct store_tx *tx, void *arg, struct error *e) {
    struct listing *x = arg;
    struct outbox_row row = {.run = 1,
                             .time_ms = 2,
                             .flow = STR("f"),
                             .operation = STR("page#1"),
                             .kind = STR("page"),
                             .to = STR("duty"),
                             .content = STR("help")};
    return tx_outbox_add(tx, 1, &row, e) && tx_outbox_add(tx, 2, &row, e) && tx_outbox_add(tx, 1, &row, e) &&
           tx_outbox_clear(tx, 2, e) && tx_outbox_list(tx, 2, 0, 10, add_outbox_id, x, e) && x->count == 0 &&
           tx_outbox_list(tx, 1, 0, 10, add_outbox_id, x, e) && x->count == 2 &&
           tx_outbox_list(tx, 1, x->ids[0], 10, add_outbox_id, x, e) && x->count == 3 && x->ids[2] == x->ids[1];
}
static bool add_secret(void *arg, struct str name, struct str sealed, int64_t changed_ms) {
    snprintf(arg, 100, STR_FMT "=" STR_FMT "@%d", STR_ARG(name), STR_ARG(sealed), (int)changed_ms);
    return true;
}
static bool secrets(struct store_tx *tx, void *arg, struct error *e) {
    return tx_secret_put(tx, 1, 'l', STR("a"), STR("x"), 5, e) && tx_secret_put(tx, 1, 'l', STR("a"), STR("y"), 6, e) &&
           tx_secret_put(tx, 1, 'l', STR("b"), STR("z"), 7, e) && tx_secret_put(tx, 1, 'p', STR("c"), STR("z"), 7, e) &&
           tx_secret_delete(tx, 1, 'l', STR("b"), e) && tx_secret_list(tx, 1, 'l', add_secret, arg, e);
}

Test(store, outbox_and_secrets, .init = setup, .fini = teardown) {
    struct listing x = {.count = 0};
    char text[100] = "";
    MUST(outbox, &x);
    MUST(secrets, text);
    cr_assert_str_eq(text, "a=y@6");
}

/* ---- versions, and the end of a workspace ---- */

static bool add_version_number(void *arg, const struct version_row *row) {
    struct listing *x = arg;
    x->ids[x->count++] = row->number;
    return true;
}
static bool versions(struct store_tx *tx, void *arg, struct error *e) {
    struct listing *x = arg;
    struct version_row row = {.flow = STR("f"), .author = STR("Ada"), .content = STR("{}")};
    for (int i = 0; i < VERSIONS_MAX + 2; i++)
        if (!tx_version_add(tx, 1, &row, e) || row.number != i + 1)
            return false;
    struct version_row other = {.flow = STR("f"), .content = STR("{}"), .release = 3};
    return tx_version_add(tx, 2, &other, e) && other.number == 1 && tx_version_set_release(tx, 1, STR("f"), 5, 9, e) &&
           tx_version_list(tx, 1, STR("f"), 5, 10, add_version_number, x, e) && x->count == 2 && x->ids[0] == 4 &&
           x->ids[1] == 3 && tx_version_newest(tx, 1, false, add_version_number, x, e) && x->count == 3 &&
           x->ids[2] == VERSIONS_MAX + 2 && tx_version_newest(tx, 1, true, add_version_number, x, e) && x->count == 4 &&
           x->ids[3] == 5;
}
Test(store, versions_are_numbered_for_each_flow_and_the_oldest_go, .init = setup, .fini = teardown) {
    struct listing x = {.count = 0};
    MUST(versions, &x);
}

static bool delete_workspace(struct store_tx *tx, void *arg, struct error *e) {
    struct listing *x = arg;
    struct version_row row = {.flow = STR("f"), .content = STR("{}")};
    int64_t first, again;
    return tx_workspace_put(tx, STR("a"), 'p', &first, e) && tx_version_add(tx, first, &row, e) &&
           tx_workspace_delete(tx, first, e) && tx_version_list(tx, first, STR("f"), 0, 10, add_version_number, x, e) &&
           x->count == 0 && tx_workspace_put(tx, STR("a"), 'p', &again, e) && again > first;
}
Test(store, a_deleted_workspace_leaves_nothing_and_its_number_is_not_given_again, .init = setup, .fini = teardown) {
    struct listing x = {.count = 0};
    MUST(delete_workspace, &x);
}

/* ---- files that must not be opened ---- */

static void refuses(enum error_code code, const char *says) {
    struct store *opened = store_open(l, dir, &err);
    cr_assert(!opened);
    cr_assert_eq(err.code, code, "%s", err.text);
    cr_assert(strstr(err.text, says), "%s", err.text);
}
static void sql(const char *text) {
    char path[128];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/flowlet.db", dir);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static int64_t schema_version(void) {
    char path[128];
    int64_t version = 0;
    snprintf(path, sizeof path, "%s/flowlet.db", dir);
    struct store_tx *t = tx_open(path, NULL, true, &err);
    cr_assert(tx_int(t, "PRAGMA user_version", &version, &err));
    tx_close(t);
    return version;
}

Test(store, second_server_is_told_who_holds_it, .init = setup, .fini = teardown) {
    char pid[32];
    snprintf(pid, sizeof pid, "process %d)", (int)getpid());
    refuses(ERR_CONFLICT, pid);
    refuses(ERR_CONFLICT, dir);
}

Test(store, newer_and_foreign_files_are_refused, .init = setup, .fini = teardown) {
    char version[80];
    MUST(put_meta, (char[]){"a"});
    store_close(s);
    s = NULL;
    snprintf(version, sizeof version, "PRAGMA user_version = %lld", (long long)schema_version());
    sql("PRAGMA user_version = 99");
    refuses(ERR_NEWER, "newer Flowlet");
    sql(version);
    sql("PRAGMA application_id = 7");
    refuses(ERR_INVALID, "another program");
    sql("PRAGMA application_id = 1181511543");
    must_open();
    cr_assert(has_meta("a"), "refusing changed nothing");
}

/* Which page a table starts on. */
static long root_page(const char *table) {
    char path[128];
    int64_t page;
    snprintf(path, sizeof path, "%s/flowlet.db", dir);
    struct store_tx *t = tx_open(path, NULL, true, &err);
    struct rows r = tx_query(t, "SELECT rootpage FROM sqlite_schema WHERE name = ?", "t", str_from(table));
    cr_assert(rows_next(&r));
    page = rows_int(&r, 0);
    cr_assert(rows_close(&r, &err));
    tx_close(t);
    return (long)page;
}

Test(store, damaged_files_are_refused, .init = setup, .fini = teardown) {
    char path[128], bytes[4096];
    store_close(s);
    s = NULL;
    snprintf(path, sizeof path, "%s/flowlet.db", dir);
    memset(bytes, 0xA5, sizeof bytes);
    long pages[] = {root_page("secrets"), root_page("accepted"), 1};
    FILE *f = fopen(path, "r+");
    cr_assert(f);
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        fseek(f, (pages[i] - 1) * 4096, SEEK_SET);
        fwrite(bytes, 1, sizeof bytes, f);
        fflush(f);
        refuses(ERR_CORRUPT, "damaged");
    }
    cr_assert_eq(ftruncate(fileno(f), 100), 0);
    refuses(ERR_CORRUPT, "backup");
    fclose(f);
}

Test(store, directory_that_is_not_there, .init = setup, .fini = teardown) {
    cr_assert(!store_open(l, "/nonexistent/flowlet", &err));
    struct stat st;
    char path[128];
    snprintf(path, sizeof path, "%s/flowlet.db", dir);
    cr_assert(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "nobody else may read it");
}

/* ---- kill -9 ---- */

static int acks;
static int64_t chain_next;
static bool put_two(struct store_tx *tx, void *arg, struct error *e) {
    char a[32], b[32];
    snprintf(a, sizeof a, "a%lld", (long long)(intptr_t)arg);
    snprintf(b, sizeof b, "b%lld", (long long)(intptr_t)arg);
    return tx_meta_put(tx, a, STR("1"), e) && tx_meta_put(tx, b, STR("1"), e);
}
static void chain(void *arg, const struct error *e) {
    int64_t id = (intptr_t)arg;
    if (e || write(acks, &id, sizeof id) != sizeof id)
        _exit(1);
    store_write(s, put_two, chain, (void *)(intptr_t)++chain_next);
}
static void write_until_killed(void) {
    l = loop_new();
    s = store_open(l, dir, &err);
    if (!s)
        _exit(2);
    chain_next += 5;
    for (int64_t i = chain_next - 4; i <= chain_next; i++)
        store_write(s, put_two, chain, (void *)(intptr_t)i);
    loop_run(l);
    _exit(3);
}
struct pairs {
    int64_t acked[100000];
    size_t count;
    int lost, halves;
};
static bool has(struct store_tx *tx, char which, int64_t id) {
    char key[32];
    struct error e;
    struct buf b;
    buf_init(&b, 10);
    snprintf(key, sizeof key, "%c%lld", which, (long long)id);
    bool found = tx_meta_get(tx, key, &b, &e);
    buf_release(&b);
    return found;
}
static bool count_pairs(struct store_tx *tx, void *arg, struct error *e) {
    struct pairs *p = arg;
    (void)e;
    for (size_t i = 0; i < p->count; i++)
        p->lost += !has(tx, 'a', p->acked[i]);
    for (int64_t id = 1; id <= chain_next + 100; id++)
        p->halves += has(tx, 'a', id) != has(tx, 'b', id);
    return true;
}

Test(store, kill_9_loses_nothing_that_was_acknowledged) {
    static struct pairs p;
    dir_make();
    for (int kills = 0; kills < 6; kills++) {
        int ends[2], status;
        int64_t id;
        cr_assert_eq(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            close(ends[0]);
            acks = ends[1];
            write_until_killed();
        }
        close(ends[1]);
        for (int n = 0; n < 20 + kills * 37 && read(ends[0], &id, sizeof id) == sizeof id; n++)
            p.acked[p.count++] = id;
        kill(child, SIGKILL);
        while (read(ends[0], &id, sizeof id) == sizeof id)
            p.acked[p.count++] = id;
        cr_assert(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "status %x", status);
        close(ends[0]);
        for (size_t i = 0; i < p.count; i++)
            chain_next = p.acked[i] > chain_next ? p.acked[i] : chain_next;
        chain_next += 100;
    }
    l = loop_new();
    must_open();
    MUST(count_pairs, &p);
    cr_assert(p.count > 200);
    cr_assert_eq(p.lost, 0, "%d of %zu", p.lost, p.count);
    cr_assert_eq(p.halves, 0);
    teardown();
}

/* ---- pruning ---- */

static struct store_tx *tx;
static int64_t count_rows(const char *query) {
    int64_t n = -1;
    cr_assert(tx_int(tx, query, &n, &err), "%s", err.text);
    return n;
}
static void prune(const struct prune_limits *limits, int64_t now_ms) {
    for (bool more = true; more;)
        cr_assert(prune_step(tx, limits, now_ms, &more, &err), "%s", err.text);
}

static char page_text[8000];
/* Runs of the workspace, a second apart, one of them durable in each ten. */
static void fill_history(int64_t workspace, int runs) {
    for (int i = 1; i <= runs; i++) {
        struct run_row row = sample((int64_t)i * 4096000 + workspace);
        const struct run_row *page = &row;
        row.workspace = workspace;
        row.started_ms = i * 1000;
        row.history = str_of(page_text, sizeof page_text);
        row.durable = i % 10 == 0;
        if (row.durable) {
            row.history = STR("");
            cr_assert(tx_run_put(tx, &row, &err) && tx_run_end(tx, row.id, RUN_DONE, 9, STR(""), str_of(page_text, 8000), &err));
        } else {
            cr_assert(pages_put(tx, &page, 1, &err), "%s", err.text);
        }
    }
}
static int64_t oldest(const char *query) { return count_rows(query) / 4096000; }

Test(store, each_workspace_keeps_so_much_and_the_rest_of_the_file_goes) {
    char path[128];
    int64_t id;
    dir_make();
    memset(page_text, 'x', sizeof page_text);
    snprintf(path, sizeof path, "%s/flowlet.db", dir);
    tx = tx_open(path, NULL, false, &err);
    cr_assert(tx && schema_prepare(tx, path, &err), "%s", err.text);
    cr_assert(tx_workspace_put(tx, STR("one"), 'l', &id, &err) && tx_workspace_put(tx, STR("two"), 'l', &id, &err));
    cr_assert(tx_exec(tx, &err, "BEGIN", ""));
    fill_history(1, 2000);
    fill_history(2, 100);
    cr_assert(tx_exec(tx, &err, "COMMIT", ""));
    int64_t pages = count_rows("PRAGMA page_count");
    struct prune_limits limits = prune_defaults;
    limits.history.bytes = 1000 * 1000;
    prune(&limits, 2000 * 1000);
    cr_assert_eq(count_rows("SELECT bytes FROM history WHERE workspace = 1"),
                 count_rows("SELECT (SELECT sum(length(history)) FROM runs WHERE workspace = 1) + "
                            "(SELECT sum(length(heads) + length(records)) FROM pages WHERE workspace = 1)"));
    cr_assert_leq(count_rows("SELECT bytes FROM history WHERE workspace = 1"), limits.history.bytes);
    cr_assert_gt(count_rows("SELECT bytes FROM history WHERE workspace = 1"), limits.history.bytes / 2, "no more than it must");
    cr_assert_eq(count_rows("SELECT sum(runs) FROM pages WHERE workspace = 2"), 90, "the other one is not large");
    int64_t row = oldest("SELECT min(id) FROM runs WHERE workspace = 1"),
            page = oldest("SELECT min(last) FROM pages WHERE workspace = 1");
    cr_assert(row - page < 20 && page - row < 20, "both kinds are as old: %lld, %lld", (long long)row, (long long)page);
    cr_assert_lt(count_rows("PRAGMA page_count"), pages / 4, "of %lld pages", (long long)pages);
    tx_close(tx);
    dir_drop();
}

Test(store, what_grows_old_goes_and_nothing_else) {
    const int64_t day = 24 * 3600 * 1000, now_ms = 100 * day;
    char path[128];
    int64_t out, version;
    bool fresh;
    dir_make();
    snprintf(path, sizeof path, "%s/flowlet.db", dir);
    tx = tx_open(path, NULL, false, &err);
    cr_assert(tx && schema_prepare(tx, path, &err), "%s", err.text);
    cr_assert(tx_workspace_put(tx, STR("w"), 'l', &out, &err));
    for (int i = 0; i < 60; i++)
        cr_assert(tx_release_put(tx, 1, STR("f"), STR("c"), &out, &err));
    for (int i = 1; i <= 1000; i++) {
        struct run_row row = sample(i);
        row.started_ms = i <= 900 ? now_ms - 31 * day : now_ms - day;
        row.durable = i == 5;
        row.release = 3;
        row.accepted = i == 5 ? STR("sealed") : STR("");
        cr_assert(tx_run_put(tx, &row, &err));
        row.id += 1000;
        const struct run_row *page = &row;
        if (i % 10 == 0)
            cr_assert(pages_put(tx, &page, 1, &err));
    }
    cr_assert(tx_delivery_claim(tx, 1, 'l', STR("f"), STR("old"), 1, now_ms - 8 * day, &out, &err));
    cr_assert(tx_delivery_claim(tx, 1, 'l', STR("f"), STR("new"), 1, now_ms - 6 * day, &out, &err));
    struct cron_row queued = {.instant_ms = now_ms - 10 * day, .outcome = CRON_QUEUED, .instants = 1};
    cr_assert(tx_cron_account(tx, 1, STR("f"), &queued, 1, &err));
    cr_assert(tx_cron_fire(tx, 1, STR("f"), now_ms - 8 * day, 1, now_ms, &fresh, &err));
    cr_assert(tx_state_put(tx, 1, 'l', STR("gone"), STR("1"), 5, -1, now_ms - 10, &version, &err));
    cr_assert(tx_state_put(tx, 1, 'l', STR("kept"), STR("12"), 50, -1, now_ms - 10, &version, &err));
    cr_assert(tx_outbox_add(tx, 1, &(struct outbox_row){.time_ms = now_ms - 31 * day}, &err));
    prune(&prune_defaults, now_ms);
    cr_assert_eq(count_rows("SELECT count(*) FROM runs"), 101, "the young ones and the open one");
    cr_assert_eq(count_rows("SELECT count(*) FROM runs WHERE id = 5"), 1);
    cr_assert_eq(count_rows("SELECT count(*) FROM pages"), 10);
    cr_assert_eq(count_rows("SELECT count(*) FROM deliveries WHERE key = x'6e6577'"), 1);
    cr_assert_eq(count_rows("SELECT count(*) FROM deliveries"), 1);
    cr_assert_eq(count_rows("SELECT instant_ms FROM cron"), now_ms - 10 * day, "what waits for its run stays");
    cr_assert_eq(count_rows("SELECT count(*) FROM cron"), 1);
    cr_assert_eq(count_rows("SELECT count(*) FROM state"), 1);
    cr_assert_eq(count_rows("SELECT bytes FROM state_totals"), 6);
    cr_assert_eq(count_rows("SELECT count(*) FROM outbox"), 0);
    cr_assert_eq(count_rows("SELECT count(*) FROM releases"), 51, "the newest 50 and that of the open run");
    struct prune_limits small = prune_defaults;
    cr_assert(history_count(tx, 1, 10000000, &err), "%s", err.text);
    small.history.bytes = 0;
    prune(&small, now_ms);
    cr_assert_eq(count_rows("SELECT count(*) FROM runs"), 1, "too large: all but the open one");
    cr_assert_eq(count_rows("SELECT count(*) FROM pages"), 0);
    tx_close(tx);
    dir_drop();
}
