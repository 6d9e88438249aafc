/* versions.c — flows as they are edited: read, saved as drafts, published, deleted; every save is a version. */
#include "api/call.h"
#include "flow/diff.h"

#define LIST_MAX 1000
#define BODY_MAX ((size_t)8 * 1024 * 1024)

static json_t *time_json(int64_t ms) { return ms ? json_integer(ms) : json_null(); }

static json_t *row_json(const struct version_row *row) {
    return json_pack("{s:I, s:I, s:o, s:o, s:o, s:b}", "version", (json_int_t)row->number, "time_ms", (json_int_t)row->time_ms,
                     "author", jsonx_from_str(row->author), "message", jsonx_from_str(row->message), "release",
                     time_json(row->release), "deleted", !row->content.len);
}

/* Adds what it holds to what is told of a version. Stored text is ours and valid. */
static void add_content(json_t *value, struct str content) {
    struct error err;
    json_t *parsed = content.len ? jsonx_parse(content, &err) : NULL;
    json_object_update(value, parsed);
    json_decref(parsed);
}

/* Empty where there is no flow. A draft that is published as it is stays the same version. */
static struct str version_etag(struct api_call *c, const struct version_row *row) {
    if (!row->content.len)
        return STR("");
    return str_from(arena_printf(c->arena, "\"v%lld-%lld\"", (long long)row->number, (long long)row->release));
}

static bool no_flow(struct str flow, struct error *err) {
    return error_set(err, ERR_NOT_FOUND, "there is no flow `" STR_FMT "` in this workspace; GET .../flows lists them",
                     STR_ARG(flow));
}

/* ---- one flow as it was saved last ---- */

/* What the store tells of one, in the call's arena. */
struct found {
    struct api_call *call;
    int64_t before; /* versions below this one; 0: the newest */
    int limit;
    struct version_row newest, published;
};

static struct version_row keep(struct arena *arena, const struct version_row *row) {
    struct version_row kept = *row;
    kept.flow = arena_str(arena, row->flow);
    kept.author = arena_str(arena, row->author);
    kept.message = arena_str(arena, row->message);
    kept.content = arena_str(arena, row->content);
    return kept;
}

static bool take_row(void *arg, const struct version_row *row) {
    struct found *f = arg;
    if (!f->newest.number)
        f->newest = keep(f->call->arena, row);
    if (row->release && !f->published.number)
        f->published = keep(f->call->arena, row);
    return !f->published.number;
}

static bool find_work(struct store_tx *tx, void *arg, struct error *err) {
    struct found *f = arg;
    const struct api_call *c = f->call;
    return tx_version_list(tx, c->workspace->id, c->parameters[1], f->before, f->limit, take_row, f, err);
}

/* The newest version of {flow}, deleted or not (number 0: there never was one). Waits for the store. */
static bool find_newest(struct api_call *c, struct found *f, struct error *err) {
    *f = (struct found){.call = c, .limit = VERSIONS_MAX};
    return store_write_now(c->api->env.store, find_work, f, err);
}

/* One version by its number. */
static bool find_version(struct api_call *c, int64_t number, struct version_row *row, struct error *err) {
    bool possible = number > 0 && number < INT64_MAX;
    struct found f = {.call = c, .before = possible ? number + 1 : 0, .limit = 1};
    if (possible && !store_write_now(c->api->env.store, find_work, &f, err))
        return false;
    if (!possible || f.newest.number != number)
        return error_set(err, ERR_NOT_FOUND, "the flow `" STR_FMT "` has no version %lld; GET .../versions lists them",
                         STR_ARG(c->parameters[1]), (long long)number);
    *row = f.newest;
    return true;
}

static json_t *flow_json(const struct api_call *c, const struct found *f) {
    const struct version_row *published = f->published.number ? &f->published : NULL;
    json_t *value = row_json(&f->newest);
    json_object_del(value, "deleted");
    json_object_set_new(value, "id", jsonx_from_str(c->parameters[1]));
    json_object_set_new(value, "state", json_string(version_state(&f->newest, published)));
    json_object_set_new(value, "published_version",
                        published && published->content.len ? json_integer(published->number) : json_null());
    return value;
}

static void get(struct api_call *c) {
    struct found f;
    struct error err;
    if (!api_workspace(c))
        return;
    if (!find_newest(c, &f, &err) || (!f.newest.content.len && !no_flow(c->parameters[1], &err))) {
        api_fail(c, &err);
        return;
    }
    json_t *value = flow_json(c, &f);
    add_content(value, f.newest.content);
    c->etag = version_etag(c, &f.newest);
    api_answer(c, 200, value);
}

/* ---- saving ---- */

static struct save save_of(const struct api_call *c) { return (struct save){c->grant->name, jsonx_str(c->body, "message")}; }

/* The saved flow, with what a check of it found. */
static void answer_saved(struct api_call *c, const struct findings *findings) {
    struct found f;
    struct error err;
    if (!find_newest(c, &f, &err)) {
        api_fail(c, &err);
        return;
    }
    json_t *value = flow_json(c, &f);
    json_object_set_new(value, "findings", findings ? findings_json(findings) : json_array());
    c->etag = version_etag(c, &f.newest);
    api_answer(c, 200, value);
}

static void on_published(void *arg, struct release *release, const struct findings *findings, const struct error *err) {
    struct api_call *c = arg;
    if (err)
        api_fail(c, err);
    else if (!release)
        api_fail_findings(c, findings, "nothing was changed");
    else
        answer_saved(c, findings);
}

static void on_draft_checked(void *arg, struct release *release, const struct findings *findings, const struct error *err) {
    (void)release;
    if (err)
        api_fail(arg, err);
    else
        answer_saved(arg, findings);
}

/* What is published, with this flow in its place; content NULL: without it. */
static void publish(struct api_call *c, const json_t *content) {
    struct error err;
    struct save by = save_of(c);
    struct folder *folder = folder_new();
    if (workspace_published_folder(c->workspace, folder, &err) && content_lay_over(folder, c->parameters[1], content, &err))
        workspace_publish(c->workspace, folder, &by, on_published, c);
    else
        api_fail(c, &err);
    folder_free(folder);
}

/* A draft may have errors: they are told, and what it is laid into must take it. */
static void save_draft(struct api_call *c, const json_t *content) {
    struct error err;
    struct save by = save_of(c);
    int64_t number;
    struct folder *folder = folder_new();
    if (workspace_newest_folder(c->workspace, folder, &err) && content_lay_over(folder, c->parameters[1], content, &err) &&
        workspace_save(c->workspace, c->parameters[1], content, &by, &number, &err))
        workspaces_check(c->api->env.workspaces, folder, on_draft_checked, c);
    else
        api_fail(c, &err);
    folder_free(folder);
}

static void save_content(struct api_call *c, const json_t *content) {
    if (jsonx_bool(c->body, "publish", false))
        publish(c, content);
    else
        save_draft(c, content);
}

/* Whether the caller has seen what he is about to change; false: answered. */
static bool may_change(struct api_call *c, struct found *f) {
    struct error err;
    if (!is_id(c->parameters[1]))
        error_set(&err, ERR_INVALID, "`" STR_FMT "` is no id: use a-z, then a-z, 0-9, _ and -, at most 64",
                  STR_ARG(c->parameters[1]));
    else if (find_newest(c, f, &err))
        return api_may_change(c, version_etag(c, &f->newest));
    api_fail(c, &err);
    return false;
}

static void put(struct api_call *c) {
    struct found f;
    if (!api_workspace(c) || !may_change(c, &f))
        return;
    json_t *scripts = json_object_get(c->body, "scripts");
    json_t *content = json_pack("{s:O, s:o}", "document", json_object_get(c->body, "document"), "scripts",
                                scripts ? json_incref(scripts) : json_object());
    save_content(c, content);
    json_decref(content);
}

static void delete (struct api_call *c) {
    struct found f;
    struct error err;
    int64_t number;
    struct save by = save_of(c);
    if (!api_workspace(c) || !may_change(c, &f))
        return;
    if (f.published.content.len)
        publish(c, NULL);
    else if (f.newest.content.len ? workspace_save(c->workspace, c->parameters[1], NULL, &by, &number, &err)
                                  : no_flow(c->parameters[1], &err))
        answer_saved(c, NULL);
    else
        api_fail(c, &err);
}

/* ---- all drafts ---- */

static void on_all_published(void *arg, struct release *release, const struct findings *findings, const struct error *err) {
    struct api_call *c = arg;
    if (err)
        api_fail(c, err);
    else if (!release)
        api_fail_findings(c, findings, "nothing was published");
    else
        api_answer(c, 200,
                   json_pack("{s:I, s:o}", "release", (json_int_t)release->id, "findings",
                             findings ? findings_json(findings) : json_array()));
}

static void publish_all(struct api_call *c) {
    struct workspace *w = api_workspace(c);
    struct error err;
    struct save by = save_of(c);
    if (!w)
        return;
    struct folder *folder = folder_new();
    if (workspace_newest_folder(w, folder, &err))
        workspace_publish(w, folder, &by, on_all_published, c);
    else
        api_fail(c, &err);
    folder_free(folder);
}

/* ---- versions ---- */

static bool add_row(void *arg, const struct version_row *row) {
    json_array_append_new(arg, row_json(row));
    return true;
}

static bool list_work(struct store_tx *tx, void *arg, struct error *err) {
    struct api_call *c = arg;
    const struct found *f = c->own;
    json_t *list = json_array();
    c->result = json_pack("{s:o}", "versions", list);
    if (!tx_version_list(tx, c->workspace->id, c->parameters[1], f->before, f->limit, add_row, list, err))
        return false;
    size_t n = json_array_size(list);
    if (n == (size_t)f->limit)
        json_object_set(c->result, "next", json_object_get(json_array_get(list, n - 1), "version"));
    return n || f->before || no_flow(c->parameters[1], err);
}

static void list(struct api_call *c) {
    struct found *f = arena_alloc(c->arena, sizeof *f);
    if (!api_workspace(c))
        return;
    f->before = jsonx_int(c->query, "before", 0);
    f->limit = (int)jsonx_int(c->query, "limit", 100);
    c->own = f;
    api_read(c, list_work);
}

static bool wanted(struct api_call *c, struct version_row *row, struct error *err) {
    int64_t number;
    if (!str_to_int64(c->parameters[2], &number))
        return error_set(err, ERR_NOT_FOUND, "`" STR_FMT "` is no version: a number", STR_ARG(c->parameters[2]));
    return find_version(c, number, row, err);
}

static void get_version(struct api_call *c) {
    struct version_row row;
    struct error err;
    if (!api_workspace(c))
        return;
    if (!wanted(c, &row, &err)) {
        api_fail(c, &err);
        return;
    }
    json_t *value = row_json(&row);
    add_content(value, row.content);
    api_answer(c, 200, value);
}

static void restore(struct api_call *c) {
    struct version_row row;
    struct found f;
    struct error err;
    if (!api_workspace(c) || !may_change(c, &f))
        return;
    json_t *content = wanted(c, &row, &err) && (row.content.len || error_set(&err, ERR_CONFLICT,
                                                                             "version %lld is the flow's deletion: "
                                                                             "restore the one before",
                                                                             (long long)row.number))
                          ? jsonx_parse(row.content, &err)
                          : NULL;
    if (content)
        save_content(c, content);
    else
        api_fail(c, &err);
    json_decref(content);
}

static void diff(struct api_call *c) {
    struct version_row from, to;
    struct error err, unreadable;
    if (!api_workspace(c))
        return;
    if (!find_version(c, jsonx_int(c->query, "from", 0), &from, &err) ||
        !find_version(c, jsonx_int(c->query, "to", 0), &to, &err)) {
        api_fail(c, &err);
        return;
    }
    json_t *before = from.content.len ? jsonx_parse(from.content, &unreadable) : NULL;
    json_t *after = to.content.len ? jsonx_parse(to.content, &unreadable) : NULL;
    api_answer(c, 200,
               json_pack("{s:I, s:I, s:o}", "from", (json_int_t)from.number, "to", (json_int_t)to.number, "changes",
                         flow_diff(before, after)));
    json_decref(before);
    json_decref(after);
}

/* ---- the rows ---- */

static const struct shape any_object = {.kind = SHAPE_MAP, .item = &shape_json};
static const struct shape texts = {.kind = SHAPE_MAP, .item = &shape_text};
static const struct shape state = {.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("published", "draft", "changed", "deleted")};
static const struct shape number_or_null = {.kind = SHAPE_INT, .max = (int64_t)1 << 53, .or_null = true};
static const struct shape positive = {.kind = SHAPE_INT, .min = 1, .max = (int64_t)1 << 53};

#define VERSION_KEYS                                                                                                             \
    {"version", &api_number, true, "its number, from 1"}, {"time_ms", &api_time, true, "when it was saved"},                     \
        {"author", &shape_text, true, "the token's name"}, {"message", &shape_text, true, "what was said of it"}, {              \
        "release", &number_or_null, true, "the first that it was published with; null: a draft"                                  \
    }
#define CONTENT_KEYS                                                                                                             \
    {"document", &any_object, false, "flows/ID.json"}, { "scripts", &texts, false, "the scripts that it names, by their paths" }
#define FLOW_KEYS                                                                                                                \
    VERSION_KEYS, {"id", &shape_text, true, "of the flow"},                                                                      \
        {"state", &state, true, "published; draft: nothing of it runs; changed: something older runs"}, {                        \
        "published_version", &number_or_null, true, "that runs"                                                                  \
    }
static const struct shape version_row_shape = {
    .kind = SHAPE_OBJECT,
    .ref = "VersionRow",
    .keys = SHAPE_KEYS(VERSION_KEYS, {"deleted", &shape_bool, true, "whether it is the flow's deletion"})};
static const struct shape version_shape = {
    .kind = SHAPE_OBJECT,
    .ref = "Version",
    .keys = SHAPE_KEYS(VERSION_KEYS, {"deleted", &shape_bool, true, "whether it is the flow's deletion"}, CONTENT_KEYS)};
static const struct shape edited_flow = {.kind = SHAPE_OBJECT, .ref = "EditedFlow", .keys = SHAPE_KEYS(FLOW_KEYS, CONTENT_KEYS)};
static const struct shape saved_flow = {
    .kind = SHAPE_OBJECT,
    .ref = "SavedFlow",
    .keys = SHAPE_KEYS(FLOW_KEYS, {"findings", &api_findings, true, "errors and warnings of the workspace with it"})};
static const struct shape flow_to_save = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"document", &any_object, true, "as flows/ID.json holds it"},
                       {"scripts", &texts, false, "those that it names: {\"flows/greet.ts\": TEXT}"},
                       {"message", &api_message, false, "what the change is about"},
                       {"publish", &shape_bool, false, "true: new runs use it; false (default): a draft, which may have errors"}),
};
static const struct shape flow_to_restore = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"message", &api_message, false, "why"},
                       {"publish", &shape_bool, false, "true: new runs use it; false (default): a draft"}),
};
static const struct shape only_message = {.kind = SHAPE_OBJECT,
                                          .keys = SHAPE_KEYS({"message", &api_message, false, "what the change is about"})};
static const struct shape published_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"release", &api_number, true, "the newest"}, {"findings", &api_findings, true, "warnings"})};
static const struct shape versions_page = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"versions", &(const struct shape){.kind = SHAPE_LIST, .item = &version_row_shape, .max = LIST_MAX}, true,
                        "newest first"},
                       {"next", &api_number, false, "`before` of the next page; left out: there is none"}),
};
static const struct shape change = {
    .kind = SHAPE_OBJECT,
    .ref = "Change",
    .keys = SHAPE_KEYS(
        {"kind",
         &(const struct shape){.kind = SHAPE_CHOICE,
                               .choices = SHAPE_CHOICES("flow", "block", "connection", "mapping", "script", "layout")},
         true, "what it is"},
        {"change", &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("added", "removed", "changed")}, true,
         "what became of it"},
        {"at", &shape_text, true, "a block's id, FROM -> TO, a script's path, a member of the document"},
        {"before", &shape_json, false, "as it was"}, {"after", &shape_json, false, "as it is"},
        {"input", &shape_text, false, "mapping: of which input"},
        {"line", &api_number, false, "script: where the lines that differ begin"},
        {"fields", &(const struct shape){.kind = SHAPE_LIST, .item = &shape_text}, false, "block: its members that differ"}),
};
static const struct shape diff_shape = {
    .kind = SHAPE_OBJECT,
    .keys =
        SHAPE_KEYS({"from", &api_number, true, "a version"}, {"to", &api_number, true, "a version"},
                   {"changes", &(const struct shape){.kind = SHAPE_LIST, .item = &change}, true, "from the one to the other"}),
};
static const struct shape limit_shape = {.kind = SHAPE_INT, .min = 1, .max = LIST_MAX};

#define FLOW_PATH API_WORKSPACE "/flows/{flow}"
static const struct api_route routes[] = {
    {.method = "GET",
     .path = FLOW_PATH,
     .permission = PERMISSION_WORKSPACES_READ,
     .name = "getFlow",
     .about = "A flow as it was saved last, be it a draft. The ETag is that of its version.",
     .answers = API_ANSWERS({200, &edited_flow, "its newest version"}),
     .run = get},
    {.method = "PUT",
     .path = FLOW_PATH,
     .permission = PERMISSION_FLOWS_WRITE,
     .name = "saveFlow",
     .about = "Saves a flow as a new version: a draft, or published at once, then only without errors. A flow that is there "
              "needs If-Match, as two may be editing it; If-None-Match: * makes sure that it is new.",
     .body = &flow_to_save,
     .body_max = BODY_MAX,
     .answers = API_ANSWERS({200, &saved_flow, "it is stored"}),
     .errors = "409",
     .match = MATCH_MUST,
     .run = put},
    {.method = "DELETE",
     .path = FLOW_PATH,
     .permission = PERMISSION_FLOWS_WRITE,
     .name = "deleteFlow",
     .about = "Takes a flow away; its versions stay, and can be restored. Refused (400 with `findings`) where others call it.",
     .answers = API_ANSWERS({200, &saved_flow, "it is gone"}),
     .errors = "409",
     .match = MATCH_MUST,
     .run = delete},
    {.method = "GET",
     .path = FLOW_PATH "/versions",
     .permission = PERMISSION_WORKSPACES_READ,
     .name = "listVersions",
     .about = "Every save of a flow, newest first; of one that was deleted too. The last 1000 are kept.",
     .query = SHAPE_KEYS({"before", &positive, false, "those before this version: `next` of the page before"},
                         {"limit", &limit_shape, false, "how many at most (100)"}),
     .answers = API_ANSWERS({200, &versions_page, "a page"}),
     .run = list},
    {.method = "GET",
     .path = FLOW_PATH "/versions/{version}",
     .permission = PERMISSION_WORKSPACES_READ,
     .name = "getVersion",
     .about = "One of them, with what it held.",
     .answers = API_ANSWERS({200, &version_shape, "as it was saved"}),
     .run = get_version},
    {.method = "POST",
     .path = FLOW_PATH "/versions/{version}/restore",
     .permission = PERMISSION_FLOWS_WRITE,
     .name = "restoreVersion",
     .about = "Saves a flow as it was then, as a new version.",
     .body = &flow_to_restore,
     .answers = API_ANSWERS({200, &saved_flow, "it is stored"}),
     .errors = "409",
     .match = MATCH_MAY,
     .run = restore},
    {.method = "GET",
     .path = FLOW_PATH "/diff",
     .permission = PERMISSION_WORKSPACES_READ,
     .name = "diffVersions",
     .about = "What changed between two versions: blocks, connections, mappings, scripts.",
     .query = SHAPE_KEYS({"from", &positive, true, "the earlier version"}, {"to", &positive, true, "the later one"}),
     .answers = API_ANSWERS({200, &diff_shape, "the changes"}),
     .run = diff},
    {.method = "POST",
     .path = API_WORKSPACE "/publish",
     .permission = PERMISSION_FLOWS_WRITE,
     .name = "publish",
     .about = "Publishes all drafts together. With an error (400 with `findings`) nothing is published.",
     .body = &only_message,
     .answers = API_ANSWERS({200, &published_shape, "new runs use them"}),
     .errors = "409",
     .run = publish_all},
};
const struct api_resource api_resource_versions = API_RESOURCE("Versions", routes);
