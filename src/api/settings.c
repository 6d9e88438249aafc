/* settings.c — the values of a workspace's settings, read and changed. */
#include "api/call.h"

static bool is_empty(const json_t *value) {
    return !value || json_is_null(value) || (json_is_string(value) && !json_string_length(value)) ||
           (json_is_array(value) && !json_array_size(value));
}

json_t *api_settings_json(const struct workspace *w) {
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

static json_t *list_json(const struct workspace *w) { return json_pack("{s:o}", "settings", api_settings_json(w)); }

static void list(struct api_call *c) {
    const struct workspace *w = api_workspace(c);
    if (w)
        api_answer_page(c, list_json(w), "settings", "name");
}

/* ---- changing ---- */

bool api_set_document(struct folder *folder, const char *path, const json_t *document, struct error *err) {
    struct buf text;
    buf_init(&text, FOLDER_FILE_MAX);
    bool ok = jsonx_write_pretty(document, &text) ||
              error_set(err, ERR_TOO_LARGE, "%s would be larger than %u bytes", path, FOLDER_FILE_MAX);
    ok = ok && folder_set(folder, str_from(path), buf_str(&text), err);
    buf_release(&text);
    return ok;
}

static void on_published(void *arg, struct release *release, const struct findings *findings, const struct error *err) {
    struct api_call *c = arg;
    if (err) {
        api_fail(c, err);
    } else if (!release) {
        api_fail_findings(c, findings, "nothing was changed");
    } else {
        c->etag = api_etag_json(c, list_json(c->workspace));
        api_answer(c, 200, list_json(c->workspace));
    }
}

/* settings.json with the body's values; null takes one away. */
static json_t *changed_values(const struct api_call *c, const struct folder *folder, struct error *err) {
    const struct folder_file *file = folder_find(folder, STR("settings.json"));
    json_t *values = file ? jsonx_parse(folder_text(file), err) : json_object(), *value;
    const char *name;
    json_object_foreach(json_object_get(c->body, "values"), name, value) {
        if (json_is_null(value))
            json_object_del(values, name);
        else
            json_object_set(values, name, value);
    }
    return values;
}

/* New runs see them: settings are part of a release. */
static void change(struct api_call *c) {
    struct workspace *w = api_published(c);
    struct error err;
    struct save by;
    if (!w || !api_may_change(c, api_etag_json(c, list_json(w))))
        return;
    by = (struct save){c->grant->name, jsonx_str(c->body, "message")};
    struct folder *folder = folder_new();
    json_t *values = workspace_folder(w, folder, &err) ? changed_values(c, folder, &err) : NULL;
    if (values && api_set_document(folder, "settings.json", values, &err))
        workspace_publish(w, folder, &by, on_published, c);
    else
        api_fail(c, &err);
    json_decref(values);
    folder_free(folder);
}

/* ---- the rows ---- */

static const struct shape setting = {
    .kind = SHAPE_OBJECT,
    .ref = "Setting",
    .keys = SHAPE_KEYS({"name", &shape_name, true, "as flows name it"}, {"title", &api_text_or_null, true, "for people"},
                       {"description", &api_text_or_null, true, "what it is for"}, {"schema", &shape_json, true, "of its values"},
                       {"required", &shape_bool, true, "whether live mode needs it"},
                       {"set", &shape_bool, true, "whether it has a value"}, {"value", &shape_json, false, "that flows see now"}),
};
const struct shape api_settings_shape = {.kind = SHAPE_LIST, .item = &setting};
static const struct shape settings_list = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"settings", &api_settings_shape, true, "in the order of workspace.json"}, API_PAGE_NEXT)};
static const struct shape values = {.kind = SHAPE_MAP, .item = &shape_json, .names = true};
static const struct shape to_change = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"values", &values, true, "{NAME: VALUE}, null takes a value away; others stay"},
                       {"message", &api_message, false, "what the change is about"}),
};
static const struct api_route routes[] = {
    {.method = "GET",
     .path = API_WORKSPACE "/settings",
     .permission = PERMISSION_WORKSPACES_READ,
     .name = "listSettings",
     .query = API_PAGE_QUERY,
     .about = "The settings that the workspace declares, with their schemas and values.",
     .answers = API_ANSWERS({200, &settings_list, "all of them"}),
     .run = list},
    {.method = "PATCH",
     .path = API_WORKSPACE "/settings",
     .permission = PERMISSION_SETTINGS_WRITE,
     .name = "changeSettings",
     .about = "Gives settings values, which count for new runs. What does not fit a setting's schema is refused (400 with "
              "`findings`).",
     .body = &to_change,
     .body_max = 1024 * 1024,
     .answers = API_ANSWERS({200, &settings_list, "as they are now"}),
     .errors = "409",
     .match = MATCH_MAY,
     .run = change},
};
const struct api_resource api_resource_settings = API_RESOURCE("Settings", routes);
