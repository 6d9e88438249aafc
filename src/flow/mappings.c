/* mappings.c — whether each mapping gives its block what that takes, from what is there (semantics.md, rules 9, 11, 13). */
#include "flow/names.h"
#include "flow/types.h"

static const struct connection *connection(const struct names *n, size_t c) { return &n->flow->connections[c]; }

static uint64_t *new_row(struct names *n, size_t words) { return arena_alloc(&n->arena, words * sizeof(uint64_t)); }

struct use {
    struct names *n;
    const struct connection *c; /* NULL: a block's own source, and */
    const struct block *block;  /* which; NULL: the Start's */
    const struct mapping *mapping;
    uint64_t *always, *perhaps; /* names at that place */
    uint64_t *reach;            /* and the bindings behind them; where types are checked */
};

static struct finding use_place(const struct use *u, const struct source *s, const char *code) {
    struct finding f = u->c       ? connection_place(u->n->flow, u->c, code)
                       : u->block ? block_place(u->n->flow, u->block, code)
                                  : flow_place(u->n->flow, code);
    f.pointer = s->pointer;
    return f;
}

static void list_names(const struct use *u, struct buf *out) {
    for (size_t i = 0; i < u->n->count; i++)
        if (bits_has(u->perhaps, i))
            buf_addf(out, "%s" STR_FMT, out->len ? ", " : "", STR_ARG(u->n->text[i]));
}

static void check_read(const struct use *u, const struct source *s, struct str name) {
    size_t number = names_number(u->n, name);
    if (number != SIZE_MAX && bits_has(u->perhaps, number))
        return;
    struct finding f = use_place(u, s, "unknown_name");
    struct buf known;
    buf_init(&known, 500);
    list_names(u, &known);
    findings_add(u->n->findings, &f, "nothing on the way here binds `" STR_FMT "`: use one of %s", STR_ARG(name),
                 known.len ? known.ptr : "the values that a block before gives (there is none)");
    buf_release(&known);
}

static void check_declared(const struct use *u, const struct source *s, const json_t *declared, const char *kind) {
    struct finding f = use_place(u, s, "not_declared");
    const json_t *found = json_object_getn(declared, s->name.ptr, s->name.len);
    if (!found)
        findings_add(u->n->findings, &f, "workspace.json declares no %s `" STR_FMT "`: add it under `%ss`", kind,
                     STR_ARG(s->name), kind);
    f.code = "wrong_secret";
    if (s->kind == SOURCE_SECRET && str_is(jsonx_str(found, "type"), "basic"))
        findings_add(u->n->findings, &f,
                     "`" STR_FMT "` holds a user name and a password, which is no single value: use `auth` of an "
                     "HTTP Request, or secrets.getBasic in a script",
                     STR_ARG(s->name));
}

static void check_code(const struct use *u, const struct source *s) {
    const json_t *names = code_uses(s->code, "input");
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name) check_read(u, s, jsonx_string_value(name));
}

/* Of a Wait that waits for one, here or outside of the loops around here. */
static void check_link(const struct use *u, const struct source *s) {
    struct finding f = use_place(u, s, "no_link");
    if (!flow_has_link(u->n->flow, s->name))
        findings_add(u->n->findings, &f, "`" STR_FMT "` is no Wait with a `link` in this flow", STR_ARG(s->name));
}

static void check_source(void *arg, const struct source *s) {
    const struct use *u = arg;
    switch (s->kind) {
    case SOURCE_FROM:
        check_read(u, s, s->name);
        break;
    case SOURCE_CODE:
        check_code(u, s);
        break;
    case SOURCE_SECRET:
        check_declared(u, s, u->n->catalog->secrets, "secret");
        break;
    case SOURCE_SETTING:
        check_declared(u, s, u->n->catalog->settings, "setting");
        break;
    case SOURCE_LINK:
        check_link(u, s);
        break;
    case SOURCE_VALUE:
    case SOURCE_OBJECT:
    case SOURCE_LIST:
        break;
    }
}

/* What a name may be: whatever any of its bindings says, since it is not known which one came. */
static unsigned types_of_name(const struct use *u, const struct source *s) {
    unsigned types = 0;
    for (size_t i = 0; i < u->n->flow->block_count; i++) {
        const struct block *b = &u->n->flow->blocks[i];
        for (size_t k = 0; k < b->binding_count; k++)
            if (str_eq(b->bindings[k].name, s->name))
                types |= types_of_schema(types_follow(b->bindings[k].schema, s->steps, s->step_count));
    }
    return types ? types : TYPE_ANY;
}

static unsigned types_of_setting(const struct use *u, const struct source *s) {
    const json_t *declared = json_object_getn(u->n->catalog->settings, s->name.ptr, s->name.len);
    const json_t *schema = json_object_get(declared, "schema");
    return schema ? types_of_schema(schema) : declared ? TYPE_STRING : TYPE_ANY;
}

static unsigned types_of_source(const struct use *u, const struct source *s) {
    switch (s->kind) {
    case SOURCE_FROM:
        return types_of_name(u, s);
    case SOURCE_VALUE:
        return types_of_value(s->value);
    case SOURCE_SETTING:
        return types_of_setting(u, s);
    case SOURCE_SECRET:
    case SOURCE_LINK:
        return TYPE_STRING;
    case SOURCE_OBJECT:
        return TYPE_OBJECT;
    case SOURCE_LIST:
        return TYPE_ARRAY;
    case SOURCE_CODE:
        break;
    }
    return TYPE_ANY;
}

/* What can't fit whatever comes. */
static void check_type(const struct use *u, const struct port *port) {
    const struct source *s = &u->mapping->source;
    unsigned given = types_of_source(u, s), taken = types_of_schema(port->schema);
    struct finding f = use_place(u, s, "wrong_type");
    struct buf is, wants;
    if (given & taken)
        return;
    buf_init(&is, 200);
    buf_init(&wants, 200);
    types_write(given, &is);
    types_write(taken, &wants);
    findings_add(u->n->findings, &f,
                 "the input `" STR_FMT "` of `" STR_FMT
                 "` takes %s, and this is %s: convert it in an expression, or map another value",
                 STR_ARG(port->name), STR_ARG(u->n->flow->blocks[u->c->to].id), wants.ptr, is.ptr);
    buf_release(&is);
    buf_release(&wants);
}

static const struct port *find_port(const struct block *b, struct str name) {
    for (size_t i = 0; i < b->port_count; i++)
        if (str_eq(b->ports[i].name, name))
            return &b->ports[i];
    return NULL;
}

static void type_source(const struct use *u, const struct source *s, const struct port *port) {
    struct finding place = use_place(u, s, "type");
    if (u->n->flow->typing)
        names_type(u->n, &(struct names_there){u->always, u->perhaps, u->reach}, &place, s, port);
}

static void check_mapping(struct use *u, const struct block *to) {
    const struct source *s = &u->mapping->source;
    const struct port *port = find_port(to, u->mapping->input);
    struct finding f = use_place(u, s, "unknown_input");
    source_walk(s, check_source, u);
    type_source(u, s, port);
    if (!port && !to->any_input) {
        struct buf known;
        buf_init(&known, 400);
        for (size_t i = 0; i < to->port_count; i++)
            buf_addf(&known, "%s" STR_FMT, known.len ? ", " : "", STR_ARG(to->ports[i].name));
        findings_add(u->n->findings, &f, "`" STR_FMT "` has no input `" STR_FMT "`: it has %s", STR_ARG(to->id),
                     STR_ARG(u->mapping->input), known.len ? known.ptr : "none");
        buf_release(&known);
    }
    if (!port)
        return;
    check_type(u, port);
    size_t name = s->kind == SOURCE_FROM ? names_number(u->n, s->name) : SIZE_MAX;
    f.code = "may_be_missing";
    if (port->required && name != SIZE_MAX && bits_has(u->perhaps, name) && !bits_has(u->always, name))
        findings_add(u->n->findings, &f,
                     "`" STR_FMT "` is not bound on every way to `" STR_FMT "`, which cannot do without `" STR_FMT
                     "`: use an expression with a fallback, input." STR_FMT " ?? ...",
                     STR_ARG(s->name), STR_ARG(to->id), STR_ARG(port->name), STR_ARG(s->name));
}

static void check_connection(struct names *n, size_t c) {
    const struct connection *it = connection(n, c);
    const struct block *to = &n->flow->blocks[it->to];
    struct use u = {.n = n, .c = it, .always = new_row(n, n->words), .perhaps = new_row(n, n->words)};
    struct finding f = connection_place(n->flow, it, "join_mapped");
    names_of(n, c, u.always, u.perhaps);
    u.reach = new_row(n, n->binding_words);
    names_reach(n, c, u.reach);
    if (to->type->waits && it->map_count) {
        findings_add(n->findings, &f, "a Join takes nothing in, it hands on what its ways brought: remove `map`");
        return;
    }
    for (size_t i = 0; i < it->map_count; i++) {
        u.mapping = &it->map[i];
        check_mapping(&u, to);
    }
    f.code = "missing_input";
    for (size_t i = 0; i < to->port_count; i++) {
        bool mapped = !to->ports[i].required;
        for (size_t k = 0; !mapped && k < it->map_count; k++)
            mapped = str_eq(it->map[k].input, to->ports[i].name);
        if (!mapped)
            findings_add(n->findings, &f, "`" STR_FMT "` needs its input `" STR_FMT "`: map it on this connection",
                         STR_ARG(to->id), STR_ARG(to->ports[i].name));
    }
}

static void check_deduplicate(struct names *n) {
    struct use u = {.n = n, .always = new_row(n, n->words), .perhaps = new_row(n, n->words)};
    const struct block *start = &n->flow->blocks[0];
    for (size_t i = 0; i < start->binding_count; i++)
        bits_add(u.perhaps, names_number(n, start->bindings[i].name));
    if (!n->flow->deduplicate)
        return;
    source_walk(n->flow->deduplicate, check_source, &u);
    u.reach = new_row(n, n->binding_words);
    for (size_t i = 0; i < start->binding_count; i++)
        bits_add(u.reach, n->first_binding[0] + i);
    u.always = u.perhaps;
    type_source(&u, n->flow->deduplicate, NULL);
}

/* A loop's `while` sees what its turns see. */
static void check_repeat(struct names *n, const struct block *b) {
    struct use u = {.n = n, .block = b, .always = new_row(n, n->words), .perhaps = new_row(n, n->words)};
    size_t i = 0;
    while (i < b->out_count && connection(n, b->outs[i])->pin != 0)
        i++;
    if (!b->repeat || i == b->out_count)
        return;
    names_of(n, b->outs[i], u.always, u.perhaps);
    source_walk(b->repeat, check_source, &u);
    u.reach = new_row(n, n->binding_words);
    names_reach(n, b->outs[i], u.reach);
    type_source(&u, b->repeat, NULL);
}

void names_check_mappings(struct names *n) {
    for (size_t c = 0; c < n->flow->connection_count; c++)
        if (n->g->reachable[connection(n, c)->from])
            check_connection(n, c);
    for (size_t i = 0; i < n->flow->block_count; i++)
        if (n->g->reachable[i])
            check_repeat(n, &n->flow->blocks[i]);
    check_deduplicate(n);
}
