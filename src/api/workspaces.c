/* workspaces.c — the workspaces, what each needs, and its mode. */
#include "api/call.h"

static const char *mode_name(char mode) { return mode == 'l' ? "live" : "practice"; }

static json_t *workspace_json(const struct workspace *w) {
    const struct release *r = w->release;
    return json_pack("{s:o, s:o, s:s, s:I, s:I}", "name", jsonx_from_str(w->name), "title", api_text(r ? r->title : w->name),
                     "mode", mode_name(w->mode), "release", (json_int_t)(r ? r->id : 0), "flows",
                     (json_int_t)(r ? r->flow_count : 0));
}

void api_workspaces(struct api_call *c) {
    json_t *list = json_array();
    struct workspace *w;
    for (size_t i = 0; (w = workspaces_at(c->api->env.workspaces, i)); i++)
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

void api_workspace_get(struct api_call *c) {
    const struct workspace *w = api_workspace(c);
    if (!w)
        return;
    json_t *value = workspace_json(w);
    json_object_set_new(value, "settings", settings_json(w));
    json_object_set_new(value, "secrets", api_secrets_json(w));
    json_object_set_new(value, "flows", api_flows_json(c->api, w));
    api_answer(c, 200, value);
}

void api_mode_put(struct api_call *c) {
    struct workspace *w = api_published(c);
    struct str mode = jsonx_str(c->body, "mode");
    struct error err;
    if (!w)
        return;
    bool live = str_is(mode, "live"), known = live || str_is(mode, "practice");
    if (!known)
        error_set(&err, ERR_INVALID, "`mode` is neither live nor practice");
    if (known && workspace_set_mode(w, live ? 'l' : 'p', &err))
        api_answer(c, 200, workspace_json(w));
    else
        api_fail(c, &err);
}
