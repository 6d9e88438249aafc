/* store/waits.h: runs that only wait leave in the order of their due times, once, and come back as they were. */
#include <criterion/criterion.h>
#include <unistd.h>

#include "store/waits.h"

static struct loop *l;
static struct store *s;
static char dir[64];
static struct error err;

static void setup(void) {
    snprintf(dir, sizeof dir, "/tmp/flowlet-waits-XXXXXX");
    cr_assert(mkdtemp(dir));
    l = loop_new();
    cr_assert(s = store_open(l, dir, &err), "%s", err.text);
}

static void teardown(void) {
    char command[128];
    store_close(s);
    loop_free(l);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    cr_assert_eq(system(command), 0);
}

static bool park(struct store_tx *tx, int64_t run, int64_t due_ms, struct error *e) {
    struct run_row row = {.id = run,
                          .workspace = 1,
                          .release = 7,
                          .flow = STR("nap"),
                          .mode = 'l',
                          .durable = true,
                          .trigger = STR("api"),
                          .started_ms = 50 + run,
                          .accepted = STR("sealed")};
    return tx_run_put(tx, &row, e) && tx_wait_put(tx, run, due_ms, 900 + run, e);
}

static bool park_all(struct store_tx *tx, void *arg, struct error *e) {
    (void)arg;
    return park(tx, 1, 300, e) && park(tx, 2, 100, e) && park(tx, 3, 200, e) && park(tx, 4, 400, e) && park(tx, 4, 500, e);
}

struct seen {
    int64_t now_ms, next_ms, runs[10];
    size_t count;
    bool odd; /* a row is not as it was put */
};

static void see(void *arg, const struct wait_row *row) {
    struct seen *seen = arg;
    const struct run_row *r = &row->run;
    seen->odd |= row->left_ms != 900 + r->id || r->started_ms != 50 + r->id || r->workspace != 1 || r->release != 7 ||
                 r->mode != 'l' || !r->durable || !str_is(r->flow, "nap") || !str_is(r->trigger, "api");
    seen->runs[seen->count++] = r->id;
}
static void see_id(void *arg, int64_t run) {
    struct seen *seen = arg;
    seen->runs[seen->count++] = run;
}
static bool see_open(void *arg, const struct run_row *row) {
    see_id(arg, row->id);
    return true;
}

static bool take(struct store_tx *tx, void *arg, struct error *e) {
    struct seen *seen = arg;
    return tx_wait_take(tx, seen->now_ms, 2, see, seen, &seen->next_ms, e);
}
static bool take_4(struct store_tx *tx, void *arg, struct error *e) { return tx_wait_take_one(tx, 4, see, arg, e); }
static bool list(struct store_tx *tx, void *arg, struct error *e) { return tx_wait_list(tx, see_id, arg, e); }
static bool list_open(struct store_tx *tx, void *arg, struct error *e) { return tx_run_list_open(tx, see_open, arg, e); }

#define MUST(fn, arg) cr_assert(store_write_now(s, fn, arg, &err), "%s", err.text)

Test(waits, those_that_are_due_wake_in_their_order_once, .init = setup, .fini = teardown) {
    MUST(park_all, NULL);
    struct seen first = {.now_ms = 350}, second = {.now_ms = 350}, third = {.now_ms = 350};
    MUST(take, &first);
    cr_assert(first.count == 2 && first.runs[0] == 2 && first.runs[1] == 3 && !first.odd && first.next_ms == 300);
    MUST(take, &second);
    cr_assert(second.count == 1 && second.runs[0] == 1 && second.next_ms == 500);
    MUST(take, &third);
    cr_assert(third.count == 0 && third.next_ms == 500);
    MUST(take_4, &third);
    cr_assert(third.count == 1 && !third.odd);
    cr_assert(!store_write_now(s, take_4, &third, &err) && err.code == ERR_NOT_FOUND);
}

Test(waits, what_is_parked_is_not_resumed_with_the_others, .init = setup, .fini = teardown) {
    MUST(park_all, NULL);
    struct seen parked = {0}, open = {0}, taken = {.now_ms = 100};
    MUST(take, &taken);
    MUST(list, &parked);
    MUST(list_open, &open);
    cr_assert(parked.count == 3 && open.count == 1 && open.runs[0] == 2);
}
