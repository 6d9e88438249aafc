/* events.c — what happened lately, for following: a ring in memory. Runs that are watched tell of their blocks as they
 * go: WATCH goes to their worker, EVENTs come back. */
#include "base/clock.h"
#include "run/run.h"

#define EVENTS_MAX 8192
#define EVENTS_BYTES_MAX (16u * 1024 * 1024) /* of their texts */
#define EVENT_TEXT_MAX 2000                  /* bytes of a log line that are kept */
#define EVENT_DATA_MAX (16 * 1024)           /* bytes that a block's event may have */

struct event {
    struct run_event told; /* its texts stand in own */
    char *own;
    size_t size;
};

struct events {
    struct runs *runs;
    struct event ring[EVENTS_MAX]; /* number n stands at n % EVENTS_MAX */
    uint64_t newest, oldest;       /* oldest > newest: none */
    size_t bytes;
    struct run_watch *watches;
    struct loop_flush news;
    struct timer forget; /* workspaces that nobody came back to */
};

/* ---- the ring ---- */

static void on_news(void *arg) {
    struct events *e = arg;
    for (struct run_watch *w = e->watches, *next; w; w = next) {
        next = w->next;
        w->news(w);
    }
}

static void on_forget(struct timer *t) {
    struct events *e = container_of(t, struct events, forget);
    struct workspace *w;
    for (size_t i = 0; (w = workspaces_at(e->runs->env.workspaces, i)); i++)
        w->watched = w->watchers > 0;
}

struct events *events_new(struct runs *rs) {
    struct events *e = mem_alloc(sizeof *e);
    e->runs = rs;
    e->oldest = 1;
    e->news = (struct loop_flush){.fn = on_news, .arg = e};
    timer_init(&e->forget, rs->env.loop, on_forget);
    return e;
}

static void drop_oldest(struct events *e) {
    struct event *gone = &e->ring[e->oldest++ % EVENTS_MAX];
    e->bytes -= gone->size;
    free(gone->own);
    *gone = (struct event){.own = NULL};
}

void events_free(struct events *e) {
    if (!e)
        return;
    while (e->oldest <= e->newest)
        drop_oldest(e);
    loop_flush_remove(e->runs->env.loop, &e->news);
    timer_stop(&e->forget);
    free(e);
}

static struct str put(char **at, struct str s) {
    char *to = *at;
    if (!s.len)
        return (struct str){NULL, 0};
    memcpy(to, s.ptr, s.len);
    *at += s.len;
    return str_of(to, s.len);
}

static void add(struct events *e, const struct run *r, const char *kind, struct str level, struct str text, struct str data) {
    struct str flow = r->flow->id;
    if (text.len > EVENT_TEXT_MAX)
        text.len = EVENT_TEXT_MAX;
    size_t size = flow.len + level.len + text.len + data.len;
    while (e->newest - e->oldest + 1 == EVENTS_MAX || (e->oldest <= e->newest && e->bytes + size > EVENTS_BYTES_MAX))
        drop_oldest(e);
    struct event *to = &e->ring[++e->newest % EVENTS_MAX];
    char *at = to->own = mem_alloc(size + 1);
    to->size = size;
    e->bytes += size;
    to->told = (struct run_event){.number = e->newest,
                                  .run = r->id,
                                  .time_ms = clock_now_ms(),
                                  .workspace = r->workspace->id,
                                  .kind = kind,
                                  .flow = put(&at, flow),
                                  .level = put(&at, level),
                                  .text = put(&at, text),
                                  .data = put(&at, data)};
    if (e->watches)
        loop_flush_add(e->runs->env.loop, &e->news);
}

void events_add(struct events *e, const struct run *r, const char *kind, struct str level, struct str text) {
    add(e, r, kind, level, text, (struct str){NULL, 0});
}

void events_tell(const struct run *r, const char *kind, json_t *data) {
    struct buf plain, masked;
    buf_init(&plain, EVENT_DATA_MAX);
    buf_init(&masked, 2 * EVENT_DATA_MAX);
    struct str text = jsonx_write(data, &plain) ? buf_str(&plain) : STR("{}");
    if (vault_mask_json(workspace_vault(r->workspace, r->mode), text, &masked))
        text = buf_str(&masked);
    add(r->runs->events, r, kind, (struct str){NULL, 0}, (struct str){NULL, 0}, text);
    buf_release(&plain);
    buf_release(&masked);
    json_decref(data);
}

uint64_t runs_events(const struct runs *rs, int64_t workspace, uint64_t after, run_event_fn *fn, void *arg) {
    const struct events *e = rs->events;
    for (uint64_t n = after + 1 > e->oldest ? after + 1 : e->oldest; n <= e->newest; n++) {
        const struct run_event *event = &e->ring[n % EVENTS_MAX].told;
        if (event->workspace == workspace && !fn(arg, event))
            break;
    }
    return e->newest;
}

void runs_events_span(const struct runs *rs, uint64_t *oldest, uint64_t *newest) {
    *oldest = rs->events->oldest;
    *newest = rs->events->newest;
}

/* ---- watching ---- */

static bool send_watch(struct run *r) {
    struct frame_writer f = worker_frame(r->worker, FRAME_WATCH, r->id);
    r->watched = true;
    return worker_send(r->worker, &f);
}

static bool is_watched(const struct run *r) {
    bool found = r->watched || r->workspace->watched;
    for (const struct run_watch *w = r->runs->events->watches; w && !found; w = w->next)
        found = w->run == r->id;
    return found;
}

/* Told the second time after a restart: whatever is repeated is told again. */
bool run_watch_begin(struct run *r) {
    if (!is_watched(r))
        return true;
    bool sent = send_watch(r);
    events_tell(r, "started", json_pack("{s:s}", "trigger", r->trigger));
    return sent;
}

/* One that is under way tells from now on. */
static void watch_run(struct events *e, struct run *r) {
    if (r->watched)
        return;
    if (r->phase == PHASE_RUNNING || r->restarts)
        r->watched_from = e->newest;
    r->watched = r->phase != PHASE_RUNNING || send_watch(r);
}

static void watch_workspace(struct events *e, struct workspace *w) {
    struct map_entry *entry;
    if (!w->watched)
        w->watched_from = e->newest;
    w->watched = true;
    for (size_t at = 0; (entry = map_next(&e->runs->open, &at));)
        if (((struct run *)entry->value)->workspace == w)
            watch_run(e, entry->value);
}

uint64_t runs_watch(struct runs *rs, struct run_watch *w) {
    struct events *e = rs->events;
    struct run *one = w->run ? runs_find(rs, w->run) : NULL;
    w->runs = rs;
    w->next = e->watches;
    e->watches = w;
    if (one)
        watch_run(e, one);
    if (w->run)
        return one ? one->watched_from : 0;
    w->workspace->watchers++;
    watch_workspace(e, w->workspace);
    return w->workspace->watched_from;
}

void runs_unwatch(struct run_watch *w) {
    struct events *e = w->runs->events;
    struct run_watch **at = &e->watches;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    if (!w->run && --w->workspace->watchers == 0)
        timer_start(&e->forget, RUNS_WATCH_KEPT_MS);
}

/* ---- what workers tell ---- */

static void copy_if(json_t *to, const json_t *from, const char *key, bool fits) {
    if (fits)
        json_object_set(to, key, json_object_get(from, key));
}

/* Only what we know, of the form that we know: it goes to browsers. */
static json_t *known_parts(const json_t *told) {
    static const char *const texts[] = {"path", "name", "pin"}, *const numbers[] = {"t", "ms", "attempt", "attempts"},
                             *const values[] = {"input", "output", "error"};
    json_t *known = json_object();
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        copy_if(known, told, texts[i], json_is_string(json_object_get(told, texts[i])));
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        copy_if(known, told, numbers[i], json_is_integer(json_object_get(told, numbers[i])));
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        copy_if(known, told, values[i], json_object_get(told, values[i]) != NULL);
    return known;
}

bool run_told(struct run *r, struct str payload) {
    static const char *const kinds[] = {"began", "ended", "many"};
    struct str text;
    struct error err;
    if (!r->watched || !frame_take_section(&payload, &text) || text.len > EVENT_DATA_MAX)
        return false;
    json_t *told = jsonx_parse(text, &err);
    const char *kind = NULL;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_is(jsonx_str(told, "e"), kinds[i]))
            kind = kinds[i];
    if (kind)
        events_tell(r, kind, known_parts(told));
    json_decref(told);
    return kind;
}
