/* branches.c — rule 10: a name may come to a Join from two branches only where one binding replaced the other.
 *
 * Looked at one name at a time. What the name holds at a place is a *value*: an atom for each block and pin
 * that binds it, and a choice where ways meet that bring different ones (as in static single assignment).
 * A value *covers* another when it is that one or took its place, whatever happens; what is not bound at all
 * is in nobody's way. So two values that meet at a Join are fine when one covers the other, or when for all that
 * each of them may be that holds, or both can't be bound in one run (rule 7).
 *
 * That is finer than the sets of blocks which rule 10 speaks of: those also let through what was replaced only
 * if a Condition went the right way. */
#include "flow/names.h"

#define NONE SIZE_MAX

struct value {
    uint64_t *covers; /* values */
    uint64_t *atoms;  /* values: what it may be */
    bool maybe;       /* or nothing */
    size_t block;     /* an atom's; whoever opens the scope for what came from outside */
    size_t leaving;   /* an atom's: a connection that brings it; NONE */
};

struct branches {
    struct names *n;
    const struct block *opener;
    size_t name;
    struct value *values;
    size_t count, max, words;
    size_t *in;   /* [block]: the value when it begins; NONE */
    size_t *left; /* [block][pin]: the value when it has left by the pin */
    uint64_t *rows, *scratch;
};

static const struct connection *connection(const struct branches *b, size_t c) { return &b->n->flow->connections[c]; }

static size_t new_value(struct branches *b, bool maybe) {
    ENSURE(b->count < b->max);
    size_t v = b->count++;
    uint64_t *rows = b->rows + 2 * v * b->words;
    memset(rows, 0, 2 * b->words * sizeof *rows);
    b->values[v] = (struct value){.covers = rows, .atoms = rows + b->words, .maybe = maybe, .leaving = NONE};
    bits_add(b->values[v].covers, v);
    return v;
}

/* A binding by block `at` that takes the place of `before`. */
static size_t new_atom(struct branches *b, size_t at, size_t before, bool maybe) {
    size_t v = new_value(b, maybe);
    b->values[v].block = at;
    bits_add(b->values[v].atoms, v);
    if (before == NONE)
        return v;
    bits_add(b->values[v].covers, before);
    if (!b->values[before].maybe)
        bits_or(b->values[v].covers, b->values[before].covers, b->words);
    return v;
}

/* What can't be bound when connection c is taken. */
static void add_excluded(const struct branches *b, size_t c, uint64_t *values) {
    for (size_t v = 0; v < b->count; v++)
        if (b->values[v].leaving != NONE && graph_excludes(b->n->g, b->values[v].leaving, c))
            bits_add(values, v);
}

/* One of these, or none where one of them is none. `ways`: the connections that bring them, NULL: they do not come
 * by different ones. */
static size_t choose(struct branches *b, const size_t *options, const size_t *ways, size_t count) {
    size_t first = NONE, v;
    bool same = true;
    for (size_t i = 0; i < count; i++) {
        same &= options[i] == options[0];
        first = first == NONE ? options[i] : first;
    }
    if (same || first == NONE)
        return first;
    v = new_value(b, false);
    struct value *it = &b->values[v];
    memset(it->covers, 0xFF, b->words * sizeof *it->covers);
    for (size_t i = 0; i < count; i++) {
        if (options[i] == NONE) {
            it->maybe = true;
            continue;
        }
        const struct value *option = &b->values[options[i]];
        memcpy(b->scratch, option->covers, b->words * sizeof *b->scratch);
        if (ways)
            add_excluded(b, ways[i], b->scratch);
        bits_and(it->covers, b->scratch, b->words);
        bits_or(it->atoms, option->atoms, b->words);
        it->maybe |= option->maybe;
    }
    bits_add(it->covers, v);
    return v;
}

static bool covers(const struct branches *b, size_t x, size_t y) { return bits_has(b->values[x].covers, y); }

static bool atoms_fit(const struct branches *b, size_t x, size_t y) {
    size_t c = b->values[x].leaving, d = b->values[y].leaving;
    return covers(b, x, y) || covers(b, y, x) || (c != NONE && d != NONE && graph_excludes(b->n->g, c, d));
}

static bool all_atoms_fit(const struct branches *b, size_t x, size_t y) {
    for (size_t a = 0; a < b->count; a++) {
        if (!bits_has(b->values[x].atoms, a) || covers(b, y, a) || covers(b, a, y))
            continue;
        for (size_t c = 0; c < b->count; c++)
            if (bits_has(b->values[y].atoms, c) && !atoms_fit(b, a, c))
                return false;
    }
    return true;
}

static bool fit(const struct branches *b, size_t x, size_t y) {
    return x == NONE || y == NONE || covers(b, x, y) || covers(b, y, x) || all_atoms_fit(b, x, y);
}

/* ---- along the ways ---- */

static size_t value_of(const struct branches *b, size_t c) {
    const struct connection *it = connection(b, c);
    return b->left[it->from * BLOCK_PINS_MAX + it->pin];
}

/* What the name holds after the block, by each of its pins. */
static void leave(struct branches *b, size_t at) {
    const struct block *block = &b->n->flow->blocks[at];
    for (size_t pin = 0; block->pins[pin]; pin++) {
        size_t v = b->in[at];
        for (size_t i = 0; i < block->binding_count; i++) {
            const struct binding *it = &block->bindings[i];
            if (!(it->pins >> pin & 1) || names_number(b->n, it->name) != b->name)
                continue;
            size_t options[] = {new_atom(b, at, v, false), v};
            for (size_t k = 0; k < block->out_count; k++)
                if (connection(b, block->outs[k])->pin == pin)
                    b->values[options[0]].leaving = block->outs[k];
            v = (it->maybe >> pin & 1) && v != NONE ? choose(b, options, NULL, 2) : options[0];
        }
        b->left[at * BLOCK_PINS_MAX + pin] = v;
    }
}

/* The block of the first atom of x that is not one of y. */
static const struct block *binder(const struct branches *b, size_t x, size_t y) {
    size_t a = 0;
    while (a < b->count && (!bits_has(b->values[x].atoms, a) || bits_has(b->values[y].atoms, a)))
        a++;
    return a < b->count ? &b->n->flow->blocks[b->values[a].block] : b->opener;
}

static void report(struct branches *b, const struct block *join, size_t c, size_t d) {
    struct finding f = block_place(b->n->flow, join, "bound_on_both_branches");
    size_t x = value_of(b, c), y = value_of(b, d);
    f.at = connection(b, d)->text;
    findings_add(b->n->findings, &f,
                 "`" STR_FMT "` is bound on both branches that `" STR_FMT "` brings together, by `" STR_FMT "` and by `" STR_FMT
                 "`: rename one with `outputs`",
                 STR_ARG(b->n->text[b->name]), STR_ARG(join->id), STR_ARG(binder(b, x, y)->id), STR_ARG(binder(b, y, x)->id));
}

/* The first two that do not fit, if any. */
static void check_join(struct branches *b, const struct block *join) {
    for (size_t i = 0; i < join->in_count; i++)
        for (size_t k = 0; k < i; k++)
            if (!graph_excludes(b->n->g, join->ins[k], join->ins[i]) &&
                !fit(b, value_of(b, join->ins[k]), value_of(b, join->ins[i]))) {
                report(b, join, join->ins[k], join->ins[i]);
                return;
            }
}

/* What is newest whatever else came: it comes for certain, and covers the others. */
static size_t newest(const struct branches *b, size_t at) {
    const struct block *join = &b->n->flow->blocks[at];
    for (size_t i = 0; i < join->in_count; i++) {
        size_t v = value_of(b, join->ins[i]);
        if (v == NONE || b->values[v].maybe || !bits_has(names_row(b->n->taken, at, b->n->g->words), join->ins[i]))
            continue;
        bool all = true;
        for (size_t k = 0; all && k < join->in_count; k++) {
            size_t other = value_of(b, join->ins[k]);
            all = other == NONE || covers(b, v, other);
        }
        if (all)
            return v;
    }
    return NONE;
}

static void enter(struct branches *b, size_t at) {
    const struct block *block = &b->n->flow->blocks[at];
    size_t options[FLOW_FAN_IN_MAX];
    for (size_t k = 0; k < block->in_count; k++)
        options[k] = value_of(b, block->ins[k]);
    b->in[at] = NONE;
    if (block->type->waits) {
        check_join(b, block);
        b->in[at] = newest(b, at);
    }
    if (b->in[at] == NONE)
        b->in[at] = choose(b, options, block->ins, block->in_count);
    leave(b, at);
}

/* What came from outside is one value of its own. */
static void follow_name(struct branches *b) {
    struct names *n = b->n;
    size_t first = (size_t)(b->opener - n->flow->blocks);
    b->count = 0;
    for (size_t i = 0; i < n->flow->block_count * BLOCK_PINS_MAX; i++)
        b->left[i] = NONE;
    for (size_t i = 0; i < n->flow->block_count; i++)
        b->in[i] = NONE;
    if (bits_has(names_row(n->perhaps, first, n->words), b->name))
        b->in[first] = new_atom(b, first, NONE, !bits_has(names_row(n->always, first, n->words), b->name));
    leave(b, first);
    for (size_t i = 0; i < b->opener->inside_count; i++)
        enter(b, n->flow->order[b->opener->inside_first + i]);
}

static bool has_join(const struct flow *flow, const struct block *opener) {
    for (size_t i = 0; i < opener->inside_count; i++)
        if (flow->blocks[flow->order[opener->inside_first + i]].type->waits)
            return true;
    return false;
}

/* A block makes a value on entering, and two for each of its pins where it binds something. */
static size_t values_max(const struct flow *flow) {
    size_t max = 1 + flow->block_count;
    for (size_t i = 0; i < flow->block_count; i++)
        for (size_t pin = 0; flow->blocks[i].binding_count && flow->blocks[i].pins[pin]; pin++)
            max += 2;
    return max;
}

void names_check_branches(struct names *n, const struct block *opener) {
    const struct flow *flow = n->flow;
    struct branches b = {.n = n, .opener = opener, .max = values_max(flow)};
    unsigned *places = arena_alloc(&n->arena, n->count * sizeof *places);
    if (!has_join(flow, opener))
        return;
    for (size_t i = 0; i < flow->block_count; i++)
        for (size_t k = 0; k < flow->blocks[i].binding_count; k++)
            places[names_number(n, flow->blocks[i].bindings[k].name)] +=
                flow->blocks[i].bindings[k].pins & (flow->blocks[i].bindings[k].pins - 1) ? 2 : 1;
    b.words = bits_words(b.max);
    b.values = mem_alloc(b.max * sizeof *b.values);
    b.rows = mem_alloc(2 * b.max * b.words * sizeof *b.rows);
    b.scratch = mem_alloc(b.words * sizeof *b.scratch);
    b.in = mem_alloc(flow->block_count * sizeof *b.in);
    b.left = mem_alloc(flow->block_count * BLOCK_PINS_MAX * sizeof *b.left);
    for (b.name = 0; b.name < n->count; b.name++)
        if (places[b.name] > 1)
            follow_name(&b);
    free(b.values);
    free(b.rows);
    free(b.scratch);
    free(b.in);
    free(b.left);
}
