/* start.c — Start: where a run of the flow begins. Its configuration is the flow's. */
#include "blocks/blocks.h"

#define OUT 1u

/* What is given to each endpoint; its schema, where the start does not say one. */
static const struct {
    const char *name, *schema;
} given[] = {
    {"requestBody", NULL},
    {"rawBody", NULL},
    {"query", SCHEMA_OF("object")},
    {"headers", SCHEMA_OF("object")},
    {"cookies", SCHEMA_OF("object")},
    {"method", SCHEMA_OF("string")},
    {"client", SCHEMA_OF("string")},
};

static const json_t *given_schema(struct flow *flow, size_t i) {
    const json_t *own = NULL;
    if (strcmp(given[i].name, "requestBody") == 0)
        own = json_object_get(json_object_get(flow->start, "body"), "schema");
    else if (strcmp(given[i].name, "query") == 0)
        own = json_object_get(flow->start, "query");
    return own ? own : block_schema(flow, given[i].schema);
}

static void bind_parameter(struct flow *flow, struct block *b, struct str name, struct findings *findings) {
    const json_t *type = json_object_getn(json_object_get(flow->start, "parameters"), name.ptr, name.len);
    struct finding f = block_place(flow, b, "parameter_clash");
    bool is_integer = str_is(jsonx_str(type, "type"), "integer");
    size_t k = 0;
    while (k < ARRAY_LEN(given) && !str_is(name, given[k].name))
        k++;
    f.pointer = STR("/start/path");
    if (k == ARRAY_LEN(given))
        block_add_binding(flow, b, name, OUT, 0, block_schema(flow, is_integer ? SCHEMA_OF("integer") : SCHEMA_OF("string")));
    else
        findings_add(findings, &f, "{%s} in the path has the name of something that each endpoint is given: rename it",
                     given[k].name);
}

static void bind_endpoint(struct flow *flow, struct block *b, struct findings *findings) {
    for (size_t i = 0; i < ARRAY_LEN(given); i++)
        block_add_binding(flow, b, str_from(given[i].name), OUT, 0, given_schema(flow, i));
    for (size_t i = 0; i < flow->parameter_count; i++)
        bind_parameter(flow, b, flow->parameters[i], findings);
}

static void bind(struct flow *flow, struct block *b, const struct catalog *w, struct findings *findings) {
    (void)w;
    switch (flow->type) {
    case FLOW_ENDPOINT:
        bind_endpoint(flow, b, findings);
        break;
    case FLOW_CRON:
        block_add_binding(flow, b, STR("scheduledAt"), OUT, 0, block_schema(flow, SCHEMA_OF("string")));
        break;
    case FLOW_REUSABLE:
        block_add_bindings(flow, b, json_object_get(flow->start, "inputs"), OUT);
        break;
    }
}

/* A shared token stands in one place; the other rules know theirs. */
static void check_access(const struct flow *flow, const struct block *b, struct findings *findings) {
    struct finding f = block_place(flow, b, "token_place");
    json_t *rule;
    size_t i;
    json_array_foreach(json_object_get(flow->start, "access"), i, rule) {
        struct str header = jsonx_str(rule, "header"), query = jsonx_str(rule, "query");
        bool shared = str_is(jsonx_str(rule, "type"), "shared-token");
        char pointer[40];
        snprintf(pointer, sizeof pointer, "/start/access/%zu", i);
        f.pointer = str_from(pointer);
        if (shared && !header.len == !query.len)
            findings_add(findings, &f, "a shared token is found by exactly one of `header` and `query`: \"header\": \"X-Token\"");
        else if (!shared && (header.len || query.len))
            findings_add(findings, &f, "`header` and `query` belong to access by shared-token: remove them");
    }
}

/* As browsers write it (RFC 6454, 6.1): scheme, host and perhaps a port, in lower case, nothing behind. */
static bool is_origin(struct str s) {
    size_t scheme = str_find(s, STR("://"));
    if (scheme == SIZE_MAX || scheme == 0 || scheme + 3 >= s.len)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.ptr[i] <= ' ' || (uint8_t)s.ptr[i] > '~' || (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z') ||
            (i >= scheme + 3 && strchr("/?#@,*\\", s.ptr[i])))
            return false;
    return true;
}

static void check_cors(const struct flow *flow, const struct block *b, struct findings *findings) {
    const json_t *cors = json_object_get(flow->start, "cors");
    struct finding f = block_place(flow, b, "bad_cors");
    json_t *one;
    size_t i;
    json_array_foreach(json_object_get(cors, "origins"), i, one) {
        struct str origin = jsonx_string_value(one);
        char pointer[60];
        snprintf(pointer, sizeof pointer, "/start/cors/origins/%zu", i);
        f.pointer = str_from(pointer);
        if (str_is(origin, "*") && jsonx_bool(cors, "credentials", false))
            findings_add(findings, &f,
                         "browsers send no credentials to whom allows every origin: list the origins, or remove `credentials`");
        else if (!str_is(origin, "*") && !is_origin(origin))
            findings_add(findings, &f,
                         "\"" STR_FMT "\" is no origin: write it as https://shop.example, in lower case and without a path",
                         STR_ARG(origin));
    }
}

static void check_endpoint(const struct flow *flow, const struct block *b, struct findings *findings) {
    struct str method = jsonx_str(flow->start, "method");
    struct finding f = block_place(flow, b, "body_of_get");
    f.pointer = STR("/start/body");
    if ((str_is(method, "GET") || str_is(method, "HEAD")) && json_object_get(flow->start, "body"))
        findings_add(findings, &f, "a " STR_FMT " request has no body: remove `body`, or take POST", STR_ARG(method));
    f.code = "nothing_to_dedupe";
    f.pointer = STR("/start/deduplicate");
    f.severity = FINDING_WARNING;
    if (flow->deduplicate && !str_is(jsonx_str(flow->start, "answer"), "at once") && !jsonx_bool(flow->start, "durable", false))
        findings_add(findings, &f, "only stored runs can be told from repeated ones: set `durable` or `answer`: \"at once\"");
}

static void check(const struct flow *flow, const struct block *b, const struct catalog *w, struct findings *findings) {
    (void)w;
    bool every = json_object_get(flow->start, "every"), line = json_object_get(flow->start, "line");
    struct finding f = block_place(flow, b, "no_schedule");
    if (flow->type == FLOW_ENDPOINT) {
        check_endpoint(flow, b, findings);
        check_access(flow, b, findings);
        check_cors(flow, b, findings);
    }
    if (flow->type == FLOW_CRON && every == line)
        findings_add(findings, &f, "a cron flow needs exactly one of `every` and `line` in its start");
}

const struct block_type block_start = {
    .name = "start",
    .title = "Start",
    .about = "Where a run begins: what calls the flow, and what it brings along.",
    .shape = NULL, /* not among a flow's blocks */
    .pins = {"out"},
    .bind = bind,
    .check = check,
};
