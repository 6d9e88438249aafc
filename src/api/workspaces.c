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
    api_answer(c, 200, json_pack("{s:o}", "workspaces", list));
}

static bool is_empty(const json_t *value) {
    return !value || json_is_null(value) || (json_is_string(value) && !json_string_length(value)) ||
           (json_is_array(value) && !json_array_size(value));
}

static json_t *settings_json(const struct workspace *w) {
    json_t *list = json_array();
    for (size_t i = 0; w->release && i < w->release->setting_count; i++) {
        const struct release_setting *s = &w->release->settings[i];
        const json_t *value = release_setting_value(w->release, s->name, w->mode);
        json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:O, s:b, s:b, s:O?}", "name", jsonx_from_str(s->name), "title",
                                              api_text(s->title), "description", api_text(s->description), "schema", s->schema,
                                              "required", s->required, "set", !is_empty(value), "value", value));
    }
    return list;
}

static void get(struct api_call *c) {
    const struct workspace *w = api_workspace(c);
    if (!w)
        return;
    json_t *value = workspace_json(w);
    json_object_set_new(value, "settings", settings_json(w));
    json_object_set_new(value, "secrets", api_secrets_json(w));
    json_object_set_new(value, "flows", api_flows_json(c->api, w));
    api_answer(c, 200, value);
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
static const struct shape setting = {
    .kind = SHAPE_OBJECT,
    .ref = "Setting",
    .keys = SHAPE_KEYS({"name", &shape_name, true, "as flows name it"}, {"title", &api_text_or_null, true, "for people"},
                       {"description", &api_text_or_null, true, "what it is for"}, {"schema", &shape_json, true, "of its values"},
                       {"required", &shape_bool, true, "whether live mode needs it"},
                       {"set", &shape_bool, true, "whether it has a value"}, {"value", &shape_json, false, "that flows see now"}),
};
static const struct shape setting_list = {.kind = SHAPE_LIST, .item = &setting};
static const struct shape workspace_shape_ = {
    .kind = SHAPE_OBJECT,
    .ref = "Workspace",
    .keys = SHAPE_KEYS({"name", &shape_text, true, "in paths"}, {"title", &api_text_or_null, true, "for people"},
                       {"mode", &api_mode, true, "of the next runs"},
                       {"release", &api_number, true, "the newest; 0: nothing is published yet"},
                       {"settings", &setting_list, true, "in the order of workspace.json"},
                       {"secrets", &api_secrets_shape, true, "in the order of workspace.json"},
                       {"flows", &api_flows_shape, true, "by their ids"}),
};
static const struct shape workspace_list = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"workspaces", &(const struct shape){.kind = SHAPE_LIST, .item = &workspace_row}, true, "all of them"})};
static const struct shape mode_body = {.kind = SHAPE_OBJECT, .keys = SHAPE_KEYS({"mode", &api_mode, true, "practice or live"})};
static const struct api_route routes[] = {
    {.method = "GET",
     .path = "/api/v1/workspaces",
     .permission = PERMISSION_WORKSPACES_READ,
     .any_scope = true,
     .name = "listWorkspaces",
     .about = "The workspaces on this server.",
     .answers = API_ANSWERS({200, &workspace_list, "those that the token may see"}),
     .run = list},
    {.method = "GET",
     .path = API_WORKSPACE,
     .permission = PERMISSION_WORKSPACES_READ,
     .name = "getWorkspace",
     .about = "One, with its settings, its secrets (whether each is set, never a value) and its flows.",
     .answers = API_ANSWERS({200, &workspace_shape_, "as it is now"}),
     .run = get},
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
