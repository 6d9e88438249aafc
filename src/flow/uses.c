/* uses.c — which settings, secrets, flows and parts of a request a flow uses (compile.h). */
#include "flow/compile.h"

const struct need_name need_names[] = {
    {"query", NEED_QUERY},      {"requestBody", NEED_REQUEST_BODY},
    {"rawBody", NEED_RAW_BODY}, {"headers", NEED_HEADERS},
    {"cookies", NEED_COOKIES},  {"method", NEED_METHOD},
    {"client", NEED_CLIENT},    {0},
};

static void add(json_t *set, struct str name) {
    if (name.len)
        json_object_setn_new(set, name.ptr, name.len, json_true());
}

static void add_all(json_t *set, const json_t *names) {
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name) add(set, jsonx_string_value(name));
}

static void need(struct flow_uses *uses, struct str name) {
    for (const struct need_name *n = need_names; n->name; n++)
        if (str_is(name, n->name))
            uses->needs |= n->need;
}

static void use_code(struct flow_uses *uses, const struct code *code) {
    add_all(uses->secrets, code_uses(code, "secrets"));
    add_all(uses->flows, code_uses(code, "flows"));
}

/* A name of the Start's may be bound anew later; then more is sent than read, which does no harm. */
static void use_source(void *arg, const struct source *s) {
    struct flow_uses *uses = arg;
    const json_t *read = s->kind == SOURCE_CODE ? code_uses(s->code, "input") : NULL;
    size_t i;
    json_t *name;
    if (s->kind == SOURCE_FROM)
        need(uses, s->name);
    if (s->kind == SOURCE_SETTING)
        add(uses->settings, s->name);
    if (s->kind == SOURCE_SECRET)
        add(uses->secrets, s->name);
    if (s->kind != SOURCE_CODE)
        return;
    use_code(uses, s->code);
    json_array_foreach(read, i, name) need(uses, jsonx_string_value(name));
    for (const struct need_name *n = need_names; !read && n->name; n++)
        uses->needs |= n->need;
}

void flow_uses_gather(const struct flow *flow, struct flow_uses *uses) {
    *uses = (struct flow_uses){.settings = json_object(), .secrets = json_object(), .flows = json_object()};
    for (size_t i = 0; i < flow->connection_count; i++)
        for (size_t k = 0; k < flow->connections[i].map_count; k++)
            source_walk(&flow->connections[i].map[k].source, use_source, uses);
    for (size_t i = 0; i < flow->block_count; i++) {
        const struct block *b = &flow->blocks[i];
        add(uses->secrets, jsonx_str(b->json, "auth"));
        if (!str_is(jsonx_str(b->json, "mode"), "start")) /* that is a run of its own */
            add(uses->flows, jsonx_str(b->json, "flow"));
        if (b->repeat)
            source_walk(b->repeat, use_source, uses);
        if (b->script)
            use_code(uses, b->script);
    }
    if (flow->deduplicate)
        source_walk(flow->deduplicate, use_source, uses);
    if (flow->body_schema)
        uses->needs |= NEED_REQUEST_BODY;
    if (flow->query_schema)
        uses->needs |= NEED_QUERY;
}

void flow_uses_release(struct flow_uses *uses) {
    json_decref(uses->settings);
    json_decref(uses->secrets);
    json_decref(uses->flows);
    *uses = (struct flow_uses){0};
}
