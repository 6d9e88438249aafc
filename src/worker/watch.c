/* watch.c — see watch.h. */
#include "worker/watch.h"

#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/meter.h"

#define IDLE_TICKS 20 /* so many without an entry, and the watch sleeps */

static struct link_page *_Atomic page;
static clockid_t engine_clock;
static _Atomic uint64_t sequence; /* of the entry under way, or of the next */
static _Atomic int64_t cpu_max_us;
static _Atomic size_t rss_max_bytes;
static _Atomic size_t rss_seen;
static _Atomic uint32_t asleep = 1;

static void wake(void) {
    asleep = 0;
    syscall(SYS_futex, &asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void watch_init(struct link_page *p) {
    page = p;
    ENSURE(pthread_getcpuclockid(pthread_self(), &engine_clock) == 0);
}

void watch_begin(int64_t cpu_us, size_t rss_max) {
    atomic_store_explicit(&cpu_max_us, cpu_us, memory_order_relaxed);
    atomic_store_explicit(&rss_max_bytes, rss_max, memory_order_relaxed);
    page->busy = 1;
    if (asleep)
        wake();
}

void watch_end(void) {
    atomic_store_explicit(&sequence, sequence + 1, memory_order_relaxed);
    atomic_store_explicit(&page->busy, 0, memory_order_release);
}

size_t watch_rss(void) { return atomic_load_explicit(&rss_seen, memory_order_relaxed); }
void watch_rss_changed(size_t rss) { atomic_store_explicit(&rss_seen, rss, memory_order_relaxed); }

static void sleep_until_woken(void) {
    asleep = 1;
    while (asleep && !(page && page->busy))
        syscall(SYS_futex, &asleep, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
    asleep = 0;
}

void watch_run(void) {
    uint64_t entry = UINT64_MAX; /* the one seen at the last tick */
    int64_t cpu_at_first = 0;
    for (unsigned idle = IDLE_TICKS;;) {
        if (idle >= IDLE_TICKS)
            sleep_until_woken();
        poll(NULL, 0, WATCH_TICK_MS);
        if (!page->busy) {
            idle++;
            continue;
        }
        idle = 0;
        atomic_store_explicit(&rss_seen, meter_rss(), memory_order_relaxed);
        if (rss_seen > rss_max_bytes && page->busy)
            _exit(LINK_EXIT_MEMORY);
        int64_t cpu = meter_cpu_us(engine_clock);
        uint64_t now = sequence;
        if (now != entry) {
            entry = now;
            cpu_at_first = cpu;
        } else if (cpu - cpu_at_first > cpu_max_us && page->busy) {
            _exit(LINK_EXIT_CPU);
        }
    }
}
