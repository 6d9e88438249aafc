/* worker.h — the other process: runs what users wrote, where it can do no harm.
 *
 * `flowlet worker`, executed by js/pool.h and never by hand. It seals itself (seal.h), makes the engine (engine.h) on a
 * thread of its own, closes the last door (seal_calls), says READY, and then: read frames, one entry into the engine
 * each, write what they gave in one go. The main thread only watches (watch.h). The process ends when its socket does. */
#ifndef FLOWLET_WORKER_H
#define FLOWLET_WORKER_H

#include "base/str.h"

int worker_main(int argc, char **argv);

/* What a worker is made of, for tests that bring their own. */
struct worker_parts {
    struct str runtime, toolbox, checker; /* the bundles */
    void (*serve)(void);         /* NULL: frames, one entry each. On the engine's thread, sealed, READY is said */
    bool unfiltered;             /* without the filter of system calls, to show that the other layers hold alone */
};
int worker_run(int argc, char **argv, const struct worker_parts *parts);

#endif
