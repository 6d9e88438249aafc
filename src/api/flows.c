/* flows.c — the flows of a workspace, and starting one; versions.c has what is done to one. */
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
    json_object_set_new(value, "enabled", json_boolean(!workspace_flow_is_disabled(w, f->id)));
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

/* ---- with their drafts ---- */

struct listing {
    json_t *running;   /* {"ID": what its release tells} */
    json_t *published; /* {"ID": number of the newest version that was published, 0: it was deleted} */
    json_t *flows;
};

static bool add_published(void *arg, const struct version_row *row) {
    struct listing *l = arg;
    json_object_setn_new(l->published, row->flow.ptr, row->flow.len, json_integer(row->content.len ? row->number : 0));
    return true;
}

/* What a draft says of itself. */
static json_t *draft_json(const struct version_row *row) {
    struct error unreadable;
    json_t *content = jsonx_parse(row->content, &unreadable);
    const json_t *document = json_object_get(content, "document");
    json_t *value = json_pack("{s:o, s:o, s:o}", "id", jsonx_from_str(row->flow), "name", api_text(jsonx_str(document, "name")),
                              "type", api_text(jsonx_str(document, "type")));
    json_decref(content);
    return value;
}

static bool add_newest(void *arg, const struct version_row *row) {
    struct listing *l = arg;
    int64_t published = json_integer_value(json_object_getn(l->published, row->flow.ptr, row->flow.len));
    json_t *running = published ? json_object_getn(l->running, row->flow.ptr, row->flow.len) : NULL;
    if (!running && !row->content.len)
        return true;
    json_t *value = running ? json_incref(running) : draft_json(row);
    const struct version_row runs = {.number = published, .content = STR("{}")};
    json_object_set_new(value, "state", json_string(version_state(row, published ? &runs : NULL)));
    json_object_set_new(value, "version", json_integer(row->number));
    json_array_append_new(l->flows, value);
    return true;
}

static bool list_work(struct store_tx *tx, void *arg, struct error *err) {
    struct api_call *c = arg;
    struct listing l = {json_object(), json_object(), json_array()};
    size_t i;
    json_t *flow;
    json_array_foreach(json_object_get(c->result, "flows"), i, flow)
        json_object_set(l.running, json_string_value(json_object_get(flow, "id")), flow);
    bool ok = tx_version_newest(tx, c->workspace->id, true, add_published, &l, err) &&
              tx_version_newest(tx, c->workspace->id, false, add_newest, &l, err);
    json_object_set_new(c->result, "flows", l.flows);
    ok = ok && api_page(c, c->result, "flows", "id", err);
    json_decref(l.running);
    json_decref(l.published);
    return ok;
}

static void list(struct api_call *c) {
    const struct workspace *w = api_workspace(c);
    if (!w)
        return;
    c->result = json_pack("{s:o}", "flows", api_flows_json(c->api, w));
    api_read(c, list_work);
}

/* ---- starting ---- */

static const struct release_flow *find_flow(const struct workspace *w, struct str id, struct error *err) {
    const struct release_flow *flow = release_find_flow(w->release, id);
    if (!flow)
        error_set(err, ERR_NOT_FOUND, "there is no flow `" STR_FMT "` in this workspace; GET .../flows lists them", STR_ARG(id));
    return flow;
}

static void run(struct api_call *c) {
    const struct workspace *w = api_published(c);
    struct error err;
    if (!w)
        return;
    const struct release_flow *flow = find_flow(w, c->parameters[1], &err);
    if (flow)
        api_start(c, &(struct run_start){.workspace = c->workspace,
                                         .flow = flow,
                                         .trigger = "api",
                                         .input = json_incref(json_object_get(c->body, "input"))});
    else
        api_fail(c, &err);
}

/* ---- the rows ---- */

static const struct shape access_entry = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"type", &shape_text, true, "how callers prove themselves"},
                       {"secret", &shape_text, true, "what it is checked against"}),
};
static const struct shape flow_state = {.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("published", "draft", "changed")};
static const struct shape flow_shape_ = {
    .kind = SHAPE_OBJECT,
    .ref = "Flow",
    .keys =
        SHAPE_KEYS({"id", &shape_text, true, "its file's name without .json"}, {"name", &api_text_or_null, true, "for people"},
                   {"type", &api_text_or_null, true, "endpoint, cron, reusable; of a draft what it says"},
                   {"durable", &shape_bool, false, "whether its runs survive a restart"},
                   {"enabled", &shape_bool, false, "false: it is switched off"},
                   {"state", &flow_state, false, "published; draft: nothing of it runs; changed: something older runs"},
                   {"version", &api_number, false, "the newest"}, {"method", &shape_text, false, "endpoint"},
                   {"path", &shape_text, false, "endpoint: /api/user/{id}"},
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
                                       .keys = SHAPE_KEYS({"flows", &api_flows_shape, true, "by their ids"}, API_PAGE_NEXT)};

static const struct shape any_object = {.kind = SHAPE_MAP, .item = &shape_json};
static const struct shape run_input = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"input", &any_object, false, "what the flow's Start gives: of an endpoint query, requestBody, ..."})};
static const struct api_route routes[] = {
    {.method = "GET",
     .path = API_WORKSPACE "/flows",
     .permission = PERMISSION_WORKSPACES_READ,
     .name = "listFlows",
     .query = API_PAGE_QUERY,
     .about = "The flows of the workspace, drafts too. What is told of a published one is as it runs.",
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
