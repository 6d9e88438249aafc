/* waits.c — runs that only wait hold no worker (semantics 25).
 *
 *     RUNNING --all its operations are waits--> PARK to the worker, which answers PARKED once it has done all that was
 *     sent before --still so--> PARKING --its row is committed--> gone from memory but for its id
 *       --due, in pages of the earliest--> LOADING, as after a restart: its journal is read, its waits go on
 *
 * A wait of some seconds is not worth that. A run that somebody waits for stays. At most WOKEN_MAX that were woken are under
 * way, so that a hundred thousand that are due at once do not stand in memory together. */
#include "base/clock.h"
#include "base/log.h"
#include "run/operation.h"
#include "store/waits.h"

#define PARK_MIN_MS 3000
#define WOKEN_MAX 512
#define PAGE_MAX 256
#define LOOK_MS 1000 /* at most: the wall clock may be set */

struct waits {
    struct runs *rs;
    struct map parked; /* id -> (void *)1 */
    struct timer timer;
    int64_t next_ms; /* when the first one is due, of the wall clock; 0: none */
    bool taking;     /* a page is on its way */
    unsigned woken;
};

/* ---- parking ---- */

/* When the first of them is over; 0: there is something else under way, or nothing. */
static int64_t waits_until(const struct run *r) {
    int64_t first = INT64_MAX;
    for (const struct operation *o = r->operations; o; o = o->next) {
        if (!o->due_ms || !o->under_way || o->ready)
            return 0;
        first = o->due_ms < first ? o->due_ms : first;
    }
    return r->parked ? first : 0;
}

static bool may_park(const struct run *r) {
    if (!r->durable || r->phase != PHASE_RUNNING || r->stopped || r->overflowed || r->on_answered || r->on_ended)
        return false;
    return waits_until(r) - clock_now_ms() >= PARK_MIN_MS;
}

void run_park_if_idle(struct run *r) {
    if (!r->parked || !may_park(r))
        return;
    struct frame_writer f = worker_frame(r->worker, FRAME_PARK, r->id);
    if (worker_send(r->worker, &f))
        r->park_asked++;
}

struct park {
    struct journal_work work;
    struct runs *runs;
    uint64_t run;
    int64_t due_ms, left_ms;
};

static bool park_work(struct store_tx *tx, void *arg, struct error *err) {
    const struct park *p = container_of((struct journal_work *)arg, struct park, work);
    return tx_wait_put(tx, (int64_t)p->run, p->due_ms, p->left_ms, err);
}

static void look_soon(struct waits *w) {
    int64_t wait = w->next_ms - clock_now_ms();
    timer_start(&w->timer, wait < 0 ? 0 : wait > LOOK_MS ? LOOK_MS : wait);
}

static void look_at(struct waits *w, int64_t due_ms) {
    if (due_ms && (!w->next_ms || due_ms < w->next_ms))
        w->next_ms = due_ms;
    if (w->next_ms && !w->taking)
        look_soon(w);
}

static void on_parked(struct journal_work *work, const struct error *err) {
    struct park *p = container_of(work, struct park, work);
    struct run *r = runs_find(p->runs, p->run);
    if (r && !err) { /* with err it is stalled, and goes on from its journal */
        struct waits *w = p->runs->waits;
        char until[CLOCK_TEXT_MAX];
        clock_write(p->due_ms, until);
        events_add(p->runs->events, r, "waiting", (struct str){NULL, 0}, str_from(until));
        map_set(&w->parked, map_key(&r->id), (void *)1);
        run_free(r);
        look_at(w, p->due_ms);
    }
    free(p);
}

bool run_parked(struct run *r) {
    if (!r->park_asked)
        return false;
    if (--r->park_asked || !may_park(r))
        return true; /* something happened meanwhile */
    struct park *p = mem_alloc(sizeof *p);
    *p = (struct park){.work = {.work = park_work, .done = on_parked},
                       .runs = r->runs,
                       .run = r->id,
                       .due_ms = waits_until(r),
                       .left_ms = run_time_left(r)};
    run_detach(r, true);
    r->phase = PHASE_PARKING;
    journal_commit(r, &p->work);
    return true;
}

/* ---- waking ---- */

struct woken {
    struct woken *next;
    struct wait_row row;
};

/* On its way from the store: those that are due, or one. */
struct page {
    struct waits *waits;
    struct arena arena;
    struct woken *first, **last;
    int64_t now_ms, next_ms;
    int limit;
    uint64_t canceled; /* only this one, to be canceled; 0: those that are due */
};

static struct page *page_new(struct waits *w) {
    struct page *p = mem_alloc(sizeof *p);
    *p = (struct page){.waits = w, .last = &p->first};
    arena_init(&p->arena);
    return p;
}

static void add_to_page(void *arg, const struct wait_row *row) {
    struct page *p = arg;
    struct woken *one = *p->last = arena_alloc(&p->arena, sizeof *one);
    one->row = *row;
    one->row.run.flow = arena_str(&p->arena, row->run.flow);
    one->row.run.trigger = arena_str(&p->arena, row->run.trigger);
    p->last = &one->next;
}

struct run *waits_wake(struct waits *w, const struct wait_row *row) {
    uint64_t id = (uint64_t)row->run.id;
    map_remove(&w->parked, map_key(&id));
    struct run *r = run_resume(w->rs, &row->run);
    if (r) {
        r->left_ms = row->left_ms;
        r->woken = true;
        w->woken++;
    }
    return r;
}

static void page_free(struct page *p) {
    arena_release(&p->arena);
    free(p);
}

static bool due_work(struct store_tx *tx, void *arg, struct error *err) {
    struct page *p = arg;
    return tx_wait_take(tx, p->now_ms, p->limit, add_to_page, p, &p->next_ms, err);
}

static void on_due_taken(void *arg, const struct error *err) {
    struct page *p = arg;
    struct waits *w = p->waits;
    w->taking = false;
    for (struct woken *one = p->first; one && !err; one = one->next)
        waits_wake(w, &one->row);
    if (!err)
        w->next_ms = p->next_ms;
    page_free(p);
    if (err)
        timer_start(&w->timer, LOOK_MS);
    else
        look_at(w, 0);
}

static unsigned room(const struct waits *w) {
    size_t open = w->rs->open.count, max = w->rs->env.max_runs;
    size_t most = open < max ? max - open : 0, left = w->woken < WOKEN_MAX ? WOKEN_MAX - w->woken : 0;
    most = most < left ? most : left;
    return most < PAGE_MAX ? (unsigned)most : PAGE_MAX;
}

static void on_look(struct timer *t) {
    struct waits *w = container_of(t, struct waits, timer);
    int64_t now = clock_now_ms();
    if (w->taking || !w->next_ms)
        return;
    if (w->next_ms > now || !room(w)) { /* without room the next run that is over looks again */
        timer_start(&w->timer, room(w) && w->next_ms - now < LOOK_MS ? w->next_ms - now : LOOK_MS);
        return;
    }
    struct page *p = page_new(w);
    p->now_ms = now;
    p->limit = (int)room(w);
    w->taking = true;
    store_write(w->rs->env.store, due_work, on_due_taken, p);
}

void waits_forget(struct waits *w) {
    w->woken--;
    look_at(w, 0);
}

/* ---- canceling ---- */

static bool cancel_work(struct store_tx *tx, void *arg, struct error *err) {
    struct page *p = arg;
    return tx_wait_take_one(tx, (int64_t)p->canceled, add_to_page, p, err);
}

static void on_cancel_taken(void *arg, const struct error *err) {
    struct page *p = arg;
    struct error ignored;
    if (!err) {
        struct run *r = waits_wake(p->waits, &p->first->row);
        if (r)
            r->canceled = true;
    } else if (!runs_cancel(p->waits->rs, p->canceled, &ignored)) { /* it woke by itself, and perhaps has ended */
        log_info("run", "run=%014llx event=not_canceled why=%s", (unsigned long long)p->canceled, log_quote(str_from(err->text)));
    }
    page_free(p);
}

bool waits_cancel(struct waits *w, uint64_t run) {
    if (!waits_has(w, run))
        return false;
    struct page *p = page_new(w);
    p->canceled = run;
    store_write(w->rs->env.store, cancel_work, on_cancel_taken, p);
    return true;
}

/* ---- all of them ---- */

bool waits_has(const struct waits *w, uint64_t run) { return map_find(&w->parked, map_key(&run)) != NULL; }
size_t waits_count(const struct waits *w) { return w->parked.count; }

static void add_id(void *arg, int64_t run) {
    struct waits *w = arg;
    uint64_t id = (uint64_t)run;
    map_set(&w->parked, map_key(&id), (void *)1);
}

static bool list_work(struct store_tx *tx, void *arg, struct error *err) { return tx_wait_list(tx, add_id, arg, err); }

struct waits *waits_new(struct runs *rs) {
    struct waits *w = mem_alloc(sizeof *w);
    w->rs = rs;
    map_init(&w->parked);
    timer_init(&w->timer, rs->env.loop, on_look);
    return w;
}

bool waits_load(struct waits *w, struct error *err) {
    bool ok = store_write_now(w->rs->env.store, list_work, w, err);
    if (ok && w->parked.count)
        look_at(w, 1);
    return ok;
}

void waits_free(struct waits *w) {
    timer_stop(&w->timer);
    map_release(&w->parked);
    free(w);
}
