/* names.c — what is bound where (semantics.md, rules 9 to 11), and whether mappings keep to it.
 *
 * For each block two sets of names: those bound on every way to it and those bound on some.
 * After a Join "every way" means more than the way that was looked at: what runs at the same
 * time is there as well, unless a Condition, a Switch or a connected error pin may have led
 * elsewhere. So each block also has the set of connections that are certainly taken when it runs:
 *
 *     ordinary block   what all its incoming connections have in common
 *     Join             the same, but to what comes with one connection are added those of the
 *                      others that must be taken too: their source runs and has no other pin to
 *                      leave by, or is the Start, and so on backwards (a source that fails would
 *                      have failed the Join) */
#include "flow/graph.h"

struct names {
    struct graph *g;
    struct flow *flow;
    const struct workspace *workspace;
    struct findings *findings;
    struct arena arena;
    struct map ids; /* name -> its number plus one */
    struct str *text;
    size_t count, words;        /* names; words of a row of them */
    uint64_t *always, *perhaps; /* [block][name]: when the block begins */
    uint64_t *taken;            /* [block][connection]: certainly, when the block runs */
};

static const struct connection *connection(const struct names *n, size_t c) { return &n->flow->connections[c]; }

static uint64_t *row(uint64_t *rows, size_t i, size_t words) { return rows + i * words; }

static uint64_t *new_row(struct names *n, size_t words) { return arena_alloc(&n->arena, words * sizeof(uint64_t)); }

/* SIZE_MAX: no such name in this flow. */
static size_t name_number(const struct names *n, struct str name) { return (size_t)(uintptr_t)map_find(&n->ids, name) - 1; }

static void number_names(struct names *n) {
    size_t most = 0;
    for (size_t i = 0; i < n->flow->block_count; i++)
        most += n->flow->blocks[i].binding_count;
    n->text = arena_alloc(&n->arena, most * sizeof *n->text);
    for (size_t i = 0; i < n->flow->block_count; i++)
        for (size_t k = 0; k < n->flow->blocks[i].binding_count; k++) {
            struct str name = n->flow->blocks[i].bindings[k].name;
            if (map_find(&n->ids, name))
                continue;
            n->text[n->count++] = name;
            map_set(&n->ids, name, (void *)(uintptr_t)n->count);
        }
    n->words = bits_words(n->count);
}

/* ---- sets ---- */

/* What is bound once connection c was taken: into `always` and `perhaps`, rows of names. */
static void names_of(const struct names *n, size_t c, uint64_t *always, uint64_t *perhaps) {
    const struct connection *it = connection(n, c);
    const struct block *from = &n->flow->blocks[it->from];
    bits_or(always, row(n->always, it->from, n->words), n->words);
    bits_or(perhaps, row(n->perhaps, it->from, n->words), n->words);
    for (size_t i = 0; i < from->binding_count; i++) {
        const struct binding *b = &from->bindings[i];
        size_t name = name_number(n, b->name);
        if (!(b->pins >> it->pin & 1))
            continue;
        bits_add(perhaps, name);
        if (!(b->maybe >> it->pin & 1))
            bits_add(always, name);
    }
}

static void taken_with(const struct names *n, size_t c, uint64_t *taken) {
    bits_or(taken, row(n->taken, connection(n, c)->from, n->g->words), n->g->words);
    bits_add(taken, c);
}

/* A block that runs and does not fail can leave by this pin alone. */
static bool is_only_way_out(const struct names *n, const struct connection *c) {
    const struct block *from = &n->flow->blocks[c->from];
    if (from->type->opens_scope && c->pin == 0)
        return true;
    for (size_t pin = from->type->opens_scope; from->type->pins[pin]; pin++) {
        bool may = strcmp(from->type->pins[pin], "error") != 0 || (from->connected >> pin & 1);
        if (may && pin != c->pin)
            return false;
    }
    return true;
}

/* What was found in one round may show more in the next; more rounds than this only a flow made for it needs. */
#define ROUNDS_MAX 8

/* Adds to `taken` what must be taken as well when Join `at` runs and `taken` is. */
static void close_over_join(struct names *n, const struct block *opener, size_t at, uint64_t *taken) {
    struct flow *flow = n->flow;
    const struct block *join = &flow->blocks[at];
    bool *sure = arena_alloc(&n->arena, flow->connection_count * sizeof *sure), grew = true;
    for (size_t round = 0; grew && round < ROUNDS_MAX; round++) {
        grew = false;
        for (size_t i = 0; i <= join->place - 1; i++) {
            const struct block *b = i ? &flow->blocks[flow->order[opener->inside_first + i - 1]] : opener;
            bool runs = i == 0;
            for (size_t k = 0; !runs && k < b->in_count; k++)
                runs = sure[b->ins[k]];
            for (size_t k = 0; k < b->out_count; k++) {
                size_t c = b->outs[k];
                if (i == 0 && flow->blocks[connection(n, c)->to].scope != (size_t)(opener - flow->blocks))
                    continue;
                sure[c] = bits_has(taken, c) || (runs && is_only_way_out(n, connection(n, c)));
            }
        }
        for (size_t k = 0; k < join->in_count; k++)
            if (sure[join->ins[k]] && !bits_has(taken, join->ins[k])) {
                taken_with(n, join->ins[k], taken);
                grew = true;
            }
    }
}

static void find_sets(struct names *n, const struct block *opener, size_t at) {
    struct flow *flow = n->flow;
    const struct block *b = &flow->blocks[at];
    uint64_t *always = row(n->always, at, n->words), *perhaps = row(n->perhaps, at, n->words);
    uint64_t *taken = row(n->taken, at, n->g->words);
    bool first = true;
    for (size_t k = 0; k < b->in_count; k++) {
        if (!n->g->reachable[connection(n, b->ins[k])->from])
            continue;
        uint64_t *way = new_row(n, n->g->words), *way_always = new_row(n, n->words);
        taken_with(n, b->ins[k], way);
        names_of(n, b->ins[k], way_always, perhaps);
        if (b->type->waits) {
            close_over_join(n, opener, at, way);
            for (size_t j = 0; j < b->in_count; j++)
                if (bits_has(way, b->ins[j]))
                    names_of(n, b->ins[j], way_always, perhaps);
        }
        if (first) {
            bits_or(always, way_always, n->words);
            bits_or(taken, way, n->g->words);
        }
        bits_and(always, way_always, n->words);
        bits_and(taken, way, n->g->words);
        first = false;
    }
}

/* ---- rule 10: one name, bound on two branches that a Join brings together ---- */

static bool has_more(const uint64_t *a, const uint64_t *b, size_t words) {
    for (size_t i = 0; i < words; i++)
        if (a[i] & ~b[i])
            return true;
    return false;
}

/* The blocks on the ways to connection c that bind `name`, given the same for its source. */
static void binders_of(const struct names *n, size_t c, size_t name, const uint64_t *of_blocks, size_t words, uint64_t *out) {
    const struct connection *it = connection(n, c);
    const struct block *from = &n->flow->blocks[it->from];
    for (size_t i = 0; i < from->binding_count; i++) {
        const struct binding *b = &from->bindings[i];
        if ((b->pins >> it->pin & 1) && name_number(n, b->name) == name)
            bits_add(out, it->from);
    }
    bits_or(out, of_blocks + it->from * words, words);
}

static size_t first_bit(const uint64_t *a, const uint64_t *without, size_t count) {
    size_t i = 0;
    while (i < count && (!bits_has(a, i) || bits_has(without, i)))
        i++;
    return i;
}

static void check_join(struct names *n, const struct block *join, size_t name, const uint64_t *of_blocks, size_t words) {
    struct flow *flow = n->flow;
    uint64_t *of = mem_alloc(join->in_count * words * sizeof *of + 1);
    bool found = false;
    for (size_t i = 0; !found && i < join->in_count; i++) {
        uint64_t *mine = of + i * words;
        binders_of(n, join->ins[i], name, of_blocks, words, mine);
        for (size_t k = 0; !found && k < i; k++) {
            const uint64_t *other = of + k * words;
            if (!has_more(mine, other, words) || !has_more(other, mine, words) ||
                graph_excludes(n->g, join->ins[k], join->ins[i]))
                continue;
            struct finding f = block_place(flow, join, "bound_on_both_branches");
            f.at = connection(n, join->ins[i])->text;
            findings_add(n->findings, &f,
                         "`" STR_FMT "` is bound on both branches that `" STR_FMT "` brings together, by `" STR_FMT
                         "` and by `" STR_FMT "`: rename one with `outputs`",
                         STR_ARG(n->text[name]), STR_ARG(join->id),
                         STR_ARG(flow->blocks[first_bit(other, mine, flow->block_count)].id),
                         STR_ARG(flow->blocks[first_bit(mine, other, flow->block_count)].id));
            found = true;
        }
    }
    free(of);
}

/* of_blocks: for each block of the scope, who may have bound the name when it begins. What came
 * from outside counts as bound by the block that opens the scope. */
static void check_name(struct names *n, const struct block *opener, size_t name, uint64_t *of_blocks) {
    struct flow *flow = n->flow;
    size_t words = bits_words(flow->block_count), first = (size_t)(opener - flow->blocks);
    memset(of_blocks, 0, flow->block_count * words * sizeof *of_blocks);
    if (bits_has(row(n->perhaps, first, n->words), name))
        bits_add(of_blocks + first * words, first);
    for (size_t i = 0; i < opener->inside_count; i++) {
        size_t at = flow->order[opener->inside_first + i];
        const struct block *b = &flow->blocks[at];
        for (size_t k = 0; k < b->in_count; k++)
            binders_of(n, b->ins[k], name, of_blocks, words, of_blocks + at * words);
        if (b->type->waits)
            check_join(n, b, name, of_blocks, words);
    }
}

static bool has_join(const struct flow *flow, const struct block *opener) {
    for (size_t i = 0; i < opener->inside_count; i++)
        if (flow->blocks[flow->order[opener->inside_first + i]].type->waits)
            return true;
    return false;
}

static void check_branches(struct names *n, const struct block *opener) {
    struct flow *flow = n->flow;
    size_t words = bits_words(flow->block_count);
    unsigned *binders = arena_alloc(&n->arena, n->count * sizeof *binders);
    if (!has_join(flow, opener))
        return;
    for (size_t i = 0; i < flow->block_count; i++)
        for (size_t k = 0; k < flow->blocks[i].binding_count; k++)
            binders[name_number(n, flow->blocks[i].bindings[k].name)]++;
    uint64_t *of_blocks = mem_alloc(flow->block_count * words * sizeof *of_blocks);
    for (size_t name = 0; name < n->count; name++)
        if (binders[name] > 1)
            check_name(n, opener, name, of_blocks);
    free(of_blocks);
}

/* ---- mappings ---- */

struct use {
    struct names *n;
    const struct connection *c; /* NULL: the Start's own sources */
    const struct mapping *mapping;
    uint64_t *always, *perhaps; /* names at that place */
};

static struct finding use_place(const struct use *u, const struct source *s, const char *code) {
    struct finding f = u->c ? connection_place(u->n->flow, u->c, code) : flow_place(u->n->flow, code);
    f.pointer = s->pointer;
    return f;
}

static void list_names(const struct use *u, struct buf *out) {
    for (size_t i = 0; i < u->n->count; i++)
        if (bits_has(u->perhaps, i))
            buf_addf(out, "%s" STR_FMT, out->len ? ", " : "", STR_ARG(u->n->text[i]));
}

static void check_read(const struct use *u, const struct source *s, struct str name) {
    size_t number = name_number(u->n, name);
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
        check_declared(u, s, u->n->workspace->secrets, "secret");
        break;
    case SOURCE_SETTING:
        check_declared(u, s, u->n->workspace->settings, "setting");
        break;
    case SOURCE_VALUE:
    case SOURCE_OBJECT:
    case SOURCE_LIST:
        break;
    }
}

/* Constants and composed values whose type is known are held against the input's. */
static void check_type(const struct use *u, const struct port *port) {
    const struct source *s = &u->mapping->source;
    const char *type = json_string_value(json_object_get(port->schema, "type"));
    struct finding f = use_place(u, s, "wrong_type");
    bool wrong = type && ((s->kind == SOURCE_VALUE && !schema_type_fits(port->schema, s->value)) ||
                          (s->kind == SOURCE_OBJECT && strcmp(type, "object") != 0) ||
                          (s->kind == SOURCE_LIST && strcmp(type, "array") != 0) ||
                          (s->kind == SOURCE_SECRET && strcmp(type, "string") != 0));
    if (wrong)
        findings_add(u->n->findings, &f, "the input `" STR_FMT "` of `" STR_FMT "` takes %s %s, which this is not",
                     STR_ARG(port->name), STR_ARG(u->n->flow->blocks[u->c->to].id), strchr("aio", type[0]) ? "an" : "a", type);
}

static const struct port *find_port(const struct block *b, struct str name) {
    for (size_t i = 0; i < b->port_count; i++)
        if (str_eq(b->ports[i].name, name))
            return &b->ports[i];
    return NULL;
}

static void check_mapping(struct use *u, const struct block *to) {
    const struct source *s = &u->mapping->source;
    const struct port *port = find_port(to, u->mapping->input);
    struct finding f = use_place(u, s, "unknown_input");
    source_walk(s, check_source, u);
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
    size_t name = s->kind == SOURCE_FROM ? name_number(u->n, s->name) : SIZE_MAX;
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
        bits_add(u.perhaps, name_number(n, start->bindings[i].name));
    if (n->flow->deduplicate)
        source_walk(n->flow->deduplicate, check_source, &u);
}

void graph_check_names(struct graph *g, const struct workspace *w, struct findings *findings) {
    struct flow *flow = g->flow;
    struct names n = {.g = g, .flow = flow, .workspace = w, .findings = findings};
    map_init(&n.ids);
    number_names(&n);
    n.always = arena_alloc(&n.arena, flow->block_count * n.words * sizeof *n.always);
    n.perhaps = arena_alloc(&n.arena, flow->block_count * n.words * sizeof *n.perhaps);
    n.taken = arena_alloc(&n.arena, flow->block_count * g->words * sizeof *n.taken);
    for (size_t i = 0; i < flow->block_count; i++) {
        const struct block *opener = &flow->blocks[i == 0 ? 0 : flow->order[i - 1]];
        for (size_t k = 0; k < opener->inside_count; k++)
            find_sets(&n, opener, flow->order[opener->inside_first + k]);
        if (opener->inside_count)
            check_branches(&n, opener);
    }
    for (size_t c = 0; c < flow->connection_count; c++)
        if (g->reachable[connection(&n, c)->from])
            check_connection(&n, c);
    check_deduplicate(&n);
    map_release(&n.ids);
    arena_release(&n.arena);
}

/* ---- all checks of a flow ---- */

static void check_block(const struct flow *flow, const struct block *b, const struct workspace *w, struct findings *findings) {
    struct finding f = block_place(flow, b, "cannot_fail");
    bool set = json_object_get(b->json, "retry") || json_object_get(b->json, "timeout_ms");
    if (set && !b->type->retries)
        findings_add(findings, &f, "a %s has neither retry nor time-out: remove `retry` and `timeout_ms`", b->type->title);
    if (b->type->check)
        b->type->check(flow, b, w, findings);
}

void flow_check(struct flow *flow, const struct workspace *w, struct findings *findings) {
    struct graph g;
    for (size_t i = 0; i < flow->block_count; i++)
        check_block(flow, &flow->blocks[i], w, findings);
    graph_init(&g, flow);
    if (graph_order(&g, findings)) {
        graph_check_ways(&g, findings);
        if (!flow->guesses)
            graph_check_names(&g, w, findings);
    }
    graph_release(&g);
}
