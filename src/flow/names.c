/* names.c — what is bound where (semantics.md, rules 9 and 11).
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
#include "flow/names.h"

static const struct connection *connection(const struct names *n, size_t c) { return &n->flow->connections[c]; }

static uint64_t *new_row(struct names *n, size_t words) { return arena_alloc(&n->arena, words * sizeof(uint64_t)); }

size_t names_number(const struct names *n, struct str name) { return (size_t)(uintptr_t)map_find(&n->ids, name) - 1; }

static void number_names(struct names *n) {
    size_t most = 0;
    n->first_binding = arena_alloc(&n->arena, n->flow->block_count * sizeof *n->first_binding);
    for (size_t i = 0; i < n->flow->block_count; i++) {
        n->first_binding[i] = most;
        most += n->flow->blocks[i].binding_count;
    }
    n->text = arena_alloc(&n->arena, most * sizeof *n->text);
    n->binding_words = bits_words(most);
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

void names_of(const struct names *n, size_t c, uint64_t *always, uint64_t *perhaps) {
    const struct connection *it = connection(n, c);
    const struct block *from = &n->flow->blocks[it->from];
    bits_or(always, names_row(n->always, it->from, n->words), n->words);
    bits_or(perhaps, names_row(n->perhaps, it->from, n->words), n->words);
    for (size_t i = 0; i < from->binding_count; i++) {
        const struct binding *b = &from->bindings[i];
        size_t name = names_number(n, b->name);
        if (!(b->pins >> it->pin & 1))
            continue;
        bits_add(perhaps, name);
        if (!(b->maybe >> it->pin & 1))
            bits_add(always, name);
    }
}

void names_reach(const struct names *n, size_t c, uint64_t *row) {
    const struct connection *it = connection(n, c);
    const struct block *from = &n->flow->blocks[it->from];
    for (size_t i = 0; i < n->flow->block_count; i++)
        for (size_t k = 0; k < n->flow->blocks[i].binding_count; k++) {
            bool stays = bits_has(names_row(n->reach, it->from, n->binding_words), n->first_binding[i] + k);
            for (size_t j = 0; stays && j < from->binding_count; j++)
                stays = !((from->bindings[j].pins & ~from->bindings[j].maybe) >> it->pin & 1) ||
                        !str_eq(from->bindings[j].name, n->flow->blocks[i].bindings[k].name);
            if (stays)
                bits_add(row, n->first_binding[i] + k);
        }
    for (size_t k = 0; k < from->binding_count; k++)
        if (from->bindings[k].pins >> it->pin & 1)
            bits_add(row, n->first_binding[it->from] + k);
}

static void taken_with(const struct names *n, size_t c, uint64_t *taken) {
    bits_or(taken, names_row(n->taken, connection(n, c)->from, n->g->words), n->g->words);
    bits_add(taken, c);
}

/* A block that runs and does not fail can leave by this pin alone. */
static bool is_only_way_out(const struct names *n, const struct connection *c) {
    const struct block *from = &n->flow->blocks[c->from];
    if (from->type->opens_scope && c->pin == 0)
        return true;
    for (size_t pin = from->type->opens_scope; from->pins[pin]; pin++) {
        bool may = strcmp(from->pins[pin], "error") != 0 || (from->connected >> pin & 1);
        if (may && pin != c->pin)
            return false;
    }
    return true;
}

static void find_certain(struct names *n) {
    struct flow *flow = n->flow;
    flow->blocks[0].certain = true;
    for (size_t i = 0; i + 1 < flow->block_count; i++) {
        struct block *b = &flow->blocks[flow->order[i]];
        for (size_t k = 0; k < b->in_count && b->scope == 0; k++) { /* a loop may have no turns */
            const struct connection *c = connection(n, b->ins[k]);
            b->certain |= flow->blocks[c->from].certain && is_only_way_out(n, c);
        }
    }
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
    uint64_t *always = names_row(n->always, at, n->words), *perhaps = names_row(n->perhaps, at, n->words);
    uint64_t *taken = names_row(n->taken, at, n->g->words);
    bool first = true;
    for (size_t k = 0; k < b->in_count; k++) {
        if (!n->g->reachable[connection(n, b->ins[k])->from])
            continue;
        uint64_t *way = new_row(n, n->g->words), *way_always = new_row(n, n->words);
        taken_with(n, b->ins[k], way);
        if (flow->typing)
            names_reach(n, b->ins[k], names_row(n->reach, at, n->binding_words));
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

void graph_check_names(struct graph *g, const struct catalog *w, struct findings *findings) {
    struct flow *flow = g->flow;
    struct names n = {.g = g, .flow = flow, .catalog = w, .findings = findings};
    map_init(&n.ids);
    number_names(&n);
    n.always = arena_alloc(&n.arena, flow->block_count * n.words * sizeof *n.always);
    n.perhaps = arena_alloc(&n.arena, flow->block_count * n.words * sizeof *n.perhaps);
    n.taken = arena_alloc(&n.arena, flow->block_count * g->words * sizeof *n.taken);
    n.reach = arena_alloc(&n.arena, flow->block_count * n.binding_words * sizeof *n.reach);
    for (size_t i = 0; i < flow->block_count; i++) {
        const struct block *opener = &flow->blocks[i == 0 ? 0 : flow->order[i - 1]];
        for (size_t k = 0; k < opener->inside_count; k++)
            find_sets(&n, opener, flow->order[opener->inside_first + k]);
        if (opener->inside_count)
            names_check_branches(&n, opener);
    }
    find_certain(&n);
    names_check_mappings(&n);
    map_release(&n.ids);
    arena_release(&n.arena);
}

/* ---- all checks of a flow ---- */

/* Scripts and called flows have codes of their own. */
static void check_retry(const struct flow *flow, const struct block *b, struct findings *findings) {
    const json_t *codes = json_object_get(json_object_get(b->json, "retry"), "on"), *code;
    bool others = b->script || b->type->opens_scope || json_object_get(b->json, "flow");
    struct finding f = block_place(flow, b, "unknown_code");
    f.severity = others ? FINDING_WARNING : FINDING_ERROR;
    for (size_t i = 0; (code = json_array_get(codes, i)); i++)
        if (json_is_string(code) && !error_has_name(json_string_value(code)))
            findings_add(findings, &f,
                         "`retry.on`: there is no error code `%.64s`%s: there are timeout, connect_failed, http_status, "
                         "mail_deferred, ...",
                         json_string_value(code), others ? " but where the inside of this block fails by it" : "");
}

static void check_block(const struct flow *flow, const struct block *b, const struct catalog *w, struct findings *findings) {
    struct finding f = block_place(flow, b, "cannot_fail");
    bool set = json_object_get(b->json, "retry") || json_object_get(b->json, "timeout_ms");
    if (set && !b->type->retries)
        findings_add(findings, &f, "a %s has neither retry nor time-out: remove `retry` and `timeout_ms`", b->type->title);
    check_retry(flow, b, findings);
    if (b->type->check)
        b->type->check(flow, b, w, findings);
}

void flow_check(struct flow *flow, const struct catalog *w, struct findings *findings) {
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
