/* pool.c — see pool.h.
 *
 *     STARTING --READY--> READY --end: worker_kill, a broken rule--> DYING --on_end: reaped--> told, closed, freed
 *        |                  |                                          ^
 *        +------------------+----------- its own end ------------------+
 *
 * A worker's end shows on its pidfd, wherever it came from. What it still sent is read before `gone` is called. */
#include "js/pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "js/spawn.h"

#define MEMORY_DEFAULT (64u << 20)
#define CPU_DEFAULT_MS 10000
#define OUT_MAX (64u << 20)
#define BACKLOG_MAX (8u << 20)
#define START_MS 20000
#define RETRY_FIRST_MS 100
#define RETRY_MAX_MS 5000
#define ALONE_IDLE_MS 10000

/* So many frames not yet handled, or an entry that takes so long: then another worker is asked first. */
#define BEHIND 16
#define LONG_ENTRY_MS 15
#define STUCK_ENTRY_MS 50

/* The server looks at workers that have work this often, at the others rarely. It is the last resort: its lines are
 * further out than the worker's own. */
#define TICK_MS 5
#define TICK_IDLE_MS 1000
#define MEMORY_GRACE (64u << 20)
#define CPU_GRACE_US 2000000
#define STUCK_MS 60000

#define TOOLBOXES_MAX 2
#define TOOLBOX_MEMORY (512u << 20)
#define TOOLBOX_MS 30000

enum worker_state { WORKER_STARTING, WORKER_READY, WORKER_DYING };

struct group { /* a workspace */
    bool dropped;
    char *name;
    struct group *next;
};

struct toolbox_job {
    bool types; /* for the checker */
    char *text;
    size_t len;
    toolbox_done_fn *done;
    void *arg;
    struct toolbox_job *next; /* waiting */
};

struct worker {
    struct pool *pool;
    struct group *group;     /* borrowed; NULL: not yet given to a workspace, or a toolbox */
    struct toolbox_job *job; /* owned; what this toolbox works at */
    enum worker_state state;
    bool toolbox;
    bool alone;  /* only for pool_pick_alone */
    bool served; /* it was READY in a group, so its end is told */
    bool news;   /* it became ready, which is not yet told */
    bool draining;
    struct spawned process;
    uv_poll_t socket, end;
    int open_handles;
    int socket_events; /* what is polled for; 0 after the end of the stream */
    struct frame_reader in;
    struct buf out;
    size_t out_done; /* bytes of out that are written */
    struct loop_flush flush;
    struct timer deadline; /* of READY, of a job's answer, of idleness */
    unsigned runs;
    uint64_t frames_sent;
    struct map flows;
    struct worker_end why; /* set when state becomes DYING */
    size_t base, rss;
    uint64_t seen_entry; /* the entry that the last tick saw, since when, and the CPU time then */
    int64_t seen_since_ms, seen_cpu_us;
    struct worker *next;
};

struct pool {
    struct loop *loop;
    struct pool_options options;
    struct pool_handler handler;
    void *arg;
    struct worker *workers; /* in the order of their start */
    unsigned alive;         /* structs not yet freed, also those that are in no list any more */
    struct group *groups;
    struct timer tick;
    struct timer later; /* news to tell, jobs to start */
    struct timer retry; /* after a start that failed */
    int64_t retry_ms;
    struct toolbox_job *jobs, **last_job;
    unsigned toolboxes;
    struct buf layers;
    bool reported;      /* a worker was READY */
    struct error unfit; /* a must-have layer that does not hold; ERR_NONE */
    void (*closed)(void *arg);
    void *closed_arg;
};

static void fill(struct pool *p);
static void start_jobs(struct pool *p);

/* ---- writing ---- */

static void on_socket(uv_poll_t *poll, int status, int events);

static void poll_socket(struct worker *w) {
    int events = w->out_done < w->out.len ? UV_READABLE | UV_WRITABLE : UV_READABLE;
    if (events == w->socket_events || !w->socket_events)
        return;
    w->socket_events = events;
    uv_poll_start(&w->socket, events, on_socket);
}

static void on_flush(void *arg) {
    struct worker *w = arg;
    bool full = worker_backlog(w) > BACKLOG_MAX;
    while (w->state != WORKER_DYING && w->out_done < w->out.len) {
        ssize_t n = write(w->process.socket, w->out.ptr + w->out_done, w->out.len - w->out_done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break; /* full, then the poll goes on; or broken, then its end is near */
        w->out_done += (size_t)n;
    }
    if (w->out_done == w->out.len || w->out_done > FRAME_PART_MAX) {
        buf_drop_front(&w->out, w->out_done);
        w->out_done = 0;
    }
    if (full && worker_backlog(w) <= BACKLOG_MAX) { /* runs may have found nobody with time */
        w->news = true;
        timer_start(&w->pool->later, 0);
    }
    poll_socket(w);
}

static uint64_t outstanding(const struct worker *w) {
    uint64_t done = w->process.page->entries;
    return done < w->frames_sent ? w->frames_sent - done : 0;
}

static void see(struct worker *w, int64_t now_ms) {
    w->seen_entry = w->process.page->entries;
    w->seen_since_ms = now_ms;
    w->seen_cpu_us = 0;
}

struct frame_writer worker_frame(struct worker *w, enum frame_kind kind, uint64_t run) {
    return frame_begin(&w->out, kind, run);
}

bool worker_send(struct worker *w, struct frame_writer *f) {
    struct pool *p = w->pool;
    if (!frame_end(f))
        return false;
    if (!outstanding(w))
        see(w, loop_now_ms(p->loop));
    w->frames_sent++;
    loop_flush_add(p->loop, &w->flush);
    if (!timer_is_running(&p->tick) || p->tick.due_ms > loop_now_ms(p->loop) + TICK_MS)
        timer_start(&p->tick, TICK_MS);
    return true;
}

size_t worker_backlog(const struct worker *w) { return w->out.len - w->out_done; }
struct map *worker_flows(struct worker *w) {
    return &w->flows;
}
void worker_run_added(struct worker *w) { w->runs++; }

void worker_run_removed(struct worker *w) {
    ENSURE(w->runs > 0);
    w->runs--;
    if (w->alone && !w->runs)
        timer_start(&w->deadline, ALONE_IDLE_MS);
}

/* ---- ending ---- */

static void end(struct worker *w, enum error_code code, uint64_t run, const char *text) {
    if (w->state == WORKER_DYING)
        return;
    w->state = WORKER_DYING;
    w->why = (struct worker_end){.code = code, .run = run};
    snprintf(w->why.text, sizeof w->why.text, "%s", text);
    kill(w->process.pid, SIGKILL); /* it is reaped in on_end only: until then the number is its own */
}

void worker_kill(struct worker *w, uint64_t run, enum error_code code, const char *text) { end(w, code, run, text); }

static uint64_t run_entered(const struct worker *w) {
    uint64_t run = w->process.page->run;
    return w->process.page->busy && run <= FRAME_RUN_MAX ? run : 0;
}

/* What its exit status, and whose entry it was, tell about an end that was not ours. */
static void find_why(struct worker *w, int status) {
    struct worker_end *why = &w->why;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    *why = (struct worker_end){.code = ERR_WORKER_LOST, .run = run_entered(w)};
    if (code == LINK_EXIT_CPU) {
        why->code = ERR_RUN_CPU;
        snprintf(why->text, sizeof why->text, "the run used more CPU time than it may, without a pause");
    } else if (code == LINK_EXIT_MEMORY || (code < 0 && why->run && w->rss > w->base + w->pool->options.memory_limit_bytes / 2)) {
        why->code = ERR_RUN_MEMORY;
        snprintf(why->text, sizeof why->text, "the run used more memory than it may");
    } else {
        snprintf(why->text, sizeof why->text, "a worker ended by itself, %s %d", code < 0 ? "signal" : "exit status",
                 code < 0 ? WTERMSIG(status) : code);
    }
}

static void job_finish(struct toolbox_job *job, struct str answer, const struct error *err) {
    job->done(job->arg, answer, err);
    free(job->text);
    free(job);
}

static void tell_end(struct worker *w) {
    struct pool *p = w->pool;
    if (w->why.code != ERR_NONE && !p->closed)
        log_warn("pool", "worker=%d end=%s run=%llu text=%s", w->process.pid, error_name(w->why.code),
                 (unsigned long long)w->why.run, log_quote(str_from(w->why.text)));
    if (w->job) {
        struct error err;
        struct toolbox_job *job = w->job;
        w->job = NULL;
        error_set(&err, w->why.code, "toolbox: %s", w->why.text);
        job_finish(job, STR(""), &err);
    }
    if (w->served && !p->closed)
        p->handler.gone(p->arg, w, &w->why);
}

static void free_pool(struct pool *p) {
    timer_stop(&p->tick);
    timer_stop(&p->later);
    timer_stop(&p->retry);
    for (struct group *g; (g = p->groups);) {
        p->groups = g->next;
        free(g->name);
        free(g);
    }
    buf_release(&p->layers);
    void (*closed)(void *arg) = p->closed;
    void *arg = p->closed_arg;
    free(p);
    closed(arg);
}

static void on_closed(uv_handle_t *handle) {
    struct worker *w = handle->data;
    struct pool *p = w->pool;
    if (--w->open_handles)
        return;
    spawned_release(&w->process);
    frame_reader_release(&w->in);
    buf_release(&w->out);
    map_release(&w->flows);
    free(w);
    p->alive--;
    if (p->closed)
        timer_start(&p->later, 0);
}

static ssize_t read_frames(struct worker *w);

/* Its place is filled at once, unless it never became ready: then somewhat later, so that what can't work costs little. */
static void replace(struct pool *p, bool was_ready) {
    if (was_ready) {
        fill(p);
        return;
    }
    p->retry_ms = p->retry_ms ? p->retry_ms * 2 : RETRY_FIRST_MS;
    if (p->retry_ms > RETRY_MAX_MS)
        p->retry_ms = RETRY_MAX_MS;
    timer_start(&p->retry, p->retry_ms);
}

static void on_end(uv_poll_t *poll, int status, int events) {
    (void)status, (void)events;
    struct worker *w = container_of(poll, struct worker, end);
    struct pool *p = w->pool;
    struct worker **at = &p->workers;
    int how = spawn_reap(&w->process);
    while (w->state != WORKER_DYING && read_frames(w) > 0)
        continue;
    bool was_ready = w->base != 0, toolbox = w->toolbox;
    if (w->state != WORKER_DYING)
        find_why(w, how);
    w->state = WORKER_DYING;
    timer_stop(&w->deadline);
    loop_flush_remove(p->loop, &w->flush);
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    tell_end(w);
    w->open_handles = 2;
    uv_close((uv_handle_t *)&w->socket, on_closed);
    uv_close((uv_handle_t *)&w->end, on_closed);
    if (p->closed)
        return;
    if (toolbox) {
        p->toolboxes--;
        start_jobs(p);
    } else {
        replace(p, was_ready);
    }
}

static void on_deadline(struct timer *t) {
    struct worker *w = container_of(t, struct worker, deadline);
    if (w->state == WORKER_STARTING)
        end(w, ERR_TIMEOUT, 0, "a worker did not become ready in time");
    else if (w->job)
        end(w, ERR_TIMEOUT, 0, "it took too long");
    else if (!w->runs)
        end(w, ERR_NONE, 0, "idle");
}

/* ---- reading ---- */

/* False, with p->unfit, when a layer that must hold does not. */
static bool check_layers(struct pool *p, struct str text) {
    struct error err;
    json_t *report = jsonx_parse(text, &err), *layer;
    size_t i;
    bool ok = report != NULL;
    if (!ok)
        p->unfit = err;
    json_array_foreach(json_object_get(report, "layers"), i, layer) {
        if (!ok || jsonx_bool(layer, "holds", false) || !jsonx_bool(layer, "must", false) || p->options.allow_unconfined)
            continue;
        struct str name = jsonx_str(layer, "name"), why = jsonx_str(layer, "why");
        ok = error_set(&p->unfit, ERR_FORBIDDEN,
                       "workers can't be confined on this system: '" STR_FMT "' does not hold (" STR_FMT ")", STR_ARG(name),
                       STR_ARG(why));
    }
    json_decref(report);
    return ok;
}

static void on_ready(struct worker *w, struct str payload) {
    struct pool *p = w->pool;
    struct str layers;
    if (w->state != WORKER_STARTING || !frame_take_section(&payload, &layers)) {
        end(w, ERR_PROTOCOL, 0, "READY at a wrong time");
        return;
    }
    if (!p->reported) {
        buf_clear(&p->layers);
        buf_add(&p->layers, layers);
        p->reported = true;
    }
    if (!check_layers(p, layers)) {
        end(w, ERR_FORBIDDEN, 0, p->unfit.text);
        return;
    }
    w->state = WORKER_READY;
    w->base = w->rss = spawned_rss(&w->process) + 1; /* never 0: that says it was not ready */
    w->served = w->group != NULL;
    w->news = !w->toolbox;
    p->retry_ms = 0;
    timer_stop(&w->deadline);
    timer_start(&p->later, 0);
    if (!w->job)
        return;
    struct frame_writer f = worker_frame(w, FRAME_JOB, 0);
    frame_section(&f, str_of(w->job->text, w->job->len));
    timer_start(&w->deadline, TOOLBOX_MS);
    if (!worker_send(w, &f))
        end(w, ERR_TOO_LARGE, 0, "the job is larger than 16 MB");
}

static void on_job_done(struct worker *w, struct str payload) {
    struct toolbox_job *job = w->job;
    struct str answer;
    if (!job || !frame_take_section(&payload, &answer)) {
        end(w, ERR_PROTOCOL, 0, "JOB_DONE at a wrong time");
        return;
    }
    w->job = NULL;
    job_finish(job, answer, NULL);
    end(w, ERR_NONE, 0, "done");
}

static void on_frame(struct worker *w, const struct frame *frame) {
    struct pool *p = w->pool;
    struct str payload = frame->payload, text;
    if (frame->kind == FRAME_READY)
        on_ready(w, payload);
    else if (frame->kind == FRAME_LOG && !frame->run)
        log_warn("worker", "worker=%d line=%s", w->process.pid, log_quote(frame_take_section(&payload, &text) ? text : payload));
    else if (frame->kind == FRAME_JOB_DONE)
        on_job_done(w, payload);
    else if (w->served && !p->closed)
        p->handler.frame(p->arg, w, frame);
    else
        end(w, ERR_PROTOCOL, 0, "a frame before any run");
}

/* Reads once; what came is handled. As read(2). */
static ssize_t read_frames(struct worker *w) {
    struct frame frame;
    struct error err;
    int got = 0;
    ssize_t n = frame_reader_read(&w->in, w->process.socket);
    while (n > 0 && w->state != WORKER_DYING && (got = frame_reader_next(&w->in, &frame, &err)) > 0)
        on_frame(w, &frame);
    if (got < 0)
        end(w, ERR_PROTOCOL, run_entered(w), err.text);
    return n;
}

static void on_socket(uv_poll_t *poll, int status, int events) {
    struct worker *w = container_of(poll, struct worker, socket);
    if (w->state == WORKER_DYING || (!(events & UV_WRITABLE) && read_frames(w) == 0) || status < 0) {
        w->socket_events = 0; /* the rest shows at its end */
        uv_poll_stop(poll);
        return;
    }
    if (events & UV_WRITABLE) {
        on_flush(w);
        if (events & UV_READABLE)
            read_frames(w);
    }
}

/* ---- watching ---- */

static bool is_useful(const struct worker *w) { return !w->toolbox && !w->alone && w->state != WORKER_DYING && !w->draining; }

/* The thread that runs flows gives way to everything else here; the kernel takes that of one's own processes. */
static void set_alone(struct worker *w) {
    w->alone = true;
    if (setpriority(PRIO_PROCESS, (id_t)w->process.pid, 10))
        log_debug("pool", "worker=%d event=not_niced", w->process.pid);
}

static unsigned count_alone(const struct pool *p, const struct group *g) {
    unsigned n = 0;
    for (const struct worker *w = p->workers; w; w = w->next)
        n += w->alone && w->group == g && w->state != WORKER_DYING;
    return n;
}

/* True when it has work. */
static bool look_at(struct worker *w, int64_t now_ms) {
    const struct pool_options *o = &w->pool->options;
    size_t memory = w->toolbox ? TOOLBOX_MEMORY : o->memory_limit_bytes;
    bool active = w->process.page->busy || outstanding(w);
    w->rss = spawned_rss(&w->process);
    if (w->rss > w->base + memory + MEMORY_GRACE) {
        end(w, ERR_RUN_MEMORY, run_entered(w), "the run used more memory than it may");
        return false;
    }
    if (!active || w->process.page->entries != w->seen_entry) {
        see(w, now_ms);
        return active;
    }
    if (now_ms - w->seen_since_ms > STUCK_ENTRY_MS && is_useful(w) && w->group && w->runs > 1 &&
        count_alone(w->pool, w->group) < o->workers) {
        set_alone(w);
        timer_start(&w->pool->later, 0); /* another in its place */
        w->pool->handler.stuck(w->pool->arg, w, run_entered(w));
    }
    int64_t cpu_us = spawned_cpu_us(&w->process);
    if (!w->seen_cpu_us)
        w->seen_cpu_us = cpu_us;
    /* All threads of it count here, so twice as much. */
    if (cpu_us - w->seen_cpu_us > 2000 * (w->toolbox ? TOOLBOX_MS : (int64_t)o->cpu_limit_ms) + CPU_GRACE_US)
        end(w, ERR_RUN_CPU, run_entered(w), "the run used more CPU time than it may");
    else if (now_ms - w->seen_since_ms > STUCK_MS + (int64_t)o->cpu_limit_ms)
        end(w, ERR_WORKER_LOST, run_entered(w), "it does not react");
    return true;
}

static void on_tick(struct timer *t) {
    struct pool *p = container_of(t, struct pool, tick);
    bool active = false, draining = false;
    for (struct worker *w = p->workers; w; w = w->next) {
        if (w->state != WORKER_READY)
            continue;
        active |= look_at(w, loop_now_ms(p->loop));
        w->draining |= w->process.page->draining;
        draining |= w->draining;
        if (w->draining && !w->runs)
            end(w, ERR_NONE, 0, w->group && w->group->dropped ? "its workspace is gone" : "it kept too much memory");
    }
    if (draining)
        fill(p);
    timer_start(&p->tick, active ? TICK_MS : TICK_IDLE_MS);
}

/* ---- starting ---- */

/* job: of a toolbox, not yet taken; NULL: it will run flows. */
static struct worker *start(struct pool *p, const struct toolbox_job *job, struct error *err) {
    bool toolbox = job != NULL;
    struct spawn_options o = {.binary = p->options.binary,
                              .toolbox = toolbox && !job->types,
                              .checker = toolbox && job->types,
                              .memory_mb = (toolbox ? TOOLBOX_MEMORY : (unsigned)p->options.memory_limit_bytes) >> 20,
                              .cpu_ms = toolbox ? TOOLBOX_MS : p->options.cpu_limit_ms};
    struct spawned process;
    if (!spawn_worker(&o, &process, err))
        return NULL;
    struct worker *w = mem_alloc(sizeof *w), **at = &p->workers;
    *w = (struct worker){.pool = p, .process = process, .toolbox = toolbox, .socket_events = UV_READABLE};
    w->flush = (struct loop_flush){.fn = on_flush, .arg = w};
    frame_reader_init(&w->in, false);
    buf_init(&w->out, OUT_MAX);
    map_init(&w->flows);
    timer_init(&w->deadline, p->loop, on_deadline);
    timer_start(&w->deadline, START_MS);
    ENSURE(uv_poll_init(loop_uv(p->loop), &w->socket, process.socket) == 0);
    ENSURE(uv_poll_init(loop_uv(p->loop), &w->end, process.pidfd) == 0);
    w->socket.data = w->end.data = w;
    uv_poll_start(&w->socket, UV_READABLE, on_socket);
    uv_poll_start(&w->end, UV_READABLE, on_end);
    while (*at)
        at = &(*at)->next;
    *at = w;
    p->alive++;
    return w;
}

static struct worker *start_or_retry(struct pool *p) {
    struct error err;
    struct worker *w = start(p, NULL, &err);
    if (!w) {
        log_error("pool", "text=%s", log_quote(str_from(err.text)));
        replace(p, false);
    }
    return w;
}

static struct worker *find_spare(struct pool *p) {
    for (struct worker *w = p->workers; w; w = w->next)
        if (is_useful(w) && !w->group)
            return w;
    return NULL;
}

static void give(struct worker *w, struct group *g) {
    w->group = g;
    w->served = w->state == WORKER_READY;
    if (w->news)
        timer_start(&w->pool->later, 0); /* it was ready before it had a workspace */
}

/* One after another: the first is to be ready soon, and not to share its core with those that only help it later. */
static void fill_group(struct pool *p, struct group *g) {
    unsigned have = 0;
    bool starting = false;
    for (struct worker *w = p->workers; w; w = w->next)
        if (is_useful(w) && w->group == g) {
            have++;
            starting |= w->state == WORKER_STARTING;
        }
    for (; have < p->options.workers && !starting; have++) {
        struct worker *w = find_spare(p);
        if (!w && !(w = start_or_retry(p)))
            return;
        give(w, g);
        starting = w->state == WORKER_STARTING;
    }
}

static void fill(struct pool *p) {
    if (p->closed || timer_is_running(&p->retry))
        return;
    for (struct group *g = p->groups; g; g = g->next)
        if (!g->dropped)
            fill_group(p, g);
}

static void on_retry(struct timer *t) {
    struct pool *p = container_of(t, struct pool, retry);
    fill(p);
    start_jobs(p);
}

/* What must not be done or told from inside a call. */
static void on_later(struct timer *t) {
    struct pool *p = container_of(t, struct pool, later);
    if (p->closed && !p->alive) {
        free_pool(p);
        return;
    }
    start_jobs(p);
    for (struct worker *w = p->workers; w; w = w->next)
        if (w->news && w->group) {
            w->news = false;
            if (w->state == WORKER_READY && !p->closed)
                p->handler.ready(p->arg, str_from(w->group->name));
        }
    fill(p);
}

struct pool *pool_open(struct loop *l, const struct pool_options *options, const struct pool_handler *handler, void *arg,
                       struct error *err) {
    struct pool *p = mem_alloc(sizeof *p);
    p->loop = l;
    p->options = *options;
    p->handler = *handler;
    p->arg = arg;
    p->last_job = &p->jobs;
    if (!p->options.memory_limit_bytes)
        p->options.memory_limit_bytes = MEMORY_DEFAULT;
    if (!p->options.cpu_limit_ms)
        p->options.cpu_limit_ms = CPU_DEFAULT_MS;
    if (!p->options.workers)
        p->options.workers = 1;
    buf_init(&p->layers, FRAME_PART_MAX);
    timer_init(&p->tick, l, on_tick);
    timer_init(&p->later, l, on_later);
    timer_init(&p->retry, l, on_retry);
    if (!start(p, NULL, err)) {
        buf_release(&p->layers);
        free(p);
        return NULL;
    }
    timer_start(&p->tick, TICK_IDLE_MS);
    return p;
}

bool pool_wait(struct pool *p, struct error *err) {
    struct worker *w = p->workers;
    while (w && w->toolbox)
        w = w->next;
    while (w && w->state == WORKER_STARTING) {
        struct pollfd fds[] = {{.fd = w->process.socket, .events = POLLIN}, {.fd = w->process.pidfd, .events = POLLIN}};
        int n = poll(fds, 2, START_MS);
        if (n == 0)
            return error_set(err, ERR_TIMEOUT, "no worker became ready within %d s", START_MS / 1000);
        if (n > 0 && (!(fds[0].revents & POLLIN) || read_frames(w) <= 0))
            return error_set(err, ERR_WORKER_LOST, "a worker ended before it was ready; what it said stands above");
    }
    if (p->unfit.code != ERR_NONE)
        *err = p->unfit;
    return p->unfit.code == ERR_NONE;
}

void pool_close(struct pool *p, void (*closed)(void *arg), void *arg) {
    p->closed = closed;
    p->closed_arg = arg;
    for (struct worker *w = p->workers; w; w = w->next)
        end(w, ERR_CANCELED, 0, "the server stops");
    timer_start(&p->later, 0);
}

/* ---- giving out ---- */

static struct group *group_of(struct pool *p, struct str workspace) {
    struct group **at = &p->groups;
    for (; *at; at = &(*at)->next)
        if (str_is(workspace, (*at)->name))
            return *at;
    *at = mem_alloc(sizeof **at);
    (*at)->name = str_dup(workspace);
    return *at;
}

void pool_warm(struct pool *p, struct str workspace) {
    group_of(p, workspace)->dropped = false;
    fill(p);
}

void pool_drop(struct pool *p, struct str workspace) {
    struct group *g = group_of(p, workspace);
    g->dropped = true;
    for (struct worker *w = p->workers; w; w = w->next)
        w->draining |= w->group == g;
}

bool worker_is_behind(const struct worker *w) { return outstanding(w) >= BEHIND; }

static uint64_t lag(struct worker *w) {
    uint64_t n = outstanding(w);
    if (n && w->process.page->entries == w->seen_entry && loop_now_ms(w->pool->loop) - w->seen_since_ms > LONG_ENTRY_MS)
        n += BEHIND;
    return n;
}

struct worker *pool_pick(struct pool *p, struct str workspace) {
    struct group *g = group_of(p, workspace);
    struct worker *best = NULL;
    uint64_t best_lag = 0;
    bool any = false;
    for (struct worker *w = p->workers; w; w = w->next) {
        if (!is_useful(w) || w->group != g)
            continue;
        any = true;
        if (w->state != WORKER_READY || worker_backlog(w) > BACKLOG_MAX)
            continue;
        uint64_t n = lag(w);
        if (n < BEHIND)
            return w;
        if (!best || n < best_lag) {
            best = w;
            best_lag = n;
        }
    }
    if (!any)
        fill(p);
    return best;
}

struct worker *pool_pick_alone(struct pool *p, struct str workspace) {
    struct group *g = group_of(p, workspace);
    bool starting = count_alone(p, g) >= p->options.workers;
    for (struct worker *w = p->workers; w; w = w->next) {
        if (!w->alone || w->group != g || w->state == WORKER_DYING)
            continue;
        starting |= w->state == WORKER_STARTING;
        if (w->state == WORKER_READY && !w->runs && !w->draining) {
            timer_stop(&w->deadline);
            return w;
        }
    }
    struct worker *w = starting ? NULL : start_or_retry(p);
    if (w) {
        set_alone(w);
        give(w, g);
    }
    return NULL;
}

struct str pool_layers(const struct pool *p) {
    return buf_str(&p->layers);
}

size_t pool_pids(const struct pool *p, int *pids, size_t max) {
    size_t n = 0;
    for (struct worker *w = p->workers; w && n < max; w = w->next)
        pids[n++] = w->process.pid;
    return n;
}

/* ---- toolbox ---- */

static void start_jobs(struct pool *p) {
    while (p->jobs && (p->toolboxes < TOOLBOXES_MAX || p->closed)) {
        struct toolbox_job *job = p->jobs;
        struct error err;
        struct worker *w = NULL;
        if (p->closed)
            error_set(&err, ERR_CANCELED, "the server stops");
        else
            w = start(p, job, &err);
        if (!(p->jobs = job->next))
            p->last_job = &p->jobs;
        if (!w) {
            job_finish(job, STR(""), &err);
            continue;
        }
        w->job = job;
        p->toolboxes++;
    }
}

static void add_job(struct pool *p, bool types, struct str job, toolbox_done_fn *done, void *arg) {
    struct toolbox_job *j = mem_alloc(sizeof *j);
    *j = (struct toolbox_job){.types = types, .text = str_dup(job), .len = job.len, .done = done, .arg = arg};
    *p->last_job = j;
    p->last_job = &j->next;
    timer_start(&p->later, 0);
}

void pool_toolbox(struct pool *p, struct str job, toolbox_done_fn *done, void *arg) { add_job(p, false, job, done, arg); }
void pool_checker(struct pool *p, struct str job, toolbox_done_fn *done, void *arg) { add_job(p, true, job, done, arg); }
