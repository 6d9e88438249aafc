/* spawn.h — makes one worker process: cloned with namespaces of its own where the system allows, executed from this same
 * binary with an environment and descriptors of its own (link.h).
 *
 * Cloning shares the server's memory until the exec, so its cost does not grow with the server. Thread: the loop's (the
 * worker dies with the thread that made it). Blocks for about a millisecond. */
#ifndef FLOWLET_SPAWN_H
#define FLOWLET_SPAWN_H

#include "base/error.h"
#include "js/link.h"

struct spawn_options {
    const char *binary;    /* NULL: this one */
    bool toolbox, checker; /* at most one; neither: it runs flows */
    unsigned memory_mb, cpu_ms;
};

struct spawned {
    int pid;
    int pidfd;  /* readable once it has ended; reap it with spawn_reap */
    int socket; /* not blocking */
    int statm;  /* /proc/PID/statm, kept open: a look costs a microsecond. -1 where /proc is not there */
    struct link_page *page;
};

MUST_USE bool spawn_worker(const struct spawn_options *options, struct spawned *out, struct error *err);
/* Waits for the end of a killed or ended worker and returns its status as wait(2) has it. */
int spawn_reap(struct spawned *w);
/* Closes what *w holds. May be called twice, also on a zeroed struct whose descriptors are -1. */
void spawned_release(struct spawned *w);
/* Bytes in use; 0 when that can't be known. */
size_t spawned_rss(const struct spawned *w);
/* CPU time of all its threads. */
int64_t spawned_cpu_us(const struct spawned *w);

#endif
