/* pool.h — the worker processes: started warm, given frames, watched, killed, replaced.
 *
 *     struct pool *p = pool_open(loop, &options, &handler, arg, err);       the first worker is starting
 *     pool_wait(p, err);                                  it is sealed, or err says what does not hold
 *     struct worker *w = pool_pick(p, workspace);         one that is sealed and has time
 *     struct frame_writer f = worker_frame(w, FRAME_START, run); ... worker_send(w, &f)
 *
 * Workers are executed from this same binary (`flowlet worker`) with nothing of the
 * server's memory, environment or descriptors. Each serves one workspace until it dies.
 * What a turn of the loop adds is written in one go at its end. A worker that breaks the
 * frame format, crosses a memory line with nobody to blame, or does not react is killed;
 * the handler's `gone` is then called once, and a new one is already starting.
 *
 * Run numbers are below 2^53. A run that passes its limits is ended by its worker with an
 * ordinary FINISH, error code run_cpu or run_memory (also in answer to a PREPARE); only where
 * that is not possible the worker ends with it.
 *
 * Thread: the loop's. Callbacks never come from inside a call into the pool. */
#ifndef FLOWLET_POOL_H
#define FLOWLET_POOL_H

#include "js/frame.h"
#include "net/loop.h"

struct pool;
struct worker;

struct pool_options {
    const char *binary;        /* to execute; NULL: /proc/self/exe */
    unsigned workers;          /* a workspace; at least 1 */
    bool allow_unconfined;     /* go on where a must-have sandbox layer does not hold */
    size_t memory_limit_bytes; /* over a worker's base, for one run and at most; 0: 64 MB */
    unsigned cpu_limit_ms;     /* of a run whose flow says nothing else; 0: 10 s */
};

/* Why a worker went, and which run is guilty. */
struct worker_end {
    enum error_code code; /* ERR_RUN_CPU, ERR_RUN_MEMORY, ERR_WORKER_LOST, ERR_PROTOCOL; ERR_NONE: it was idle */
    uint64_t run;         /* whose entry it was, by the worker's own account; 0: nobody's */
    char text[200];
};

struct pool_handler {
    /* Every frame but READY, JOB_DONE and the LOGs of run 0. frame->payload lives until the return. */
    void (*frame)(void *arg, struct worker *w, const struct frame *frame);
    /* w is freed after the return. All runs it had are without a worker now. */
    void (*gone)(void *arg, struct worker *w, const struct worker_end *why);
    /* It has been busy with one entry, of this run, for so long that what else it was given should go elsewhere; once an entry. From now on
     * it is as those of pool_pick_alone, and another is starting in its place. */
    void (*stuck)(void *arg, struct worker *w, uint64_t run);
    /* A worker of this workspace became ready: runs that wait may be given out. */
    void (*ready)(void *arg, struct str workspace);
};

struct pool *pool_open(struct loop *l, const struct pool_options *options, const struct pool_handler *handler, void *arg,
                       struct error *err);
/* Waits for the first worker's report, at most some seconds, and blocks meanwhile: call it when all else is ready.
 * Fails when a layer that must hold does not, and says which. */
MUST_USE bool pool_wait(struct pool *p, struct error *err);
/* Kills all; the loop must run on until `closed` is called. */
void pool_close(struct pool *p, void (*closed)(void *arg), void *arg);

/* Starts the workspace's workers now, so that no run waits for one. */
void pool_warm(struct pool *p, struct str workspace);
/* Ends them, each with its last run; until the workspace is asked for again. */
void pool_drop(struct pool *p, struct str workspace);
/* Packs: the first worker that is not behind with its work, so that batches grow, else the one that is least so.
 * NULL when none is ready (they are starting then): keep the run until `ready`. */
struct worker *pool_pick(struct pool *p, struct str workspace);
/* One that runs nothing else, for a flow that passed its limits before; NULL as above, and while all of these (as many as a
 * workspace has workers) are busy. */
struct worker *pool_pick_alone(struct pool *p, struct str workspace);

struct frame_writer worker_frame(struct worker *w, enum frame_kind kind, uint64_t run);
/* False: the frame is too large; nothing was sent. */
MUST_USE bool worker_send(struct worker *w, struct frame_writer *f);
/* Runs that it has: the pool picks by this. */
void worker_run_added(struct worker *w);
void worker_run_removed(struct worker *w);
/* A place for the runs module: which flows it has been given, by number. */
struct map *worker_flows(struct worker *w);
/* It has so much to do already that what nobody waits for had better wait. */
bool worker_is_behind(const struct worker *w);
/* Bytes not yet taken by the worker: past 8 MB give it no more. */
size_t worker_backlog(const struct worker *w);
/* Ends it because of this run; `gone` follows. */
void worker_kill(struct worker *w, uint64_t run, enum error_code code, const char *text);

/* The sandbox layers that hold, as the first worker reported them: JSON text, "" before. */
struct str pool_layers(const struct pool *p);
/* Process ids of all workers, for metrics. */
size_t pool_pids(const struct pool *p, int *pids, size_t max);

/* One toolbox job (docs/internals.md, section 3) in a process of its own that ends with it.
 * answer is JSON text; err is NULL when it worked. Called once, later. */
typedef void toolbox_done_fn(void *arg, struct str answer, const struct error *err);
void pool_toolbox(struct pool *p, struct str job, toolbox_done_fn *done, void *arg);
/* The same for a job of the type checker. */
void pool_checker(struct pool *p, struct str job, toolbox_done_fn *done, void *arg);
/* Changes with the embedded toolbox and checker, so that what an older one said is not used: its digest in hex. */
struct str pool_toolbox_version(void);

#endif
