/* watch.h — ends the process when an entry into the engine can't be interrupted.
 *
 * Endless chains of promises, regular expressions and long native calls never reach the engine's own limit. The main
 * thread looks every 5 ms while an entry is under way, and sleeps when there are none.
 *
 * Thread: watch_run is the main thread's; the rest is the engine's. */
#ifndef FLOWLET_WATCH_H
#define FLOWLET_WATCH_H

#include "base/base.h"
#include "js/link.h"

#define WATCH_TICK_MS 5

/* Before any entry, on the engine's thread, which is the one to be watched. */
void watch_init(struct link_page *page);
/* Around each entry. The process ends when it takes more than cpu_us of the thread's CPU time, or when the process
 * holds more than rss_max bytes meanwhile. */
void watch_begin(int64_t cpu_us, size_t rss_max);
void watch_end(void);
/* Bytes in use when the watch last looked: a few milliseconds ago, or in an earlier entry. */
size_t watch_rss(void);
/* After a collection: what the watch saw before no longer counts. */
void watch_rss_changed(size_t rss);
/* Never returns; does nothing until watch_init. */
NORETURN void watch_run(void);

#endif
