/* catalog.c — see catalog.h. */
#include "flow/catalog.h"

#include "flow/flow.h"
#include "flow/types.h"
#include "net/hostname.h"

static const struct shape setting_shape = {
    .kind = SHAPE_OBJECT,
    .keys =
        SHAPE_KEYS({"title", &shape_title, false, "what people call it"}, {"description", &shape_text, false, "what it is for"},
                   {"schema", &shape_schema_value, false, "of its value; a string when left out"},
                   {"default", &shape_json, false, "its value when none is given"},
                   {"required", &shape_bool, false, "going live is refused while it is empty"},
                   {"practice", &shape_json, false, "its value in practice mode when none is given"}),
};
static const struct shape secret_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS(
        {"title", &shape_title, false, "what people call it"}, {"description", &shape_text, false, "where to find it"},
        {"type",
         &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("password", "basic", "signing-key", "smtp")}, true,
         "password, basic, signing-key or smtp"},
        {"required", &shape_bool, false, "going live is refused while it is empty"},
        {"practice", &shape_json, false, "its value in practice mode; a generated one when left out"}),
};
static const struct shape host_shape = {.kind = SHAPE_STRING, .max = HOSTNAME_MAX};
static const struct shape history_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"days", &(const struct shape){.kind = SHAPE_INT, .min = 1, .max = 36500}, false, "older runs go"},
                       {"mb", &(const struct shape){.kind = SHAPE_INT, .min = 1, .max = 1000000}, false,
                        "beyond this size the oldest runs go sooner"}),
};
const struct shape workspace_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS(
        {"name", &shape_id, true, "the workspace's id"}, {"title", &shape_title, false, "what people call it"},
        {"description", &shape_text, false, "what it is for"},
        {"hosts", &(const struct shape){.kind = SHAPE_LIST, .item = &host_shape, .max = 100}, false,
         "the host names it answers for; without: those that no other workspace has"},
        {"history", &history_shape, false,
         "how long, and how much of it, is kept of its runs; the server's own limits when left out"},
        {"settings", &(const struct shape){.kind = SHAPE_MAP, .item = &setting_shape, .names = true}, false, "values to fill in"},
        {"secrets", &(const struct shape){.kind = SHAPE_MAP, .item = &secret_shape, .names = true}, false,
         "credentials to fill in; their values are never in a folder"}),
};
const struct shape settings_shape = {.kind = SHAPE_MAP, .item = &shape_json, .names = true};

struct flow *catalog_find_flow(const struct catalog *w, struct str id) {
    size_t low = 0, high = w->flow_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int c = str_compare(w->flows[middle].id, id);
        if (c == 0)
            return &w->flows[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Whether a setting can have this value; without a schema it is a text. */
static bool setting_fits(const json_t *declared, const json_t *value) {
    const json_t *schema = json_object_get(declared, "schema");
    unsigned types = schema ? types_of_schema(schema) : TYPE_STRING;
    return (types & types_of_value(value)) != 0;
}

json_t *document_parse(const struct folder_file *file, struct findings *findings) {
    struct error err;
    struct finding f = {.code = "bad_json", .file = str_from(file->path)};
    json_t *json = jsonx_parse_at(folder_text(file), &f.line, &f.column, &err);
    if (!json)
        findings_add(findings, &f, "%s", err.text);
    return json;
}

static struct finding place(struct buf *pointer, const char *file, const char *code, const char *map, const char *name,
                            const char *key) {
    buf_clear(pointer);
    for (const char *const *part = (const char *const[]){map, name, key, NULL}; *part; part++)
        jsonx_pointer_add(pointer, str_from(*part));
    return (struct finding){.code = code, .file = str_from(file), .pointer = buf_str(pointer)};
}

static bool practice_fits(const json_t *secret) {
    const json_t *practice = json_object_get(secret, "practice");
    if (!practice)
        return true;
    if (!str_is(jsonx_str(secret, "type"), "basic"))
        return json_is_string(practice);
    return json_is_string(json_object_get(practice, "username")) && json_is_string(json_object_get(practice, "password")) &&
           json_object_size(practice) == 2;
}

static void check_declarations(const struct catalog *w, struct findings *findings) {
    const char *name;
    json_t *declared;
    struct buf pointer;
    struct finding f;
    buf_init(&pointer, 500);
    json_object_foreach((json_t *)(uintptr_t)w->secrets, name, declared) {
        f = place(&pointer, "workspace.json", "bad_practice", "secrets", name, "practice");
        if (!practice_fits(declared))
            findings_add(findings, &f, "`practice` of `%s` must be %s", name,
                         str_is(jsonx_str(declared, "type"), "basic") ? "an object with username and password" : "a string");
    }
    json_object_foreach((json_t *)(uintptr_t)w->settings, name, declared) {
        static const char *const keys[] = {"default", "practice"};
        for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
            const json_t *value = json_object_get(declared, keys[i]);
            f = place(&pointer, "workspace.json", "bad_default", "settings", name, keys[i]);
            if (value && !setting_fits(declared, value))
                findings_add(findings, &f, "the `%s` of `%s` is not of the type that its schema wants", keys[i], name);
        }
    }
    buf_release(&pointer);
}

static void check_hosts(const struct catalog *w, struct findings *findings) {
    const json_t *hosts = json_object_get(w->json, "hosts");
    size_t i, k;
    json_t *one;
    json_array_foreach(hosts, i, one) {
        char ascii[HOSTNAME_MAX], pointer[40];
        struct str host = jsonx_string_value(one);
        struct error err;
        snprintf(pointer, sizeof pointer, "/hosts/%zu", i);
        struct finding f = {.code = "bad_host", .file = STR("workspace.json"), .pointer = str_from(pointer)};
        bool ok = hostname_to_ascii(host, ascii, &err);
        for (size_t at = 0; at < host.len; at++)
            ok = ok && !(host.ptr[at] >= 'A' && host.ptr[at] <= 'Z');
        if (!ok || !str_is(host, ascii))
            findings_add(findings, &f,
                         "`" STR_FMT "` is no host name as callers send it: lower case, without a port, as shop.example.com",
                         STR_ARG(host));
        for (k = 0; k < i; k++)
            if (json_equal(json_array_get(hosts, k), one))
                findings_add(findings, &f, "`" STR_FMT "` is there twice: remove one", STR_ARG(host));
    }
}

static void check_values(const struct catalog *w, struct findings *findings) {
    const char *name;
    json_t *value;
    struct buf pointer;
    buf_init(&pointer, 500);
    json_object_foreach(w->values, name, value) {
        const json_t *declared = json_object_get(w->settings, name);
        struct finding f = place(&pointer, "settings.json", "not_declared", name, NULL, NULL);
        if (!declared)
            findings_add(findings, &f, "workspace.json declares no setting `%s`: add it there, or remove it here", name);
        f.code = "bad_value";
        if (declared && !json_is_null(value) && !setting_fits(declared, value))
            findings_add(findings, &f, "the value of `%s` is not of the type that its schema wants", name);
    }
    buf_release(&pointer);
}

static json_t *parse_file(const struct folder *folder, const char *path, const struct shape *shape, struct findings *findings) {
    const struct folder_file *file = folder_find(folder, str_from(path));
    struct finding f = {.file = str_from(path)};
    json_t *json = file ? document_parse(file, findings) : NULL;
    if (json && shape_check(shape, json, &f, findings))
        return json;
    json_decref(json);
    return NULL;
}

bool catalog_parse(struct catalog *w, const struct folder *folder, struct findings *findings) {
    size_t errors = findings->errors;
    *w = (struct catalog){0};
    struct finding f = {.code = "no_workspace", .file = STR("workspace.json")};
    if (!folder_find(folder, STR("workspace.json")))
        findings_add(findings, &f, "there is no workspace.json: add one, {\"name\": \"my-workspace\"} is enough");
    w->json = parse_file(folder, "workspace.json", &workspace_shape, findings);
    w->values = parse_file(folder, "settings.json", &settings_shape, findings);
    if (!w->values)
        w->values = json_object();
    w->name = jsonx_str(w->json, "name");
    w->title = jsonx_str(w->json, "title");
    w->settings = json_object_get(w->json, "settings");
    w->secrets = json_object_get(w->json, "secrets");
    if (w->json) {
        check_declarations(w, findings);
        check_values(w, findings);
        check_hosts(w, findings);
    }
    return findings->errors == errors;
}

void catalog_release(struct catalog *w) {
    json_decref(w->json);
    json_decref(w->values);
    *w = (struct catalog){0};
}
