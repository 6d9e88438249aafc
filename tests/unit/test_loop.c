/* The loop's timers and posts. */
#include <criterion/criterion.h>
#include <pthread.h>

#include "net/loop.h"

static struct loop *l;
static struct timer timers[100];
static int order[100], fired;

static void on_timer(struct timer *t) {
    order[fired++] = (int)(t - timers);
    if (fired == 50)
        loop_stop(l);
}

Test(loop, timers_fire_in_order_and_stopped_ones_do_not) {
    l = loop_new();
    for (int i = 0; i < 100; i++) {
        timer_init(&timers[i], l, on_timer);
        timer_start(&timers[i], 1 + (i * 37) % 100);
    }
    for (int i = 0; i < 100; i += 2)
        timer_stop(&timers[i]);
    loop_run(l);
    cr_assert_eq(fired, 50);
    for (int i = 1; i < 50; i++)
        cr_assert((order[i - 1] * 37) % 100 <= (order[i] * 37) % 100 && order[i] % 2 == 1);
    loop_free(l);
}

static int posted;
static void on_post(void *arg) {
    (void)arg;
    if (++posted == 200)
        loop_stop(l);
}
static void *post_many(void *arg) {
    for (int i = 0; i < 100; i++)
        loop_post(l, on_post, arg);
    return NULL;
}

Test(loop, posts_from_other_threads_all_run) {
    l = loop_new();
    pthread_t a, b;
    pthread_create(&a, NULL, post_many, NULL);
    pthread_create(&b, NULL, post_many, NULL);
    loop_run(l);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    cr_assert_eq(posted, 200);
    loop_free(l);
}
