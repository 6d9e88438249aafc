/* loop.c — see loop.h. */
#include "net/loop.h"

#include <pthread.h>

struct post {
    struct post *next;
    loop_fn *fn;
    void *arg;
};

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    uv_prepare_t before_sleep;
    uv_timer_t timer;
    pthread_mutex_t lock; /* guards posts */
    struct post *first, **last;
    struct loop_flush *flushes;
    struct timer **heap; /* a binary heap by due_ms */
    size_t timers, heap_cap;
    int64_t armed_ms; /* when libuv's timer fires; INT64_MAX: it does not run */
};

static void run_posts(struct loop *l) {
    pthread_mutex_lock(&l->lock);
    struct post *p = l->first;
    l->first = NULL;
    l->last = &l->first;
    pthread_mutex_unlock(&l->lock);
    while (p) {
        struct post *next = p->next;
        p->fn(p->arg);
        free(p);
        p = next;
    }
}

static void on_wake(uv_async_t *a) { run_posts(container_of(a, struct loop, wake)); }

static void on_before_sleep(uv_prepare_t *p) {
    struct loop *l = container_of(p, struct loop, before_sleep);
    while (l->flushes) {
        struct loop_flush *f = l->flushes;
        l->flushes = f->next;
        f->queued = false;
        f->fn(f->arg);
    }
}

static void arm(struct loop *l);

static void on_timer(uv_timer_t *t) {
    struct loop *l = container_of(t, struct loop, timer);
    /* Only those due now: one that a callback starts anew waits for a later turn. */
    int64_t now = loop_now_ms(l);
    l->armed_ms = INT64_MAX;
    while (l->timers && l->heap[0]->due_ms <= now) {
        struct timer *due = l->heap[0];
        timer_stop(due);
        due->fn(due);
    }
    arm(l);
}

struct loop *loop_new(void) {
    struct loop *l = mem_alloc(sizeof *l);
    l->last = &l->first;
    l->armed_ms = INT64_MAX;
    pthread_mutex_init(&l->lock, NULL);
    ENSURE(uv_loop_init(&l->uv) == 0);
    ENSURE(uv_async_init(&l->uv, &l->wake, on_wake) == 0);
    uv_prepare_init(&l->uv, &l->before_sleep);
    uv_prepare_start(&l->before_sleep, on_before_sleep);
    uv_timer_init(&l->uv, &l->timer);
    return l;
}

void loop_free(struct loop *l) {
    if (!l)
        return;
    run_posts(l);
    uv_close((uv_handle_t *)&l->wake, NULL);
    uv_close((uv_handle_t *)&l->before_sleep, NULL);
    uv_close((uv_handle_t *)&l->timer, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    ENSURE(uv_loop_close(&l->uv) == 0);
    ENSURE(l->timers == 0);
    pthread_mutex_destroy(&l->lock);
    free(l->heap);
    free(l);
}

uv_loop_t *loop_uv(struct loop *l) { return &l->uv; }
void loop_run(struct loop *l) { uv_run(&l->uv, UV_RUN_DEFAULT); }
void loop_stop(struct loop *l) { uv_stop(&l->uv); }
int64_t loop_now_ms(const struct loop *l) { return (int64_t)uv_now(&l->uv); }

void loop_post(struct loop *l, loop_fn *fn, void *arg) {
    struct post *p = mem_alloc(sizeof *p);
    p->fn = fn;
    p->arg = arg;
    pthread_mutex_lock(&l->lock);
    bool first = !l->first;
    *l->last = p;
    l->last = &p->next;
    pthread_mutex_unlock(&l->lock);
    if (first)
        uv_async_send(&l->wake);
}

void loop_flush_add(struct loop *l, struct loop_flush *f) {
    if (f->queued)
        return;
    f->queued = true;
    f->next = l->flushes;
    l->flushes = f;
}

void loop_flush_remove(struct loop *l, struct loop_flush *f) {
    for (struct loop_flush **at = &l->flushes; *at; at = &(*at)->next)
        if (*at == f) {
            *at = f->next;
            f->queued = false;
            return;
        }
}

static void put(struct loop *l, size_t i, struct timer *t) {
    l->heap[i] = t;
    t->place = i + 1;
}

static void move_up(struct loop *l, size_t i) {
    struct timer *t = l->heap[i];
    for (; i && l->heap[(i - 1) / 2]->due_ms > t->due_ms; i = (i - 1) / 2)
        put(l, i, l->heap[(i - 1) / 2]);
    put(l, i, t);
}

static void move_down(struct loop *l, size_t i) {
    struct timer *t = l->heap[i];
    for (size_t child; (child = i * 2 + 1) < l->timers; i = child) {
        if (child + 1 < l->timers && l->heap[child + 1]->due_ms < l->heap[child]->due_ms)
            child++;
        if (l->heap[child]->due_ms >= t->due_ms)
            break;
        put(l, i, l->heap[child]);
    }
    put(l, i, t);
}

/* libuv's one timer stands at the first of ours or before it: most timers are stopped long before they are due, and the one
 * that comes for nothing costs less than moving it each time. */
static void arm(struct loop *l) {
    if (!l->timers || l->armed_ms <= l->heap[0]->due_ms)
        return;
    int64_t delay = l->heap[0]->due_ms - loop_now_ms(l);
    l->armed_ms = l->heap[0]->due_ms;
    uv_timer_start(&l->timer, on_timer, delay > 0 ? (uint64_t)delay : 0, 0);
}

void timer_init(struct timer *t, struct loop *l, void (*fn)(struct timer *t)) { *t = (struct timer){.loop = l, .fn = fn}; }

void timer_start(struct timer *t, int64_t delay_ms) {
    struct loop *l = t->loop;
    timer_stop(t);
    if (l->timers == l->heap_cap) {
        l->heap_cap = l->heap_cap ? l->heap_cap * 2 : 64;
        l->heap = mem_realloc(l->heap, l->heap_cap * sizeof(struct timer *));
    }
    t->due_ms = loop_now_ms(l) + (delay_ms > 0 ? delay_ms : 0) + (delay_ms <= 0);
    put(l, l->timers, t);
    move_up(l, l->timers++);
    arm(l);
}

void timer_stop(struct timer *t) {
    if (!t->place)
        return;
    struct loop *l = t->loop;
    size_t i = t->place - 1;
    t->place = 0;
    struct timer *last = l->heap[--l->timers];
    if (last != t) {
        put(l, i, last);
        move_up(l, i);
        move_down(l, last->place - 1);
    }
}
