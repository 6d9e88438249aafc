/* compile.c — see compile.h. */
#include "flow/compile.h"

/* What is bound to an activation (docs/internals.md, section 3). */
static const char *const library[] = {
    "mail",         "dns",         "http",          "fetch",       "tcp",     "tls",   "secrets",
    "state",        "flows",       "password",      "log",         "console", "sleep", "setTimeout",
    "clearTimeout", "setInterval", "clearInterval", "AbortSignal", "crypto",  "Math",  "Date",
};

/* ---- literals ---- */

static void write_string(struct buf *out, struct str text) { buf_add_json_string(out, text); }

/* JSON is JavaScript but for one key, which would set the prototype. */
static void write_key(struct buf *out, struct str key) {
    if (str_is(key, "__proto__"))
        buf_adds(out, "[\"__proto__\"]");
    else
        write_string(out, key);
    buf_adds(out, ": ");
}

static void write_json(struct buf *out, const json_t *value) {
    const char *key, *separator = "";
    json_t *member;
    size_t i;
    if (json_is_object(value)) {
        buf_addc(out, '{');
        json_object_foreach((json_t *)(uintptr_t)value, key, member) {
            buf_adds(out, separator);
            write_key(out, str_from(key));
            write_json(out, member);
            separator = ", ";
        }
        buf_addc(out, '}');
    } else if (json_is_array(value)) {
        buf_addc(out, '[');
        json_array_foreach(value, i, member) {
            buf_adds(out, separator);
            write_json(out, member);
            separator = ", ";
        }
        buf_addc(out, ']');
    } else {
        jsonx_write(value, out);
    }
}

/* `, KEY: VALUE` where there is one. */
static void write_member(struct buf *out, const char *key, const json_t *value) {
    if (!value)
        return;
    buf_addf(out, ", %s: ", key);
    write_json(out, value);
}

/* ---- mappings ---- */

/* `input.a?.b?.[0]`: what is missing on the way gives undefined, which an input is then without. */
static void write_path(struct buf *out, const struct source *s) {
    buf_addf(out, "input." STR_FMT, STR_ARG(s->name));
    for (size_t i = 0; i < s->step_count; i++) {
        buf_adds(out, "?.[");
        if (s->steps[i].key.ptr)
            write_string(out, s->steps[i].key);
        else
            buf_addf(out, "%u", s->steps[i].index);
        buf_addc(out, ']');
    }
}

static void write_source(struct buf *out, const struct source *s, struct str input) {
    const char *separator = "";
    switch (s->kind) {
    case SOURCE_FROM:
        write_path(out, s);
        return;
    case SOURCE_VALUE:
        write_json(out, s->value);
        return;
    case SOURCE_CODE:
        /* Lines of its own: it may end with a comment. */
        buf_adds(out, "($.at = ");
        write_string(out, input);
        buf_adds(out, ", (\n");
        buf_add(out, code_js(s->code));
        buf_adds(out, "\n))");
        return;
    case SOURCE_SECRET:
    case SOURCE_SETTING:
        buf_addf(out, "$.%s(", s->kind == SOURCE_SECRET ? "secret" : "setting");
        write_string(out, s->name);
        buf_addc(out, ')');
        return;
    case SOURCE_LINK:
        buf_adds(out, "$.flows.link(");
        write_string(out, s->name);
        buf_addc(out, ')');
        return;
    case SOURCE_OBJECT:
    case SOURCE_LIST:
        break;
    }
    buf_addc(out, s->kind == SOURCE_OBJECT ? '{' : '[');
    for (size_t i = 0; i < s->part_count; i++) {
        buf_adds(out, separator);
        if (s->kind == SOURCE_OBJECT)
            write_key(out, s->keys[i]);
        write_source(out, &s->parts[i], input);
        separator = ", ";
    }
    buf_addc(out, s->kind == SOURCE_OBJECT ? '}' : ']');
}

/* What the expressions of a mapping have in common. */
struct texts {
    json_t *names, *reads; /* sets */
    bool any, await, reads_all;
};

static void gather_texts(void *arg, const struct source *s) {
    struct texts *t = arg;
    size_t i;
    json_t *name;
    if (s->kind != SOURCE_CODE)
        return;
    t->any = true;
    t->await |= code_awaits(s->code);
    t->reads_all |= !code_uses(s->code, "input");
    json_array_foreach(code_uses(s->code, "names"), i, name) json_object_set_new(t->names, json_string_value(name), json_true());
    json_array_foreach(code_uses(s->code, "input"), i, name) json_object_set_new(t->reads, json_string_value(name), json_true());
}

static void write_code_names(struct buf *out, const struct texts *t) {
    const char *name, *separator = "";
    json_t *unused;
    buf_adds(out, ", code: ");
    if (t->reads_all) {
        buf_adds(out, "null");
        return;
    }
    buf_addc(out, '[');
    json_object_foreach(t->reads, name, unused) {
        buf_adds(out, separator);
        write_string(out, str_from(name));
        separator = ", ";
    }
    buf_addc(out, ']');
}

/* `map: function ...`, and `code` where it has expressions. */
static void write_map(struct buf *out, const char *key, const struct mapping *map, size_t count, bool with_code) {
    struct texts t = {.names = json_object(), .reads = json_object()};
    for (size_t i = 0; i < count; i++)
        source_walk(&map[i].source, gather_texts, &t);
    buf_addf(out, ", %s: %sfunction (input, $) {", key, t.await ? "async " : "");
    for (size_t i = 0; i < ARRAY_LEN(library); i++)
        if (json_object_get(t.names, library[i]))
            buf_addf(out, " const %s = $.%s;", library[i], library[i]);
    buf_adds(out, " return {");
    for (size_t i = 0; i < count; i++) {
        buf_adds(out, i ? ", " : "");
        write_key(out, map[i].input);
        write_source(out, &map[i].source, map[i].input);
    }
    buf_adds(out, "}; }");
    if (t.any && with_code)
        write_code_names(out, &t);
    json_decref(t.names);
    json_decref(t.reads);
}

/* ---- blocks ---- */

static void write_ins(struct buf *out, const struct flow *flow, const struct block *b) {
    buf_adds(out, ",\n     ins: [");
    for (size_t i = 0; i < b->in_count; i++) {
        const struct connection *c = &flow->connections[b->ins[i]];
        const struct block *from = &flow->blocks[c->from];
        bool from_opener = c->from == b->scope;
        buf_addf(out, "%s{from: %zu, pin: \"%s\"", i ? ",\n           " : "", from_opener ? 0 : from->place,
                 from_opener ? "out" : from->pins[c->pin]);
        if (c->map_count)
            write_map(out, "map", c->map, c->map_count, true);
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
}

static void write_names(struct buf *out, const struct block *b) {
    if (!b->binding_count)
        return;
    buf_adds(out, ",\n     names: [");
    for (size_t i = 0; i < b->binding_count; i++) {
        buf_adds(out, i ? ", [" : "[");
        write_string(out, b->bindings[i].property);
        buf_adds(out, ", ");
        write_string(out, b->bindings[i].name);
        buf_addc(out, ']');
    }
    buf_addc(out, ']');
}

/* The keys that are the type's own, but for texts: they are written as such. */
static void write_config(struct buf *out, const struct block *b) {
    const char *separator = "";
    buf_adds(out, ",\n     config: {");
    for (const struct shape_key *k = b->type->shape->keys + BLOCK_COMMON_KEYS; k->name; k++) {
        const json_t *value = json_object_get(b->json, k->name);
        if (!value || strcmp(k->name, "script") == 0 || strcmp(k->name, "while") == 0)
            continue;
        buf_addf(out, "%s%s: ", separator, k->name);
        write_json(out, value);
        separator = ", ";
    }
    buf_addc(out, '}');
}

static void write_scope(struct buf *out, const struct flow *flow, const struct block *opener);

static void write_block(struct buf *out, const struct flow *flow, const struct block *b) {
    int64_t timeout = jsonx_int(b->json, "timeout_ms", b->type->timeout_ms);
    buf_adds(out, ",\n    {id: ");
    write_string(out, b->id);
    buf_addf(out, ", type: \"%s\", order: %d", b->type->name, b->order);
    write_member(out, "name", json_object_get(b->json, "name"));
    write_ins(out, flow, b);
    write_names(out, b);
    write_config(out, b);
    write_member(out, "retry", json_object_get(b->json, "retry"));
    if (timeout)
        buf_addf(out, ", timeout_ms: %lld", (long long)timeout);
    write_member(out, "unit", json_object_get(b->json, "script"));
    if (b->repeat)
        write_map(out, "while", &(const struct mapping){.input = STR("while"), .source = *b->repeat}, 1, true);
    if (b->type->opens_scope)
        write_scope(out, flow, b);
    buf_addc(out, '}');
}

static void write_scope(struct buf *out, const struct flow *flow, const struct block *opener) {
    buf_adds(out, opener->type->opens_scope ? ",\n     blocks: [{id: \"each\", type: \"turn\"}"
                                            : "  blocks: [{id: \"start\", type: \"start\"}");
    for (size_t i = 0; i < opener->inside_count; i++)
        write_block(out, flow, &flow->blocks[flow->order[opener->inside_first + i]]);
    buf_addc(out, ']');
}

/* ---- the Start ---- */

static void write_parameters(struct buf *out, const struct release_flow *r) {
    if (!r->parameter_count)
        return;
    buf_adds(out, ", parameters: {");
    for (size_t i = 0; i < r->parameter_count; i++)
        buf_addf(out, "%s" STR_FMT ": {type: \"%s\"}", i ? ", " : "", STR_ARG(r->parameters[i].name),
                 r->parameters[i].is_integer ? "integer" : "string");
    buf_addc(out, '}');
}

static void write_validators(struct buf *out, const struct flow *flow) {
    const char *separator = "";
    buf_adds(out, ", validators: {");
    if (flow->body_schema) {
        buf_adds(out, "body: \"start.body\"");
        separator = ", ";
    }
    if (flow->query_schema) {
        buf_addf(out, "%squery: \"start.query\"", separator);
        separator = ", ";
    }
    if (flow->inputs_schema)
        buf_addf(out, "%sinputs: \"start.inputs\"", separator);
    buf_addc(out, '}');
}

static void write_start(struct buf *out, const struct flow *flow, const struct release_flow *r) {
    const char *separator = "";
    buf_adds(out, "  start: {needs: [");
    for (const struct need_name *n = need_names; n->name; n++)
        if (r->needs & n->need) {
            buf_addf(out, "%s\"%s\"", separator, n->name);
            separator = ", ";
        }
    buf_addc(out, ']');
    write_member(out, "method", json_object_get(flow->start, "method"));
    write_member(out, "path", json_object_get(flow->start, "path"));
    write_parameters(out, r);
    write_member(out, "query", json_object_get(flow->start, "query"));
    write_member(out, "body", json_object_get(flow->start, "body"));
    write_member(out, "answer", json_object_get(flow->start, "answer"));
    write_member(out, "inputs", json_object_get(flow->start, "inputs"));
    write_validators(out, flow);
    if (flow->deduplicate) {
        struct mapping map = {.input = STR("value"), .source = *flow->deduplicate};
        write_map(out, "deduplicate", &map, 1, false);
    }
    buf_adds(out, "},\n");
}

static void write_plan(struct buf *out, const struct flow *flow, const struct release_flow *r) {
    buf_adds(out, "(function () { \"use strict\"; return {\n  id: ");
    write_string(out, flow->id);
    buf_adds(out, ", name: ");
    write_string(out, flow->name);
    buf_addf(out, ", type: \"%s\",\n", flow_type_name(flow->type));
    write_start(out, flow, r);
    buf_addf(out, "  limits: {run_ms: %lld, cpu_ms: %lld, memory_mb: %lld},\n", (long long)r->run_ms, (long long)r->cpu_ms,
             (long long)r->memory_mb);
    write_scope(out, flow, &flow->blocks[0]);
    buf_adds(out, "\n}; })\n");
}

/* ---- units ---- */

static void add_unit(struct release_flow *out, struct arena *arena, struct str key, const struct code *code) {
    for (size_t i = 0; i < out->unit_count; i++)
        if (str_eq(out->units[i].key, key))
            return;
    out->units[out->unit_count++] = (struct release_unit){arena_str(arena, key), arena_str(arena, code_js(code))};
}

static void add_units(const struct flow *flow, struct release_flow *out, struct arena *arena) {
    out->units = arena_alloc(arena, (flow->block_count + 3) * sizeof *out->units);
    for (size_t i = 0; i < flow->block_count; i++)
        if (flow->blocks[i].script)
            add_unit(out, arena, jsonx_str(flow->blocks[i].json, "script"), flow->blocks[i].script);
    if (flow->body_schema)
        add_unit(out, arena, STR("start.body"), flow->body_schema);
    if (flow->query_schema)
        add_unit(out, arena, STR("start.query"), flow->query_schema);
    if (flow->inputs_schema)
        add_unit(out, arena, STR("start.inputs"), flow->inputs_schema);
}

bool flow_compile(const struct flow *flow, struct release_flow *out, struct arena *arena, struct findings *findings) {
    struct buf plan;
    struct finding f = flow_place(flow, "too_large");
    buf_init(&plan, PLAN_MAX);
    write_plan(&plan, flow, out);
    bool ok = buf_ok(&plan);
    if (!ok)
        findings_add(findings, &f, "the compiled flow is larger than %u bytes: make it smaller", PLAN_MAX);
    out->plan = arena_str(arena, buf_str(&plan));
    add_units(flow, out, arena);
    buf_release(&plan);
    return ok;
}
