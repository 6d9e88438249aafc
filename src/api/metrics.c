/* metrics.c — numbers for Prometheus (its text format 0.0.4), and whether the server can serve. */
#include <unistd.h>

#include "api/call.h"

#define TEXT_MAX (256 * 1024)
#define WORKERS_MAX 256

static void about(struct buf *out, const char *name, const char *type, const char *help) {
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_gauge(struct buf *out, const char *name, const char *help, double value) {
    about(out, name, "gauge", help);
    buf_addf(out, "%s %.17g\n", name, value);
}

static void add_counter(struct buf *out, const char *name, const char *help, uint64_t value) {
    about(out, name, "counter", help);
    buf_addf(out, "%s %llu\n", name, (unsigned long long)value);
}

/* Resident bytes of a process, 0 when it is gone: the second number of /proc/PID/statm counts pages. */
static double resident_bytes(int pid) {
    char path[40];
    struct buf text;
    struct error err;
    long long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", pid);
    buf_init(&text, 1000);
    if (!file_read(path, &text, &err) || sscanf(text.ptr, "%*d %lld", &pages) != 1)
        pages = 0;
    buf_release(&text);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void add_runs(struct buf *out, const struct runs *runs) {
    struct runs_counts n = runs_counts(runs);
    about(out, "flowlet_runs_total", "counter", "Runs since the server started, by how they ended; accepted: all that began");
    buf_addf(out, "flowlet_runs_total{state=\"accepted\"} %llu\n", (unsigned long long)n.accepted);
    buf_addf(out, "flowlet_runs_total{state=\"done\"} %llu\n", (unsigned long long)n.done);
    buf_addf(out, "flowlet_runs_total{state=\"failed\"} %llu\n", (unsigned long long)n.failed);
    buf_addf(out, "flowlet_runs_total{state=\"canceled\"} %llu\n", (unsigned long long)n.canceled);
    add_gauge(out, "flowlet_runs_open", "Runs under way", (double)runs_open_count(runs));
    add_counter(out, "flowlet_records_total", "Runs that were not durable and whose record was handed to the store", n.recorded);
    add_counter(out, "flowlet_records_dropped_total", "Those whose record was dropped as the store was behind", n.record_dropped);
}

static void add_requests(struct buf *out, struct endpoints *e) {
    static const char *const limits[] = {"0.001", "0.005", "0.025", "0.1", "0.5", "1", "5", "10", "+Inf"};
    struct endpoints_counts n = endpoints_counts(e);
    uint64_t sum = 0;
    add_counter(out, "flowlet_requests_total", "Requests to endpoints", n.requests);
    about(out, "flowlet_answers_total", "counter", "Answers to them by the first digit of the status");
    for (int i = 2; i < 6; i++)
        buf_addf(out, "flowlet_answers_total{class=\"%dxx\"} %llu\n", i, (unsigned long long)n.answers[i]);
    about(out, "flowlet_answer_seconds", "histogram", "Time from a request's head to its answer");
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        sum += n.seconds_bucket[i];
        buf_addf(out, "flowlet_answer_seconds_bucket{le=\"%s\"} %llu\n", limits[i], (unsigned long long)sum);
    }
    buf_addf(out, "flowlet_answer_seconds_sum %.6f\nflowlet_answer_seconds_count %llu\n", n.seconds_sum, (unsigned long long)sum);
    add_gauge(out, "flowlet_connections", "Open connections to endpoints", httpd_connections(endpoints_httpd(e)));
}

static void add_store(struct buf *out, struct store *s) {
    struct error err;
    add_gauge(out, "flowlet_store_failing", "1 while the last commit failed", store_is_failing(s, &err));
    add_gauge(out, "flowlet_store_backlog_bytes", "Records of runs that wait to be written", (double)store_backlog(s));
    add_counter(out, "flowlet_store_commits_total", "Commits that were synced to the disk", store_commits(s));
}

static void add_processes(struct buf *out, const struct api *a) {
    int pids[WORKERS_MAX];
    size_t n = pool_pids(a->env.pool, pids, ARRAY_LEN(pids));
    double workers = 0;
    for (size_t i = 0; i < n; i++)
        workers += resident_bytes(pids[i]);
    add_gauge(out, "flowlet_workers", "Worker processes", (double)n);
    add_gauge(out, "flowlet_workers_resident_bytes", "Their resident memory together, shared pages counted in each", workers);
    add_gauge(out, "process_resident_memory_bytes", "The server's own resident memory", resident_bytes(getpid()));
    add_gauge(out, "process_start_time_seconds", "When the server started, since 1970", (double)a->started_ms / 1000);
}

void api_metrics(struct api_call *c) {
    const struct api_env *env = &c->api->env;
    struct buf text;
    buf_init(&text, TEXT_MAX);
    add_runs(&text, env->runs);
    add_requests(&text, env->endpoints);
    add_store(&text, env->store);
    add_processes(&text, c->api);
    api_answer_text(c, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(&text));
    buf_release(&text);
}

void api_healthz(struct api_call *c) { api_answer_text(c, 200, "text/plain; charset=utf-8", STR("ok\n")); }

/* Whether a durable request would be taken right now. */
static bool is_ready(const struct api_env *env, struct error *err) {
    struct workspace *w;
    struct error why;
    if (store_is_failing(env->store, &why))
        return error_set(err, ERR_BUSY, "the store fails: %s", why.text);
    if (store_is_behind(env->store))
        return error_set(err, ERR_BUSY, "the store cannot keep up with writing");
    for (size_t i = 0; (w = workspaces_at(env->workspaces, i)); i++)
        if (w->release && w->release->flow_count && !pool_pick(env->pool, w->name))
            return error_set(err, ERR_BUSY, "no worker of the workspace " STR_FMT " is ready yet", STR_ARG(w->name));
    return true;
}

void api_readyz(struct api_call *c) {
    struct error err;
    if (is_ready(&c->api->env, &err))
        api_answer_text(c, 200, "text/plain; charset=utf-8", STR("ready\n"));
    else
        api_fail(c, &err);
}
