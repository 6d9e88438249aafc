/* flows.c — the flows of a workspace, and starting one. */
#include "api/call.h"

static json_t *access_json(const struct release_flow *f) {
    json_t *list = json_array();
    for (size_t i = 0; i < f->access_count; i++)
        json_array_append_new(list, json_pack("{s:s, s:o}", "type", access_type_name(f->access[i].type), "secret",
                                              jsonx_from_str(f->access[i].secret)));
    return list;
}

static json_t *flow_json(const struct api *a, const struct workspace *w, const struct release_flow *f) {
    json_t *value = json_pack("{s:o, s:o, s:s, s:b}", "id", jsonx_from_str(f->id), "name", jsonx_from_str(f->name), "type",
                              flow_type_name(f->type), "durable", f->durable);
    if (f->type == FLOW_ENDPOINT)
        json_object_update_new(value, json_pack("{s:o, s:o, s:s, s:o}", "method", jsonx_from_str(f->method), "path",
                                                jsonx_from_str(f->path), "answer", f->at_once ? "at once" : "end", "access",
                                                access_json(f)));
    if (f->type == FLOW_CRON)
        json_object_update_new(value,
                               json_pack("{s:o, s:o, s:o, s:I}", "every", api_text(f->every), "line", api_text(f->line), "zone",
                                         api_text(f->zone), "next_ms", (json_int_t)schedules_next(a->env.schedules, w, f->id)));
    return value;
}

json_t *api_flows_json(const struct api *a, const struct workspace *w) {
    json_t *list = json_array();
    for (size_t i = 0; w->release && i < w->release->flow_count; i++)
        json_array_append_new(list, flow_json(a, w, &w->release->flows[i]));
    return list;
}

static void list(struct api_call *c) {
    const struct workspace *w = api_workspace(c);
    if (w)
        api_answer(c, 200, json_pack("{s:o}", "flows", api_flows_json(c->api, w)));
}

/* ---- starting ---- */

/* A run whose caller waits: for its end, or only until it is stored. It may outlive the call: a shutdown does not wait for it. */
struct api_started {
    struct api *api;
    struct api_call *call; /* NULL: answered already */
    uint64_t run;
    json_t *answer; /* what an endpoint's caller would get; owned, NULL: nothing yet */
    struct api_started *next;
};

static json_t *run_json(uint64_t run, const char *state) {
    char id[RUN_ID_TEXT];
    run_id_write(run, id);
    return json_pack("{s:s, s:s}", "run", id, "state", state);
}

static void started_free(struct api_started *s) {
    struct api_started **at = &s->api->started;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    json_decref(s->answer);
    free(s);
}

static void on_answered(void *arg, const struct run_answer *a) {
    struct api_started *s = arg;
    s->answer = json_pack("{s:i, s:O?, s:o}", "status", a->status, "headers", a->headers, "body", jsonx_from_str(a->body));
}

/* Stored, or refused with a problem. */
static void on_accepted(void *arg, const struct run_answer *a) {
    struct api_started *s = arg;
    if (s->call && a->status == 202)
        api_answer(s->call, 202, run_json(a->run, "accepted"));
    else if (s->call)
        api_answer_text(s->call, a->status, "application/problem+json", a->body);
    started_free(s);
}

static void on_ended(void *arg, const struct run_end *end) {
    struct api_started *s = arg;
    if (s->call) {
        json_t *value = run_json(end->run, run_state_name(end->state));
        if (end->output)
            json_object_set(value, "output", (json_t *)(uintptr_t)end->output);
        if (end->error)
            json_object_set_new(value, "error",
                                json_pack("{s:s, s:o}", "code", error_name(end->error->code), "message",
                                          jsonx_from_str(str_from(end->error->text))));
        if (s->answer)
            json_object_set(value, "answer", s->answer);
        api_answer(s->call, 200, value);
    }
    started_free(s);
}

void api_flows_release(struct api *a) {
    for (struct api_started *s = a->started; s; s = s->next) {
        if (s->call)
            api_answer(s->call, 202, run_json(s->run, "running"));
        s->call = NULL;
    }
}

void api_flows_close(struct api *a) {
    while (a->started)
        started_free(a->started);
}

static const struct release_flow *find_flow(const struct workspace *w, struct str id, struct error *err) {
    const struct release_flow *flow = release_find_flow(w->release, id);
    if (!flow)
        error_set(err, ERR_NOT_FOUND, "there is no flow `" STR_FMT "` in this workspace; GET .../flows lists them", STR_ARG(id));
    return flow;
}

/* A durable run's caller is never told before it is stored (semantics 21). */
static void start(struct api_call *c, const struct release_flow *flow, bool to_end) {
    struct api_started *s = NULL;
    struct run_start begin = {.workspace = c->workspace, .flow = flow, .trigger = "api", .at_once = !to_end};
    struct error err;
    begin.input = json_incref(json_object_get(c->body, "input"));
    if (to_end || flow->durable) {
        s = mem_alloc(sizeof *s);
        *s = (struct api_started){.api = c->api, .call = c, .next = c->api->started};
        c->api->started = s;
        begin.answered = !to_end ? on_accepted : flow->type == FLOW_ENDPOINT ? on_answered : NULL;
        begin.ended = to_end ? on_ended : NULL;
        begin.arg = s;
    }
    uint64_t run = runs_start(c->api->env.runs, &begin, &err);
    if (s && run) {
        s->run = run;
    } else if (run) {
        api_answer(c, 202, run_json(run, "accepted"));
    } else {
        if (s)
            started_free(s);
        api_fail(c, &err);
    }
}

static void run(struct api_call *c) {
    const struct workspace *w = api_published(c);
    struct error err;
    if (!w)
        return;
    const struct release_flow *flow = find_flow(w, c->parameters[1], &err);
    if (flow)
        start(c, flow, jsonx_bool(c->query, "wait", false) && !c->api->closing);
    else
        api_fail(c, &err);
}

/* ---- the rows ---- */

static const struct shape access_entry = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"type", &shape_text, true, "how callers prove themselves"},
                       {"secret", &shape_text, true, "what it is checked against"}),
};
static const struct shape flow_type = {.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("endpoint", "cron", "reusable")};
static const struct shape flow_shape_ = {
    .kind = SHAPE_OBJECT,
    .ref = "Flow",
    .keys = SHAPE_KEYS(
        {"id", &shape_text, true, "its file's name without .json"}, {"name", &shape_text, true, "for people"},
        {"type", &flow_type, true, "what starts it"}, {"durable", &shape_bool, true, "whether its runs survive a restart"},
        {"method", &shape_text, false, "endpoint"}, {"path", &shape_text, false, "endpoint: /api/user/{id}"},
        {"answer", &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("end", "at once")}, false,
         "endpoint: when its caller hears"},
        {"access", &(const struct shape){.kind = SHAPE_LIST, .item = &access_entry, .max = 10}, false,
         "endpoint: any one is enough; none: everybody"},
        {"every", &api_text_or_null, false, "cron: 5 minutes"}, {"line", &api_text_or_null, false, "cron: its line"},
        {"zone", &api_text_or_null, false, "cron: where the line's times are"},
        {"next_ms", &api_time, false, "cron: when it is due next; 0: never"}),
};
const struct shape api_flows_shape = {.kind = SHAPE_LIST, .item = &flow_shape_, .max = FOLDER_FILES_MAX};
static const struct shape flow_list = {.kind = SHAPE_OBJECT,
                                       .keys = SHAPE_KEYS({"flows", &api_flows_shape, true, "by their ids"})};

static const struct shape any_object = {.kind = SHAPE_MAP, .item = &shape_json};
static const struct shape run_input = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"input", &any_object, false, "what the flow's Start gives: of an endpoint query, requestBody, ..."})};
static const struct shape failure = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"code", &shape_text, true, "for programs"}, {"message", &shape_text, true, "a sentence"})};
static const struct shape endpoint_answer = {.kind = SHAPE_OBJECT,
                                             .keys = SHAPE_KEYS({"status", &api_number, true, "of HTTP"},
                                                                {"headers", &shape_json, false, "its fields"},
                                                                {"body", &shape_text, true, "as text"})};
const struct shape api_started_shape = {
    .kind = SHAPE_OBJECT,
    .ref = "Started",
    .keys = SHAPE_KEYS({"run", &shape_text, true, "its id"},
                       {"state", &shape_text, true, "accepted, running; with wait=true done, failed, canceled"},
                       {"output", &shape_json, false, "what it ended with"}, {"error", &failure, false, "why it failed"},
                       {"answer", &endpoint_answer, false, "what an endpoint's caller would have got"}),
};
static const struct api_route routes[] = {
    {.method = "GET",
     .path = API_WORKSPACE "/flows",
     .permission = PERMISSION_WORKSPACES_READ,
     .name = "listFlows",
     .about = "The flows of the workspace.",
     .answers = API_ANSWERS({200, &flow_list, "all of them"}),
     .run = list},
    {.method = "POST",
     .path = API_WORKSPACE "/flows/{flow}/runs",
     .permission = PERMISSION_RUNS_WRITE,
     .name = "startRun",
     .about = "Starts a published flow.",
     .query = SHAPE_KEYS({"wait", &shape_bool, false, "true: answered when the run is over"}),
     .body = &run_input,
     .body_max = 1024 * 1024,
     .answers = API_ANSWERS({200, &api_started_shape, "with wait=true: it is over"},
                            {202, &api_started_shape, "it is under way, and stored where the flow is durable"}),
     .run = run},
};
const struct api_resource api_resource_flows = API_RESOURCE("Flows", routes);
