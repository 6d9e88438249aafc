/* files.c — the workspace as a folder: published, fetched, checked. */
#include "api/call.h"

/* What the body holds, NULL after an answer. */
static struct folder *read_folder(struct api_call *c) {
    struct error err;
    struct folder *folder = folder_new();
    if (folder_from_json(folder, json_object_get(c->body, "files"), &err))
        return folder;
    api_fail(c, &err);
    folder_free(folder);
    return NULL;
}

/* With all drafts; NULL after an answer. */
static struct folder *read_stored(struct api_call *c) {
    struct error err;
    struct workspace *w = api_workspace(c);
    struct folder *folder = folder_new();
    if (w && workspace_newest_folder(w, folder, &err))
        return folder;
    if (w)
        api_fail(c, &err);
    folder_free(folder);
    return NULL;
}

static void on_checked(void *arg, struct release *release, const struct findings *findings, const struct error *err) {
    struct api_call *c = arg;
    (void)release;
    if (err)
        api_fail(c, err);
    else
        api_answer(c, 200, json_pack("{s:b, s:o}", "ok", findings->errors == 0, "findings", findings_json(findings)));
}

static void check(struct api_call *c) {
    struct folder *folder = json_object_get(c->body, "files") ? read_folder(c) : read_stored(c);
    if (folder)
        workspaces_check(c->api->env.workspaces, folder, on_checked, c);
    folder_free(folder);
}

/* ---- publishing ---- */

static void on_published(void *arg, struct release *release, const struct findings *findings, const struct error *err) {
    struct api_call *c = arg;
    const struct workspace *w = c->workspace;
    if (err) {
        api_fail(c, err);
        return;
    }
    if (!release) {
        api_fail_findings(c, findings, "nothing was published");
        return;
    }
    json_t *flows = json_array();
    for (size_t i = 0; i < release->flow_count; i++)
        json_array_append_new(flows, jsonx_from_str(release->flows[i].id));
    api_answer(c, 200,
               json_pack("{s:o, s:I, s:b, s:s, s:o, s:o}", "workspace", jsonx_from_str(w->name), "release",
                         (json_int_t)release->id, "changed", release->id != c->release_before, "mode",
                         w->mode == 'l' ? "live" : "practice", "flows", flows, "findings",
                         findings ? findings_json(findings) : json_array()));
}

static void publish(struct api_call *c, const struct folder *folder) {
    c->release_before = c->workspace->release ? c->workspace->release->id : 0;
    workspace_publish(c->workspace, folder, &(struct save){c->grant->name, jsonx_str(c->body, "message")}, on_published, c);
}

/* A workspace is made once its folder has no errors, so that a mistyped one leaves nothing behind. */
static void on_new_checked(void *arg, struct release *release, const struct findings *findings, const struct error *err) {
    struct api_call *c = arg;
    struct error failed;
    (void)release;
    if (err) {
        api_fail(c, err);
        return;
    }
    if (findings->errors) {
        api_fail_findings(c, findings, "nothing was published");
        return;
    }
    c->workspace = workspaces_add(c->api->env.workspaces, c->parameters[0], 'p', &failed);
    struct folder *folder = c->workspace ? read_folder(c) : NULL;
    if (folder)
        publish(c, folder);
    else if (!c->workspace)
        api_fail(c, &failed);
    folder_free(folder);
}

/* The folder says which workspace it is: pushing it to another one is most likely a mistake. */
static bool check_name(const struct api_call *c, const struct folder *folder, struct error *err) {
    const struct folder_file *file = folder_find(folder, STR("workspace.json"));
    struct error unreadable;
    json_t *document = file ? jsonx_parse(folder_text(file), &unreadable) : NULL;
    struct str name = jsonx_str(document, "name");
    bool other = name.len && !str_eq(name, c->parameters[0]);
    if (other)
        error_set(err, ERR_INVALID, "workspace.json names the workspace `" STR_FMT "`, and this is `" STR_FMT "`", STR_ARG(name),
                  STR_ARG(c->parameters[0]));
    json_decref(document);
    return !other;
}

static bool check_base(const struct api_call *c, struct error *err) {
    int64_t newest = c->workspace && c->workspace->release ? c->workspace->release->id : 0;
    int64_t base = jsonx_int(c->body, "base_release", newest);
    return base == newest ||
           error_set(err, ERR_CONFLICT, "release %lld is the newest, not %lld: pull it, bring the changes together, push again",
                     (long long)newest, (long long)base);
}

static void push(struct api_call *c) {
    struct folder *folder = read_folder(c);
    struct error err;
    if (!folder)
        return;
    c->workspace = workspaces_find(c->api->env.workspaces, c->parameters[0]);
    if (!check_name(c, folder, &err) || !check_base(c, &err))
        api_fail(c, &err);
    else if (c->workspace)
        publish(c, folder);
    else
        workspaces_check(c->api->env.workspaces, folder, on_new_checked, c);
    folder_free(folder);
}

static void get(struct api_call *c) {
    struct workspace *w = api_published(c);
    struct error err;
    if (!w)
        return;
    struct folder *folder = folder_new();
    if (workspace_folder(w, folder, &err))
        api_answer(c, 200, json_pack("{s:I, s:o}", "release", (json_int_t)w->release->id, "files", folder_to_json(folder)));
    else
        api_fail(c, &err);
    folder_free(folder);
}

/* ---- the rows ---- */

#define BODY_MAX ((size_t)24 * 1024 * 1024) /* a folder of 16 MB as JSON */

static const struct shape file_texts = {.kind = SHAPE_MAP, .item = &shape_text};
static const struct shape pushed = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS(
        {"files", &file_texts, true, "{\"workspace.json\": \"its text\", \"flows/hello.json\": \"...\"}"},
        {"base_release", &api_number, false, "the release that the changes began with: 409 where it is not the newest"},
        {"message", &api_message, false, "what the change is about"}),
};
static const struct shape to_check = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"files", &file_texts, false, "a whole folder; left out: what is stored, with all drafts"}),
};
static const struct shape folder_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"release", &api_number, true, "of which they are"}, {"files", &file_texts, true, "texts by their paths"}),
};
static const struct shape checked = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"ok", &shape_bool, true, "whether it could be published"},
                       {"findings", &api_findings, true, "errors and warnings"}),
};
static const struct shape flow_ids = {.kind = SHAPE_LIST, .item = &shape_text, .max = FOLDER_FILES_MAX};
static const struct shape published = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"workspace", &shape_text, true, "its name"}, {"release", &api_number, true, "the newest"},
                       {"changed", &shape_bool, true, "false: the folder was the newest already"},
                       {"mode", &api_mode, true, "the workspace's"}, {"flows", &flow_ids, true, "all ids"},
                       {"findings", &api_findings, true, "warnings"}),
};
static const struct api_route routes[] = {
    {.method = "GET",
     .path = API_WORKSPACE "/files",
     .permission = PERMISSION_WORKSPACES_READ,
     .name = "getFiles",
     .about = "The workspace as a folder of files, as it was published.",
     .answers = API_ANSWERS({200, &folder_shape, "all files"}),
     .run = get},
    {.method = "PUT",
     .path = API_WORKSPACE "/files",
     .permission = PERMISSION_FLOWS_WRITE,
     .name = "pushFiles",
     .about = "Publishes a whole folder. Where it has errors they are told (400 with `findings`) and nothing changes; the "
              "workspace is "
              "made where there is none.",
     .body = &pushed,
     .body_max = BODY_MAX,
     .answers = API_ANSWERS({200, &published, "new runs use it"}),
     .errors = "409",
     .run = push},
    {.method = "POST",
     .path = API_WORKSPACE "/check",
     .permission = PERMISSION_WORKSPACES_READ,
     .name = "check",
     .about = "Checks a folder, or what is stored, as publishing it would; publishes nothing.",
     .body = &to_check,
     .body_max = BODY_MAX,
     .answers = API_ANSWERS({200, &checked, "what was found"}),
     .run = check},
};
const struct api_resource api_resource_files = API_RESOURCE("Files", routes);
