/* logs.c — what happened since, and waiting for more of it. */
#include "api/call.h"

#define WAIT_MAX_S 25
#define LOOK_MS 200 /* how often who waits is told */

static bool add_event(void *arg, const struct run_event *e) {
    char id[RUN_ID_TEXT];
    if (e->data.len) /* for those who watch: events.c */
        return true;
    run_id_write(e->run, id);
    json_array_append_new(arg, json_pack("{s:I, s:s, s:I, s:o, s:o, s:o, s:o}", "number", (json_int_t)e->number, "run", id,
                                         "time_ms", (json_int_t)e->time_ms, "flow", jsonx_from_str(e->flow), "kind",
                                         json_string(e->kind), "level", api_text(e->level), "text", api_text(e->text)));
    return true;
}

static void answer(struct api_call *c, json_t *events, uint64_t newest) {
    api_answer(c, 200, json_pack("{s:o, s:I}", "events", events, "newest", (json_int_t)newest));
}

/* Answers when there is something, or nothing more to wait for. False: not yet. */
static bool look(struct api_call *c) {
    json_t *events = json_array();
    const struct runs *runs = c->api->env.runs;
    uint64_t newest = runs_events(runs, c->workspace->id, (uint64_t)c->after, add_event, events);
    if (newest < (uint64_t)c->after) /* numbers begin anew when the server does */
        newest = runs_events(runs, c->workspace->id, 0, add_event, events);
    bool over = json_array_size(events) || c->api->closing || loop_now_ms(c->api->env.loop) >= c->until_ms;
    if (over)
        answer(c, events, newest);
    else
        json_decref(events);
    return over;
}

static void stop_waiting(struct api_call *c) {
    struct api_call **at = &c->api->waiting;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    timer_stop(&c->timer);
}

static void on_timer(struct timer *t) {
    struct api_call *c = container_of(t, struct api_call, timer);
    stop_waiting(c);
    if (look(c))
        return;
    c->next = c->api->waiting;
    c->api->waiting = c;
    timer_start(&c->timer, LOOK_MS);
}

void api_logs_release(struct api *a) {
    while (a->waiting)
        on_timer(&a->waiting->timer);
}

static void list(struct api_call *c) {
    if (!api_workspace(c))
        return;
    c->after = jsonx_int(c->query, "after", 0);
    c->until_ms = loop_now_ms(c->api->env.loop) + jsonx_int(c->query, "wait", 0) * 1000;
    if (look(c))
        return;
    timer_init(&c->timer, c->api->env.loop, on_timer);
    c->next = c->api->waiting;
    c->api->waiting = c;
    timer_start(&c->timer, LOOK_MS);
}

/* ---- the row ---- */

static const struct shape event = {
    .kind = SHAPE_OBJECT,
    .ref = "Event",
    .keys =
        SHAPE_KEYS({"number", &api_number, true, "ascending; begins anew with the server"}, {"run", &shape_text, true, "its id"},
                   {"time_ms", &api_time, true, "when"}, {"flow", &shape_text, true, "its id"},
                   {"kind", &shape_text, true, "accepted, started, done, failed, canceled, log"},
                   {"level", &api_text_or_null, true, "of a log line"}, {"text", &api_text_or_null, true, "masked"}),
};
static const struct shape events_page = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"events", &(const struct shape){.kind = SHAPE_LIST, .item = &event}, true, "oldest first"},
                       {"newest", &api_number, true, "`after` of the next request"}),
};
static const struct shape wait_seconds = {.kind = SHAPE_INT, .max = WAIT_MAX_S};
static const struct api_route routes[] = {
    {.method = "GET",
     .path = API_WORKSPACE "/logs",
     .permission = PERMISSION_RUNS_READ,
     .name = "listEvents",
     .about = "What happened: runs as they begin and end, and what they log. The last few thousand lines are there.",
     .query = SHAPE_KEYS({"after", &api_number, false, "those after this number"},
                         {"wait", &wait_seconds, false, "seconds to wait for the first (0)"}),
     .answers = API_ANSWERS({200, &events_page, "those that there are"}),
     .run = list},
};
const struct api_resource api_resource_logs = API_RESOURCE("Logs", routes);
