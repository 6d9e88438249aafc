/* events.c — runs as they go: server-sent events (WHATWG HTML, section 9.2) of a workspace, or of one run of it.
 *
 *     id: EPOCH-NUMBER          both in hex; EPOCH changes when the server is started
 *     event: block-ended
 *     data: {"run", "flow", "time_ms", ...}
 *
 * Nothing is kept for a reader: each reads the ring of runs.h at a pace of its own. Who comes back with Last-Event-ID goes
 * on there; one for whom the ring has turned too far is told `missed`, and reads the records instead. */
#include "api/call.h"

#define STREAMS_MAX 200
#define KEEP_ALIVE_MS 15000
#define PULL_BYTES ((size_t)32 * 1024) /* then the others get their turn */

struct stream {
    struct run_watch watch;
    struct api *api;
    struct httpd_request *rq;
    struct timer keep_alive;
    uint64_t at;        /* the number of the last event that was told, or passed over */
    const char *missed; /* to be told first; NULL: nothing */
    bool quiet;         /* for so long that a comment is due */
    bool over, begun;
    json_t *ended; /* of a run that was over before: its end; owned */
    struct stream *next;
};

static const struct {
    const char *kind, *event;
} names[] = {{"accepted", "run-accepted"},
             {"started", "run-started"},
             {"began", "block-started"},
             {"ended", "block-ended"},
             {"effect", "effect"},
             {"log", "log"},
             {"many", "many"}};

static bool is_end(const struct run_event *e) {
    return strcmp(e->kind, "done") == 0 || strcmp(e->kind, "failed") == 0 || strcmp(e->kind, "canceled") == 0;
}

static void add_name(struct buf *out, const struct run_event *e) {
    const char *name = "run-ended";
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(e->kind, names[i].kind) == 0)
            name = names[i].event;
    buf_addf(out, "event: %s\ndata: ", name);
}

static void add_text(struct buf *out, const char *key, struct str text) {
    buf_addf(out, ",\"%s\":", key);
    buf_add_json_string(out, text);
}

static void add_id(const struct stream *s, struct buf *out, uint64_t number) {
    buf_addf(out, "id: %llx-%llx\n", (unsigned long long)s->api->started_ms, (unsigned long long)number);
}

static void add_event(const struct stream *s, struct buf *out, const struct run_event *e) {
    char id[RUN_ID_TEXT];
    run_id_write(e->run, id);
    add_id(s, out, e->number);
    add_name(out, e);
    buf_addf(out, "{\"run\":\"%s\",\"time_ms\":%lld", id, (long long)e->time_ms);
    add_text(out, "flow", e->flow);
    if (is_end(e)) {
        add_text(out, "state", str_from(e->kind));
        if (e->text.len)
            add_text(out, "error", e->text);
    } else if (e->level.len) {
        add_text(out, "level", e->level);
        add_text(out, "text", e->text);
    } else if (e->text.len) {
        add_text(out, "trigger", e->text);
    }
    if (e->data.len > 2) { /* an object of its own: its members go in here */
        buf_addc(out, ',');
        buf_add(out, str_of(e->data.ptr + 1, e->data.len - 2));
    }
    buf_adds(out, "}\n\n");
}

struct pulled {
    struct stream *stream;
    struct buf *out;
};

static bool on_event(void *arg, const struct run_event *e) {
    struct pulled *p = arg;
    struct stream *s = p->stream;
    s->at = e->number;
    if (s->watch.run && s->watch.run != e->run)
        return true;
    add_event(s, p->out, e);
    s->over = s->watch.run && is_end(e);
    return !s->over && p->out->len < PULL_BYTES;
}

static void add_missed(struct stream *s, struct buf *out) {
    uint64_t oldest, newest;
    runs_events_span(s->api->env.runs, &oldest, &newest);
    if (s->at + 1 < oldest) {
        s->at = oldest - 1;
        if (s->begun && !s->missed)
            s->missed = "you read more slowly than things happened";
    }
    s->begun = true;
    if (!s->missed)
        return;
    add_id(s, out, s->at);
    buf_adds(out, "event: missed\ndata: {\"reason\":");
    buf_add_json_string(out, str_from(s->missed));
    buf_adds(out, "}\n\n");
    s->missed = NULL;
}

static void add_ended(struct stream *s, struct buf *out) {
    buf_adds(out, "event: run-ended\ndata: ");
    jsonx_write(s->ended, out);
    buf_adds(out, "\n\n");
    s->over = true;
}

static bool pull(void *arg, struct buf *out) {
    struct stream *s = arg;
    struct pulled p = {s, out};
    if (httpd_is_gone(s->rq) || s->over || s->api->closing)
        return false;
    if (!s->begun)
        buf_adds(out, "retry: 1000\n\n");
    add_missed(s, out);
    if (s->ended) {
        add_ended(s, out);
        return true;
    }
    uint64_t newest = runs_events(s->api->env.runs, s->watch.workspace->id, s->at, on_event, &p);
    if (!s->over && out->len < PULL_BYTES)
        s->at = newest;
    if (s->quiet && !out->len)
        buf_adds(out, ": still here\n\n");
    s->quiet = false;
    timer_start(&s->keep_alive, KEEP_ALIVE_MS);
    return true;
}

static void closed(void *arg) {
    struct stream *s = arg;
    struct stream **at = &s->api->streams;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    s->api->stream_count--;
    runs_unwatch(&s->watch);
    timer_stop(&s->keep_alive);
    json_decref(s->ended);
}

static void on_news(struct run_watch *w) { httpd_stream_wake(container_of(w, struct stream, watch)->rq); }

static void on_keep_alive(struct timer *t) {
    struct stream *s = container_of(t, struct stream, keep_alive);
    s->quiet = true;
    httpd_stream_wake(s->rq);
}

void api_events_release(struct api *a) {
    for (struct stream *s = a->streams; s; s = s->next)
        httpd_stream_wake(s->rq);
}

/* Where to go on. False: it is not an id that we gave. */
static bool last_seen(const struct api_call *c, uint64_t *epoch, uint64_t *number) {
    char text[64];
    int end = 0;
    struct str given = str_trim(httpd_header(c->rq, "Last-Event-ID"));
    unsigned long long e, n;
    if (!given.len || given.len >= sizeof text)
        return false;
    memcpy(text, given.ptr, given.len);
    text[given.len] = 0;
    if (sscanf(text, "%llx-%llx%n", &e, &n, &end) != 2 || (size_t)end != given.len)
        return false;
    *epoch = e;
    *number = n;
    return true;
}

static void begin_at(struct stream *s, const struct api_call *c, uint64_t complete_from) {
    uint64_t epoch, number = 0, oldest, newest;
    bool resumes = httpd_header(c->rq, "Last-Event-ID").len > 0;
    runs_events_span(s->api->env.runs, &oldest, &newest);
    s->at = s->watch.run ? 0 : newest;
    if (resumes && (!last_seen(c, &epoch, &number) || epoch != (uint64_t)s->api->started_ms || number > newest))
        s->missed = "the server was started anew since";
    else if (resumes && (number < complete_from || number + 1 < oldest))
        s->missed = "too much has happened since to be told";
    else if (!resumes && s->watch.run && complete_from)
        s->missed = "the run was under way already: its blocks are told from now on";
    if (resumes && !s->missed)
        s->at = number;
}

static void begin(struct api_call *c, uint64_t run, json_t *ended) {
    static const struct httpd_source source = {.pull = pull, .closed = closed};
    static const struct httpd_field fields[] = {{STR("Content-Type"), STR("text/event-stream")},
                                                {STR("Cache-Control"), STR("no-store")},
                                                {STR("X-Accel-Buffering"), STR("no")}}; /* nginx hands it on at once */
    struct api *a = c->api;
    struct error err;
    if (a->stream_count == STREAMS_MAX || a->closing) {
        json_decref(ended);
        error_set(&err, ERR_BUSY,
                  a->closing ? "the server is shutting down" : "%d readers follow events, which is as many as may", STREAMS_MAX);
        api_fail(c, &err);
        return;
    }
    struct stream *s = arena_alloc(c->arena, sizeof *s);
    *s = (struct stream){.watch = {.workspace = c->workspace, .run = run, .news = on_news},
                         .api = a,
                         .rq = c->rq,
                         .ended = ended,
                         .next = a->streams};
    a->streams = s;
    a->stream_count++;
    timer_init(&s->keep_alive, a->env.loop, on_keep_alive);
    begin_at(s, c, runs_watch(a->env.runs, &s->watch));
    httpd_stream(c->rq, fields, ARRAY_LEN(fields), &source, s);
}

static void of_workspace(struct api_call *c) {
    if (api_workspace(c))
        begin(c, 0, NULL);
}

/* ---- of one run ---- */

struct found {
    uint64_t run;
    bool ended;
};

static bool find_end(void *arg, const struct run_event *e) {
    struct found *f = arg;
    f->ended = e->run == f->run && is_end(e);
    return !f->ended;
}

static bool row_work(struct store_tx *tx, void *arg, struct error *err) {
    struct api_call *c = arg;
    const struct found *f = c->own;
    struct arena arena;
    struct run_row row;
    char id[RUN_ID_TEXT];
    run_id_write(f->run, id);
    arena_init(&arena);
    bool ok = tx_run_get(tx, c->workspace->id, (int64_t)f->run, &row, &arena, err);
    if (ok)
        c->result = json_pack("{s:s, s:I, s:o, s:s, s:o}", "run", id, "time_ms", (json_int_t)row.ended_ms, "flow",
                              jsonx_from_str(row.flow), "state", run_state_name(row.state), "error", api_text(row.error));
    arena_release(&arena);
    return ok;
}

/* Over for so long that nothing but its record is left. */
static void on_row(void *arg, const struct error *err) {
    struct api_call *c = arg;
    const struct found *f = c->own;
    json_t *ended = c->result;
    c->result = NULL;
    if (err)
        api_fail(c, err);
    else
        begin(c, f->run, ended);
}

static void of_run(struct api_call *c) {
    struct found *f = arena_alloc(c->arena, sizeof *f);
    struct error err;
    if (!api_workspace(c))
        return;
    c->own = f;
    if (!run_id_parse(c->parameters[1], &f->run)) {
        error_set(&err, ERR_NOT_FOUND, "`" STR_FMT "` is no run's id: 14 hex digits", STR_ARG(c->parameters[1]));
        api_fail(c, &err);
        return;
    }
    runs_events(c->api->env.runs, c->workspace->id, 0, find_end, f);
    if (f->ended || runs_is_open(c->api->env.runs, f->run))
        begin(c, f->run, NULL);
    else
        store_read(c->api->env.store, row_work, on_row, c);
}

/* ---- the rows ---- */

static const struct api_route routes[] = {
    {.method = "GET",
     .path = API_WORKSPACE "/events",
     .permission = PERMISSION_RUNS_READ,
     .name = "followRuns",
     .about = "Runs as they go, as server-sent events; Last-Event-ID goes on after a break.",
     .answers = API_ANSWERS({200, NULL, "events, until the caller hangs up"}),
     .type = "text/event-stream",
     .run = of_workspace},
    {.method = "GET",
     .path = API_WORKSPACE "/runs/{run}/events",
     .permission = PERMISSION_RUNS_READ,
     .name = "followRun",
     .about = "The same of one run, from its beginning where it is still known; ends with the run.",
     .answers = API_ANSWERS({200, NULL, "events, until the run is over"}),
     .type = "text/event-stream",
     .run = of_run},
};
const struct api_resource api_resource_events = API_RESOURCE("Events", routes);
