/* loop.h — the event loop: libuv, with three things it lacks.
 *
 *     loop_post(l, fn, arg);      run fn on the loop's thread, from any thread
 *     loop_flush_add(l, &flush);  call me once before the loop next goes to sleep
 *     timer_start(&t, 250);       timers that may be freed as soon as they are stopped
 *
 * One thread runs the loop; everything here but loop_post is for that thread only.
 * Modules use libuv directly (loop_uv) for descriptors and processes. */
#ifndef FLOWLET_LOOP_H
#define FLOWLET_LOOP_H

#include <uv.h>

#include "base/error.h"

struct loop;
struct loop *loop_new(void);
/* Everything must have been closed; pending posts are run first. Takes NULL. */
void loop_free(struct loop *l);
uv_loop_t *loop_uv(struct loop *l);
/* Until loop_stop and all handles that keep it alive are closed. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* Milliseconds of the monotonic clock as of this turn; cheap. */
int64_t loop_now_ms(const struct loop *l);

typedef void loop_fn(void *arg);
void loop_post(struct loop *l, loop_fn *fn, void *arg);

/* Batches: what a turn collected is sent in one go. Embed it; fn is called once per
 * loop_flush_add, at the end of the turn. Adding it again before that does nothing. */
struct loop_flush {
    loop_fn *fn;
    void *arg;
    struct loop_flush *next;
    bool queued;
};
void loop_flush_add(struct loop *l, struct loop_flush *f);
void loop_flush_remove(struct loop *l, struct loop_flush *f);

/* A timer to embed. After timer_stop (or after it fired) it is silent and its memory may go. */
struct timer {
    struct loop *loop;
    void (*fn)(struct timer *t);
    int64_t due_ms;
    size_t place; /* in the heap, plus one; 0: not running */
};
void timer_init(struct timer *t, struct loop *l, void (*fn)(struct timer *t));
/* Fires once in delay_ms (at once still means in a later turn). Starting again moves it. */
void timer_start(struct timer *t, int64_t delay_ms);
void timer_stop(struct timer *t);
static inline bool timer_is_running(const struct timer *t) { return t->place != 0; }

#endif
