/* workspaces.c — the workspaces, what each needs, and its mode. */
#include "api/call.h"

static const char *mode_name(char mode) { return mode == 'l' ? "live" : "practice"; }

static json_t *workspace_json(const struct workspace *w) {
    const struct release *r = w->release;
    return json_pack("{s:o, s:o, s:s, s:I, s:I}", "name", jsonx_from_str(w->name), "title", api_text(r ? r->title : w->name),
                     "mode", mode_name(w->mode), "release", (json_int_t)(r ? r->id : 0), "flows",
                     (json_int_t)(r ? r->flow_count : 0));
}

static void list(struct api_call *c) {
    json_t *list = json_array();
    struct workspace *w;
    for (size_t i = 0; (w = workspaces_at(c->api->env.workspaces, i)); i++)
        if (grant_sees(c->grant, w->name))
            json_array_append_new(list, workspace_json(w));
    api_answer_page(c, json_pack("{s:o}", "workspaces", list), "workspaces", "name");
}

static json_t *whole_json(const struct api *a, const struct workspace *w) {
    json_t *value = workspace_json(w);
    const json_t *document = w->release ? w->release->json : NULL;
    json_t *hosts = json_object_get(document, "hosts");
    json_object_set_new(value, "description", api_text(jsonx_str(document, "description")));
    json_object_set_new(value, "hosts", hosts ? json_incref(hosts) : json_array());
    json_object_set_new(value, "settings", api_settings_json(w));
    json_object_set_new(value, "secrets", api_secrets_json(w));
    json_object_set_new(value, "flows", api_flows_json(a, w));
    return value;
}

static void get(struct api_call *c) {
    const struct workspace *w = api_workspace(c);
    if (w)
        api_answer(c, 200, whole_json(c->api, w));
}

/* ---- making, changing, deleting ---- */

static void on_written(void *arg, struct release *release, const struct findings *findings, const struct error *err) {
    struct api_call *c = arg;
    if (err)
        api_fail(c, err);
    else if (!release)
        api_fail_findings(c, findings, "nothing was changed");
    else
        api_answer(c, c->location ? 201 : 200, whole_json(c->api, c->workspace));
}

/* workspace.json gets what the body says of it; null takes it out. */
static void save(struct api_call *c) {
    static const char *const members[] = {"title", "description", "hosts"};
    struct error err;
    struct save by = {c->grant->name, jsonx_str(c->body, "message")};
    struct folder *folder = folder_new();
    json_t *document = NULL;
    if (workspace_published_folder(c->workspace, folder, &err))
        document = jsonx_parse(folder_text(folder_find(folder, STR("workspace.json"))), &err);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        json_t *value = json_object_get(c->body, members[i]);
        if (json_is_null(value) || (json_is_array(value) && !json_array_size(value)))
            json_object_del(document, members[i]);
        else if (value)
            json_object_set(document, members[i], value);
    }
    if (document && api_set_document(folder, "workspace.json", document, &err))
        workspace_publish(c->workspace, folder, &by, on_written, c);
    else
        api_fail(c, &err);
    json_decref(document);
    folder_free(folder);
}

static void create(struct api_call *c) {
    struct str name = jsonx_str(c->body, "name");
    struct error err;
    if (workspaces_find(c->api->env.workspaces, name)) {
        error_set(&err, ERR_CONFLICT, "there is a workspace `" STR_FMT "` already", STR_ARG(name));
        api_fail(c, &err);
        return;
    }
    c->workspace = workspaces_add(c->api->env.workspaces, name, 'p', &err);
    if (!c->workspace) {
        api_fail(c, &err);
        return;
    }
    c->location = arena_printf(c->arena, "/api/v1/workspaces/" STR_FMT, STR_ARG(name));
    save(c);
}

static void change(struct api_call *c) {
    const struct workspace *w = api_workspace(c);
    if (w && api_may_change(c, api_etag_json(c, whole_json(c->api, w))))
        save(c);
}

static void delete (struct api_call *c) {
    struct workspace *w = api_workspace(c);
    struct error err;
    if (!w || !api_may_change(c, api_etag_json(c, whole_json(c->api, w))))
        return;
    bool busy = runs_are_open_in(c->api->env.runs, w);
    if (busy)
        error_set(&err, ERR_CONFLICT, "runs of it are under way: cancel them, or let them end");
    if (!busy && workspaces_remove(w, &err))
        api_answer(c, 200, json_object());
    else
        api_fail(c, &err);
}

static void set_mode(struct api_call *c) {
    struct workspace *w = api_published(c);
    struct error err;
    if (!w)
        return;
    if (workspace_set_mode(w, str_is(jsonx_str(c->body, "mode"), "live") ? 'l' : 'p', &err))
        api_answer(c, 200, workspace_json(w));
    else
        api_fail(c, &err);
}

/* ---- the rows ---- */

#define WORKSPACE_KEYS                                                                                                           \
    {"name", &shape_text, true, "in paths"}, {"title", &api_text_or_null, true, "for people"},                                   \
        {"mode", &api_mode, true, "of the next runs"},                                                                           \
        {"release", &api_number, true, "the newest; 0: nothing is published yet"}, {                                             \
        "flows", &api_number, true, "how many"                                                                                   \
    }
static const struct shape workspace_row = {.kind = SHAPE_OBJECT, .ref = "WorkspaceRow", .keys = SHAPE_KEYS(WORKSPACE_KEYS)};
static const struct shape host_name = {.kind = SHAPE_STRING, .min = 1, .max = 253};
static const struct shape host_list = {.kind = SHAPE_LIST, .item = &host_name, .max = 100};
static const struct shape title = {.kind = SHAPE_STRING, .max = 200, .or_null = true};
static const struct shape description = {.kind = SHAPE_STRING, .max = 2000, .or_null = true};
#define DOCUMENT_KEYS                                                                                                            \
    {"title", &title, false, "for people"}, {"description", &description, false, "what it is for"},                              \
        {"hosts", &host_list, false, "host names it answers for; none: those that no other workspace has"}, {                    \
        "message", &api_message, false, "what the change is about"                                                               \
    }
static const struct shape to_create = {.kind = SHAPE_OBJECT,
                                       .keys = SHAPE_KEYS({"name", &shape_id, true, "in paths, and for ever"}, DOCUMENT_KEYS)};
static const struct shape to_change = {.kind = SHAPE_OBJECT, .keys = SHAPE_KEYS(DOCUMENT_KEYS)};
static const struct shape workspace_shape_ = {
    .kind = SHAPE_OBJECT,
    .ref = "Workspace",
    .keys = SHAPE_KEYS({"name", &shape_text, true, "in paths"}, {"title", &api_text_or_null, true, "for people"},
                       {"mode", &api_mode, true, "of the next runs"},
                       {"release", &api_number, true, "the newest; 0: nothing is published yet"},
                       {"description", &api_text_or_null, true, "what it is for"},
                       {"hosts", &host_list, true, "host names it answers for; none: those that no other workspace has"},
                       {"settings", &api_settings_shape, true, "in the order of workspace.json"},
                       {"secrets", &api_secrets_shape, true, "in the order of workspace.json"},
                       {"flows", &api_flows_shape, true, "by their ids"}),
};
static const struct shape workspace_list = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"workspaces", &(const struct shape){.kind = SHAPE_LIST, .item = &workspace_row}, true, "all of them"},
                       API_PAGE_NEXT)};
static const struct shape mode_body = {.kind = SHAPE_OBJECT, .keys = SHAPE_KEYS({"mode", &api_mode, true, "practice or live"})};
static const struct api_route routes[] = {
    {.method = "GET",
     .path = "/api/v1/workspaces",
     .permission = PERMISSION_WORKSPACES_READ,
     .any_scope = true,
     .name = "listWorkspaces",
     .about = "The workspaces on this server.",
     .query = API_PAGE_QUERY,
     .answers = API_ANSWERS({200, &workspace_list, "those that the token may see"}),
     .run = list},
    {.method = "GET",
     .path = API_WORKSPACE,
     .permission = PERMISSION_WORKSPACES_READ,
     .name = "getWorkspace",
     .about = "One, with its settings, its secrets (whether each is set, never a value) and its flows.",
     .answers = API_ANSWERS({200, &workspace_shape_, "as it is now"}),
     .run = get},
    {.method = "POST",
     .path = "/api/v1/workspaces",
     .permission = PERMISSION_WORKSPACES_WRITE,
     .name = "createWorkspace",
     .about = "Makes one without flows, in practice mode.",
     .body = &to_create,
     .answers = API_ANSWERS({201, &workspace_shape_, "it is there"}),
     .errors = "409",
     .run = create},
    {.method = "PATCH",
     .path = API_WORKSPACE,
     .permission = PERMISSION_WORKSPACES_WRITE,
     .name = "changeWorkspace",
     .about = "Changes what is given; null takes it away. Settings and secrets are declared in workspace.json: PUT .../files.",
     .body = &to_change,
     .answers = API_ANSWERS({200, &workspace_shape_, "as it is now"}),
     .errors = "409",
     .match = MATCH_MAY,
     .run = change},
    {.method = "DELETE",
     .path = API_WORKSPACE,
     .permission = PERMISSION_WORKSPACES_WRITE,
     .name = "deleteWorkspace",
     .about = "Deletes it with all that it has: flows and their versions, runs, state, outbox, secrets. Refused (409) while it "
              "is live, or "
              "has runs under way.",
     .answers = API_ANSWERS({200, &api_nothing, "it is gone"}),
     .errors = "409",
     .match = MATCH_MAY,
     .run = delete},
    {.method = "PUT",
     .path = API_WORKSPACE "/mode",
     .permission = PERMISSION_WORKSPACES_WRITE,
     .name = "setMode",
     .about = "Switches the next runs to practice or live; live is refused (409) while something needed is empty, naming it.",
     .body = &mode_body,
     .answers = API_ANSWERS({200, &workspace_row, "it is switched"}),
     .errors = "409",
     .run = set_mode},
};
const struct api_resource api_resource_workspaces = API_RESOURCE("Workspaces", routes);
