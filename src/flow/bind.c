/* bind.c — which inputs each block of a flow takes, and which names it binds on leaving. */
#include "flow/flow.h"

/* One more item in an arena: arrays there double by moving. */
static void *grow(struct arena *a, void *items, size_t count, size_t size) {
    if (count && (count & (count - 1)))
        return items;
    void *more = arena_alloc(a, (count ? count * 2 : 1) * size);
    if (count)
        memcpy(more, items, count * size);
    return more;
}

static bool schema_requires(const json_t *schema, const char *property) {
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(schema, "required"), i, name) {
        if (json_is_string(name) && strcmp(json_string_value(name), property) == 0)
            return true;
    }
    return false;
}

void block_add_port(struct flow *flow, struct block *b, struct str name, bool required, const json_t *schema) {
    b->ports = grow(&flow->arena, b->ports, b->port_count, sizeof *b->ports);
    b->ports[b->port_count++] = (struct port){name, required, schema};
}

void block_add_binding(struct flow *flow, struct block *b, struct str property, unsigned pins, unsigned maybe,
                       const json_t *schema) {
    const json_t *renamed = json_object_get(json_object_get(b->json, "outputs"), arena_strdup(&flow->arena, property));
    struct str name = renamed ? jsonx_string_value(renamed) : property;
    b->bindings = grow(&flow->arena, b->bindings, b->binding_count, sizeof *b->bindings);
    b->bindings[b->binding_count++] = (struct binding){property, name, pins, maybe, schema};
}

void block_add_ports(struct flow *flow, struct block *b, const json_t *schema) {
    const char *name;
    json_t *property;
    json_object_foreach(json_object_get(schema, "properties"), name, property)
        block_add_port(flow, b, str_from(name), schema_requires(schema, name), property);
}

void block_add_bindings(struct flow *flow, struct block *b, const json_t *schema, unsigned pins) {
    const char *name;
    json_t *property;
    json_object_foreach(json_object_get(schema, "properties"), name, property)
        block_add_binding(flow, b, str_from(name), pins, schema_requires(schema, name) ? 0 : pins, property);
}

static void drop_json(void *json) { json_decref(json); }

const json_t *block_schema(struct flow *flow, const char *text) {
    struct error err;
    json_t *schema = text ? jsonx_parse(str_from(text), &err) : NULL;
    ENSURE(schema || !text);
    if (schema)
        arena_defer(&flow->arena, drop_json, schema);
    return schema;
}

#define ERROR_SCHEMA                                                                                                             \
    "{\"type\": \"object\", \"required\": [\"block\", \"code\", \"message\"], \"properties\": {"                                 \
    "\"block\": {\"type\": \"string\"}, \"code\": {\"type\": \"string\"}, \"message\": {\"type\": \"string\"}, "                 \
    "\"status\": {\"type\": \"integer\"}, \"retry\": {\"type\": \"boolean\"}, \"retry_after_ms\": {\"type\": \"number\"}, "      \
    "\"cause\": {}}}"

static void bind_fixed(struct flow *flow, struct block *b) {
    for (const struct input_def *in = b->type->inputs; in && in->name; in++)
        block_add_port(flow, b, str_from(in->name), in->required, block_schema(flow, in->schema));
    for (const struct output_def *out = b->type->outputs; out && out->name; out++)
        block_add_binding(flow, b, str_from(out->name), out->pins, out->maybe, block_schema(flow, out->schema));
    for (unsigned i = 0; b->pins[i]; i++)
        if (strcmp(b->pins[i], "error") == 0)
            block_add_binding(flow, b, STR("error"), 1u << i, 0, block_schema(flow, ERROR_SCHEMA));
}

/* Other names only for what is there, and no name twice at one pin. */
static void check_bindings(const struct flow *flow, const struct block *b, struct findings *findings) {
    const char *property;
    json_t *name;
    json_object_foreach(json_object_get(b->json, "outputs"), property, name) {
        bool found = false;
        for (size_t i = 0; i < b->binding_count; i++)
            found |= str_is(b->bindings[i].property, property);
        struct finding f = block_place(flow, b, "unknown_output");
        struct buf pointer, known;
        buf_init(&pointer, 1000);
        buf_init(&known, 400);
        buf_addf(&pointer, STR_FMT "/outputs/%s", STR_ARG(b->pointer), property);
        f.pointer = buf_str(&pointer);
        for (size_t i = 0; i < b->binding_count; i++)
            buf_addf(&known, "%s" STR_FMT, known.len ? ", " : "", STR_ARG(b->bindings[i].property));
        if (!found)
            findings_add(findings, &f, "`" STR_FMT "` has no output `%s` to rename: it has %s", STR_ARG(b->id), property,
                         known.len ? known.ptr : "none");
        buf_release(&pointer);
        buf_release(&known);
    }
    for (size_t i = 0; i < b->binding_count; i++)
        for (size_t k = 0; k < i; k++) {
            struct finding f = block_place(flow, b, "name_twice");
            if (str_eq(b->bindings[i].name, b->bindings[k].name) && (b->bindings[i].pins & b->bindings[k].pins))
                findings_add(findings, &f, "`" STR_FMT "` gives two values the name `" STR_FMT "`: rename one in `outputs`",
                             STR_ARG(b->id), STR_ARG(b->bindings[i].name));
        }
}

static bool gives_outputs(const struct block *b) {
    return b->type->ends && !b->scope && !str_is(jsonx_str(b->json, "pin"), "error");
}

static bool is_mapped_everywhere(const struct flow *flow, struct str name) {
    for (size_t i = 0; i < flow->connection_count; i++) {
        const struct connection *c = &flow->connections[i];
        bool mapped = !gives_outputs(&flow->blocks[c->to]);
        for (size_t m = 0; !mapped && m < c->map_count; m++)
            mapped = str_eq(c->map[m].input, name);
        if (!mapped)
            return false;
    }
    return true;
}

static void add_mapped(struct flow *flow, const struct connection *c, struct block *gather) {
    for (size_t m = 0; m < c->map_count; m++) {
        size_t k = 0;
        while (k < gather->port_count && !str_eq(gather->ports[k].name, c->map[m].input))
            k++;
        if (k == gather->port_count)
            block_add_port(flow, gather, c->map[m].input, is_mapped_everywhere(flow, c->map[m].input), NULL);
    }
}

/* What a reusable flow gives: as declared, else every name that an End maps. */
void flow_bind_outputs(struct flow *flow) {
    struct block gather = {0};
    const json_t *outputs = json_object_get(flow->start, "outputs");
    if (outputs)
        block_add_ports(flow, &gather, outputs);
    for (size_t i = 0; !outputs && i < flow->connection_count; i++)
        if (gives_outputs(&flow->blocks[flow->connections[i].to]))
            add_mapped(flow, &flow->connections[i], &gather);
    flow->outputs = gather.ports;
    flow->output_count = gather.port_count;
}

void flow_bind(struct flow *flow, const struct catalog *w, struct findings *findings) {
    for (size_t i = 0; i < flow->block_count; i++) {
        struct block *b = &flow->blocks[i];
        bind_fixed(flow, b);
        if (b->type->bind)
            b->type->bind(flow, b, w, findings);
        check_bindings(flow, b, findings);
    }
}
