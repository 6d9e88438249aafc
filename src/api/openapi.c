/* openapi.c — the rows as a document for programs: OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0). */
#include "api/route.h"

#define REF_MAX 200
#define FROM "#/$defs/"
#define TO "#/components/schemas/"

static const struct shape problem_error = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"pointer", &shape_text, true, "of the place in the body; of the query /query/NAME"},
                       {"message", &shape_text, true, "what is wrong and what to do"}),
};
static const struct shape problem = {
    .kind = SHAPE_OBJECT,
    .ref = "Problem",
    .keys =
        SHAPE_KEYS({"type", &shape_text, true, "about:blank"}, {"title", &shape_text, true, "in general"},
                   {"status", &api_number, true, "of HTTP"}, {"code", &shape_text, true, "for programs: invalid, not_found, ..."},
                   {"detail", &shape_text, true, "what is wrong and what to do"},
                   {"errors", &(const struct shape){.kind = SHAPE_LIST, .item = &problem_error, .max = FINDINGS_MAX}, false,
                    "every fault of query or body"},
                   {"findings", &api_findings, false, "what is wrong with flows"}),
};

/* "#/$defs/Run" becomes "#/components/schemas/Run", in place and in all that is inside. */
static void move_refs(json_t *value) {
    json_t *item;
    const char *key;
    size_t i;
    char moved[REF_MAX];
    struct str ref = jsonx_str(value, "$ref");
    if (str_starts(ref, STR(FROM))) {
        snprintf(moved, sizeof moved, TO "%s", ref.ptr + strlen(FROM));
        json_object_set_new(value, "$ref", json_string(moved));
    }
    json_object_foreach(value, key, item) move_refs(item);
    json_array_foreach(value, i, item) move_refs(item);
}

/* ---- one operation ---- */

static json_t *in_path(struct str name) {
    const char *about = api_parameter_about(name);
    ENSURE(about);
    return json_pack("{s:o, s:s, s:b, s:s, s:{s:s, s:i}}", "name", jsonx_from_str(name), "in", "path", "required", true,
                     "description", about, "schema", "type", "string", "minLength", 1);
}

static json_t *in_header(const char *name, const char *about, bool required) {
    return json_pack("{s:s, s:s, s:b, s:s, s:{s:s}}", "name", name, "in", "header", "required", required, "description", about,
                     "schema", "type", "string");
}

/* Whether its answer has an ETag of its own. */
static bool is_read(const struct api_route *r) { return strcmp(r->method, "GET") == 0 && r->permission && !r->type; }

static json_t *parameters_of(const struct api_route *r, json_t *defs) {
    json_t *list = json_array();
    struct str rest = str_from(r->path), segment;
    while (str_cut(&rest, '/', &segment))
        if (str_starts(segment, STR("{")))
            json_array_append_new(list, in_path(str_of(segment.ptr + 1, segment.len - 2)));
    for (const struct shape_key *k = r->query; k && k->name; k++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", k->name, "in", "query", "required",
                                              k->required, "description", k->about, "schema", shape_schema(k->shape, defs)));
    if (r->match != MATCH_NONE)
        json_array_append_new(
            list, in_header("If-Match", "the ETag of what is to be changed, as it was read; * for whatever is there", false));
    if (is_read(r))
        json_array_append_new(list,
                              in_header("If-None-Match", "the ETag of what is known already: 304 where it still is so", false));
    return list;
}

static json_t *content(const char *type, json_t *schema) { return json_pack("{s:{s:o}}", type, "schema", schema); }

static void add_problem(json_t *answers, const char *status, json_t *defs) {
    static const struct {
        const char *status, *about;
    } reasons[] = {
        {"400", "the request is not as described here"},
        {"401", "the token is missing or not known"},
        {"403", "the token may not do this"},
        {"404", "there is no such thing"},
        {"409", "it does not go with what is there"},
        {"412", "it was changed meanwhile"},
        {"413", "the body is too large"},
        {"428", "If-Match is missing"},
        {"503", "too busy right now: try again after Retry-After"},
    };
    const char *about = "it failed";
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (strcmp(reasons[i].status, status) == 0)
            about = reasons[i].about;
    json_object_set_new(answers, status,
                        json_pack("{s:s, s:o}", "description", about, "content",
                                  content("application/problem+json", shape_schema(&problem, defs))));
}

static json_t *answers_of(const struct api_route *r, json_t *defs) {
    json_t *all = json_object();
    char status[16];
    for (const struct api_answer *a = r->answers; a->status; a++) {
        json_t *answer = json_pack("{s:s}", "description", a->about);
        if (a->shape)
            json_object_set_new(answer, "content", content("application/json", shape_schema(a->shape, defs)));
        else if (r->type)
            json_object_set_new(answer, "content", content(r->type, json_pack("{s:s}", "type", "string")));
        snprintf(status, sizeof status, "%d", a->status);
        json_object_set_new(all, status, answer);
    }
    if (is_read(r))
        json_object_set_new(all, "304", json_pack("{s:s}", "description", "it is still what If-None-Match names"));
    add_problem(all, "400", defs);
    add_problem(all, "503", defs);
    if (r->permission) {
        add_problem(all, "401", defs);
        add_problem(all, "403", defs);
    }
    if (strchr(r->path, '{'))
        add_problem(all, "404", defs);
    if (r->body)
        add_problem(all, "413", defs);
    if (r->match != MATCH_NONE)
        add_problem(all, "412", defs);
    if (r->match == MATCH_MUST)
        add_problem(all, "428", defs);
    struct str rest = str_from(r->errors), one;
    while (str_cut(&rest, ' ', &one)) {
        snprintf(status, sizeof status, STR_FMT, STR_ARG(one));
        add_problem(all, status, defs);
    }
    return all;
}

static json_t *operation(const struct api_resource *resource, const struct api_route *r, json_t *defs) {
    json_t *o = json_pack("{s:s, s:s, s:[s], s:o, s:o}", "operationId", r->name, "description", r->about, "tags", resource->title,
                          "parameters", parameters_of(r, defs), "responses", answers_of(r, defs));
    if (r->body)
        json_object_set_new(
            o, "requestBody",
            json_pack("{s:b, s:o}", "required", true, "content", content("application/json", shape_schema(r->body, defs))));
    json_object_set_new(o, "security",
                        r->permission ? json_pack("[{s:[s]}]", "token", permission_name(r->permission)) : json_array());
    return o;
}

/* ---- the document ---- */

static json_t *permission_list(void) {
    json_t *list = json_array();
    for (size_t i = 0; i < PERMISSION_COUNT; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "name", permissions[i].name, "description", permissions[i].about));
    return list;
}

static void add_path(json_t *paths, const struct api_route *r, json_t *operation) {
    char method[16];
    json_t *path = json_object_get(paths, r->path);
    if (!path) {
        path = json_object();
        json_object_set_new(paths, r->path, path);
    }
    size_t n = 0;
    for (; r->method[n]; n++)
        method[n] = (char)(r->method[n] | 0x20);
    method[n] = 0;
    json_object_set_new(path, method, operation);
}

json_t *api_openapi(void) {
    json_t *paths = json_object(), *tags = json_array(), *defs = json_object();
    const struct api_resource *resource;
    for (size_t i = 0; (resource = api_resources[i]); i++) {
        json_array_append_new(tags, json_pack("{s:s}", "name", resource->title));
        for (size_t k = 0; k < resource->count; k++)
            add_path(paths, &resource->routes[k], operation(resource, &resource->routes[k], defs));
    }
    json_t *document = json_pack(
        "{s:s, s:{s:s, s:s, s:s, s:{s:s, s:s}}, s:[{s:s}], s:o, s:o, s:{s:o, s:{s:{s:s, s:s, s:s, s:o}}}}", "openapi", "3.1.0",
        "info", "title", "Flowlet", "version", "1", "description",
        "What the console, the flowlet command and other programs ask of a Flowlet server. Times are milliseconds since 1970.",
        "license", "name", "see the source", "identifier", "LicenseRef-Flowlet", "servers", "url", "/", "tags", tags, "paths",
        paths, "components", "schemas", defs, "securitySchemes", "token", "type", "http", "scheme", "bearer", "description",
        "A token of the server: that of its data folder may do everything, others what they were made for. The roles of an "
        "operation's security are permissions.",
        "x-permissions", permission_list());
    move_refs(document);
    return document;
}
