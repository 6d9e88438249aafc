/* flow.c — see flow.h: parsing, and finding one's way in what was parsed. */
#include "flow/flow.h"

/* ---- places ---- */

struct finding flow_place(const struct flow *flow, const char *code) {
    return (struct finding){.code = code, .file = flow->file, .flow = flow->id};
}

struct finding block_place(const struct flow *flow, const struct block *b, const char *code) {
    struct finding f = flow_place(flow, code);
    f.block = b->id;
    f.pointer = b->pointer;
    return f;
}

struct finding connection_place(const struct flow *flow, const struct connection *c, const char *code) {
    struct finding f = block_place(flow, &flow->blocks[c->to], code);
    f.pointer = c->pointer;
    f.at = c->text;
    return f;
}

/* ---- parsing ---- */

struct parser {
    struct flow *flow;
    const struct folder *folder;
    struct codes *codes;
    struct findings *findings;
};

static struct str text_of(struct flow *flow, const char *format, ...) PRINTF_LIKE(2, 3);
static struct str text_of(struct flow *flow, const char *format, ...) {
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return arena_str(&flow->arena, str_from(text));
}

static struct finding place(const struct parser *p, const char *code, struct str pointer) {
    struct finding f = flow_place(p->flow, code);
    f.pointer = pointer;
    return f;
}

static void parse_script(struct parser *p, struct block *b) {
    struct str file = jsonx_str(b->json, "script");
    struct finding f = block_place(p->flow, b, "no_script_file");
    f.pointer = text_of(p->flow, STR_FMT "/script", STR_ARG(b->pointer));
    char path[300];
    snprintf(path, sizeof path, "flows/" STR_FMT, STR_ARG(file));
    const struct folder_file *found = folder_find(p->folder, str_from(path));
    if (!str_ends(file, STR(".ts")) || str_ends(file, STR(".d.ts")))
        findings_add(p->findings, &f, "`" STR_FMT "` is no script: its name must end with .ts", STR_ARG(file));
    else if (!found)
        findings_add(p->findings, &f, "there is no file `%s`: write the script there, or name the file that has it", path);
    else
        b->script = codes_add(p->codes, CODE_SCRIPT, folder_text(found), NULL);
}

static void parse_while(struct parser *p, struct block *b) {
    struct finding f = block_place(p->flow, b, "bad_source");
    f.pointer = text_of(p->flow, STR_FMT "/while", STR_ARG(b->pointer));
    b->repeat = arena_alloc(&p->flow->arena, sizeof *b->repeat);
    source_parse(json_object_get(b->json, "while"), &f, &p->flow->arena, p->codes, b->repeat, p->findings);
}

static const struct block_type *find_type(struct str name) {
    for (size_t i = 0; block_types[i]; i++)
        if (str_is(name, block_types[i]->name))
            return block_types[i];
    return NULL;
}

static void parse_blocks(struct parser *p, struct map *by_id) {
    struct flow *flow = p->flow;
    const json_t *list = json_object_get(flow->json, "blocks");
    json_t *json;
    size_t i;
    flow->blocks = arena_alloc(&flow->arena, (json_array_size(list) + 1) * sizeof *flow->blocks);
    flow->blocks[0] = (struct block){.id = STR("start"),
                                     .name = STR("Start"),
                                     .type = &block_start,
                                     .pins = block_start.pins,
                                     .pointer = STR("/start"),
                                     .order = -1};
    flow->block_count = 1;
    map_set(by_id, STR("start"), &flow->blocks[0]);
    json_array_foreach(list, i, json) {
        struct block *b = &flow->blocks[flow->block_count++];
        *b = (struct block){
            .id = jsonx_str(json, "id"),
            .name = jsonx_str(json, "name"),
            .type = find_type(jsonx_str(json, "type")),
            .json = json,
            .pointer = text_of(flow, "/blocks/%zu", i),
            .order = (int)i,
        };
        b->pins = b->type->own_pins ? b->type->own_pins(flow, b, p->findings) : b->type->pins;
        struct finding f = block_place(flow, b, "duplicate_id");
        if (map_find(by_id, b->id)) {
            findings_add(p->findings, &f, "two blocks have the id `" STR_FMT "`: rename one%s", STR_ARG(b->id),
                         str_is(b->id, "start") ? " (the Start has this one)" : "");
            continue;
        }
        map_set(by_id, b->id, b);
        if (json_object_get(json, "script"))
            parse_script(p, b);
        if (json_object_get(json, "while"))
            parse_while(p, b);
    }
}

/* Which frame each block is in; that frames do not hold themselves. */
static void parse_frames(struct parser *p, const struct map *by_id) {
    struct flow *flow = p->flow;
    for (size_t i = 1; i < flow->block_count; i++) {
        struct block *b = &flow->blocks[i];
        struct str in = jsonx_str(b->json, "in");
        const struct block *loop = in.len ? map_find(by_id, in) : NULL;
        struct finding f = block_place(flow, b, "no_such_frame");
        f.pointer = text_of(flow, STR_FMT "/in", STR_ARG(b->pointer));
        if (loop && loop->type->opens_scope)
            b->scope = (size_t)(loop - flow->blocks);
        else if (in.len)
            findings_add(p->findings, &f,
                         "`in` names `" STR_FMT "`, which is no loop of this flow: name the loop that holds `" STR_FMT
                         "`, or remove `in`",
                         STR_ARG(in), STR_ARG(b->id));
    }
    for (size_t i = 1; i < flow->block_count; i++) {
        size_t at = flow->blocks[i].scope;
        for (size_t steps = 0; at && at != i && steps < flow->block_count; steps++)
            at = flow->blocks[at].scope;
        struct finding f = block_place(flow, &flow->blocks[i], "frame_in_itself");
        if (at == i)
            findings_add(p->findings, &f, "the loop `" STR_FMT "` is inside its own frame: change its `in`",
                         STR_ARG(flow->blocks[i].id));
    }
}

static void pin_names(const struct block *b, struct buf *out) {
    for (const char *const *pin = b->pins; *pin; pin++)
        buf_addf(out, "%s%s", out->len ? ", " : "", *pin);
}

/* "BLOCK.PIN" */
static bool parse_from(struct parser *p, const struct map *by_id, struct str from, struct connection *c) {
    struct flow *flow = p->flow;
    struct str rest = from, id = {NULL, 0};
    str_cut(&rest, '.', &id);
    const struct block *b = map_find(by_id, id);
    struct finding f = place(p, "unknown_block", text_of(flow, STR_FMT "/from", STR_ARG(c->pointer)));
    f.at = c->text;
    if (!b) {
        findings_add(p->findings, &f, "there is no block `" STR_FMT "`: connect from one that is there", STR_ARG(id));
        return false;
    }
    c->from = (size_t)(b - flow->blocks);
    for (c->pin = 0; b->pins[c->pin]; c->pin++)
        if (rest.ptr && str_is(rest, b->pins[c->pin]))
            return true;
    struct buf pins;
    buf_init(&pins, 100);
    pin_names(b, &pins);
    f.code = "unknown_pin";
    f.block = b->id;
    findings_add(p->findings, &f, "`" STR_FMT "` names no pin: %s `" STR_FMT "` has %s; write BLOCK.PIN", STR_ARG(from),
                 b->type->name, STR_ARG(id), pins.len ? pins.ptr : "none, nothing comes after it");
    buf_release(&pins);
    return false;
}

static bool parse_to(struct parser *p, const struct map *by_id, struct str to, struct connection *c) {
    struct flow *flow = p->flow;
    const struct block *b = map_find(by_id, to);
    struct finding f = place(p, "unknown_block", text_of(flow, STR_FMT "/to", STR_ARG(c->pointer)));
    f.at = c->text;
    if (!b) {
        findings_add(p->findings, &f, "there is no block `" STR_FMT "`: connect to one that is there", STR_ARG(to));
        return false;
    }
    c->to = (size_t)(b - flow->blocks);
    if (c->to == 0) {
        f.code = "into_start";
        findings_add(p->findings, &f, "nothing leads into the Start: remove this connection, or use a Loop to repeat");
        return false;
    }
    return true;
}

static size_t connection_scope(const struct flow *flow, const struct connection *c) {
    const struct block *from = &flow->blocks[c->from];
    return from->type->opens_scope && c->pin == 0 ? c->from : from->scope;
}

static void parse_map(struct parser *p, const json_t *map, struct connection *c) {
    struct flow *flow = p->flow;
    const char *key;
    json_t *source;
    c->map = arena_alloc(&flow->arena, json_object_size(map) * sizeof *c->map);
    json_object_foreach((json_t *)(uintptr_t)map, key, source) {
        struct mapping *m = &c->map[c->map_count++];
        struct finding f = connection_place(flow, c, "bad_source");
        m->input = str_from(key);
        f.pointer = text_of(flow, STR_FMT "/map/%s", STR_ARG(c->pointer), key);
        source_parse(source, &f, &flow->arena, p->codes, &m->source, p->findings);
    }
}

static void parse_connections(struct parser *p, const struct map *by_id) {
    struct flow *flow = p->flow;
    const json_t *list = json_object_get(flow->json, "connections");
    json_t *json;
    size_t i;
    flow->connections = arena_alloc(&flow->arena, json_array_size(list) * sizeof *flow->connections);
    json_array_foreach(list, i, json) {
        struct str from = jsonx_str(json, "from"), to = jsonx_str(json, "to");
        struct connection *c = &flow->connections[flow->connection_count];
        *c = (struct connection){.pointer = text_of(flow, "/connections/%zu", i),
                                 .text = text_of(flow, STR_FMT " -> " STR_FMT, STR_ARG(from), STR_ARG(to))};
        bool ok = parse_from(p, by_id, from, c);
        if (!parse_to(p, by_id, to, c) || !ok)
            continue;
        flow->connection_count++;
        parse_map(p, json_object_get(json, "map"), c);
        struct finding f = connection_place(flow, c, "crosses_frame");
        if (connection_scope(flow, c) != flow->blocks[c->to].scope)
            findings_add(p->findings, &f,
                         "this connection crosses a loop's frame: blocks inside are reached from the loop's pin "
                         "`each`, what they gave comes out as `results`; set `in` of both ends alike");
    }
}

/* Both ends of every connection, listed at the blocks. */
static void link_blocks(struct parser *p) {
    struct flow *flow = p->flow;
    for (size_t i = 0; i < flow->connection_count; i++) {
        flow->blocks[flow->connections[i].from].out_count++;
        flow->blocks[flow->connections[i].to].in_count++;
    }
    for (size_t i = 0; i < flow->block_count; i++) {
        struct block *b = &flow->blocks[i];
        b->ins = arena_alloc(&flow->arena, b->in_count * sizeof *b->ins);
        b->outs = arena_alloc(&flow->arena, b->out_count * sizeof *b->outs);
        struct finding f = block_place(flow, b, "too_many");
        if (b->in_count > FLOW_FAN_IN_MAX)
            findings_add(p->findings, &f, "more than %d connections lead to `" STR_FMT "`: bring some together in a Join before",
                         FLOW_FAN_IN_MAX, STR_ARG(b->id));
        b->in_count = b->out_count = 0;
    }
    for (size_t i = 0; i < flow->connection_count; i++) {
        struct block *from = &flow->blocks[flow->connections[i].from], *to = &flow->blocks[flow->connections[i].to];
        from->outs[from->out_count++] = i;
        from->connected |= 1u << flow->connections[i].pin;
        to->ins[to->in_count++] = i;
    }
}

/* ---- the Start ---- */

static bool is_path_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~!$&'()*+,;=:@%", c));
}

/* A literal segment holds what RFC 3986, section 3.3, lets stand in one. */
static bool is_literal(struct str segment) {
    for (size_t i = 0; i < segment.len; i++)
        if (!is_path_char(segment.ptr[i]))
            return false;
    return !str_is(segment, ".") && !str_is(segment, "..");
}

static void add_parameter(struct parser *p, struct str name, struct finding *f) {
    struct flow *flow = p->flow;
    f->code = "bad_path";
    if (!is_name(name)) {
        findings_add(p->findings, f, "`{" STR_FMT "}` is no parameter: write {NAME} with letters, digits and _", STR_ARG(name));
        return;
    }
    for (size_t i = 0; i < flow->parameter_count; i++)
        if (str_eq(flow->parameters[i], name))
            findings_add(p->findings, f, "{" STR_FMT "} stands in the path twice: rename one", STR_ARG(name));
    if (flow->parameter_count == FLOW_PARAMETERS_MAX)
        findings_add(p->findings, f, "the path has more than %d parameters", FLOW_PARAMETERS_MAX);
    else
        flow->parameters[flow->parameter_count++] = name;
}

static void parse_path(struct parser *p, struct str path) {
    struct flow *flow = p->flow;
    struct finding f = place(p, "bad_path", STR("/start/path"));
    struct str rest = path, segment;
    flow->parameters = arena_alloc(&flow->arena, FLOW_PARAMETERS_MAX * sizeof *flow->parameters);
    if (!path.len || path.ptr[0] != '/') {
        findings_add(p->findings, &f, "a path begins with a slash: write `/" STR_FMT "`", STR_ARG(path));
        return;
    }
    if (str_is(path, "/.flowlet") || str_starts(path, STR("/.flowlet/")))
        findings_add(p->findings, &f, "paths below /.flowlet/ are the server's own: choose another");
    rest = str_of(path.ptr + 1, path.len - 1);
    while (str_cut(&rest, '/', &segment)) {
        if (segment.len > 2 && segment.ptr[0] == '{' && segment.ptr[segment.len - 1] == '}')
            add_parameter(p, str_of(segment.ptr + 1, segment.len - 2), &f);
        else if (!is_literal(segment))
            findings_add(p->findings, &f,
                         "`" STR_FMT "` can't stand in a path: use {NAME} for the whole segment, and percent-encode "
                         "what is no letter, digit or one of -._~!$&'()*+,;=:@",
                         STR_ARG(segment));
    }
    const char *name;
    json_t *parameter;
    json_object_foreach(json_object_get(flow->start, "parameters"), name, parameter) {
        size_t i = 0;
        while (i < flow->parameter_count && !str_is(flow->parameters[i], name))
            i++;
        f = place(p, "unknown_parameter", text_of(flow, "/start/parameters/%s", name));
        if (i == flow->parameter_count)
            findings_add(p->findings, &f, "the path has no {%s}: add it there, or remove it here", name);
    }
}

static struct code *parse_schema(struct parser *p, const json_t *schema) {
    return schema ? codes_add(p->codes, CODE_SCHEMA, (struct str){NULL, 0}, schema) : NULL;
}

/* Its properties become inputs or outputs, so it must have some. */
static void want_object_schema(struct parser *p, const char *key) {
    const json_t *schema = json_object_get(p->flow->start, key);
    struct finding f = place(p, "not_an_object", text_of(p->flow, "/start/%s", key));
    const char *name;
    json_t *property;
    if (schema && !str_is(jsonx_str(schema, "type"), "object"))
        findings_add(p->findings, &f,
                     "the schema of `%s` must be one of an object: {\"type\": \"object\", \"properties\": {...}}", key);
    json_object_foreach(json_object_get(schema, "properties"), name, property) {
        f.code = "bad_name";
        if (!is_name(str_from(name)))
            findings_add(p->findings, &f, "`%.100s` can't be the name of a value: use letters, digits, _ and $", name);
    }
}

static void parse_start(struct parser *p) {
    struct flow *flow = p->flow;
    const json_t *deduplicate = json_object_get(flow->start, "deduplicate"), *body = json_object_get(flow->start, "body");
    struct finding f = place(p, "bad_source", STR("/start/deduplicate"));
    if (flow->type == FLOW_ENDPOINT)
        parse_path(p, jsonx_str(flow->start, "path"));
    if (deduplicate) {
        flow->deduplicate = arena_alloc(&flow->arena, sizeof *flow->deduplicate);
        source_parse(deduplicate, &f, &flow->arena, p->codes, flow->deduplicate, p->findings);
    }
    if (flow->type == FLOW_REUSABLE) {
        want_object_schema(p, "inputs");
        want_object_schema(p, "outputs");
    } else if (flow->type == FLOW_ENDPOINT) {
        want_object_schema(p, "query");
    }
    flow->body_schema = parse_schema(p, json_object_get(body, "schema"));
    flow->query_schema = parse_schema(p, json_object_get(flow->start, "query"));
    flow->inputs_schema = parse_schema(p, json_object_get(flow->start, "inputs"));
}

void flow_parse(struct flow *flow, const struct folder *folder, const struct folder_file *file, struct codes *codes,
                struct findings *findings) {
    struct parser p = {.flow = flow, .folder = folder, .codes = codes, .findings = findings};
    struct map by_id;
    size_t errors = findings->errors;
    *flow = (struct flow){0};
    flow->file = arena_str(&flow->arena, str_from(file->path));
    ENSURE(folder_flow_id(flow->file.ptr, &flow->id));
    struct finding f = flow_place(flow, "bad_id");
    if (!is_id(flow->id))
        findings_add(findings, &f, "`" STR_FMT "` is no id of a flow: name the file with a-z, then a-z, 0-9, _ and -, at most 64",
                     STR_ARG(flow->id));
    f = flow_place(flow, "");
    flow->json = document_parse(file, findings);
    if (!flow->json || !shape_check(&flow_shape, flow->json, &f, findings))
        return;
    map_init(&by_id);
    flow->name = jsonx_str(flow->json, "name");
    flow->type = flow_type_of(jsonx_str(flow->json, "type"));
    flow->start = json_object_get(flow->json, "start");
    parse_start(&p);
    parse_blocks(&p, &by_id);
    parse_frames(&p, &by_id);
    parse_connections(&p, &by_id);
    link_blocks(&p);
    map_release(&by_id);
    flow->is_sound = findings->errors == errors;
}

bool flow_has_link(const struct flow *flow, struct str id) {
    for (size_t i = 0; i < flow->block_count; i++)
        if (str_eq(flow->blocks[i].id, id))
            return json_object_get(flow->blocks[i].json, "link") != NULL;
    return false;
}

void flow_release(struct flow *flow) {
    json_decref(flow->json);
    json_decref(flow->typing);
    flow->json = flow->typing = NULL;
    arena_release(&flow->arena);
}
