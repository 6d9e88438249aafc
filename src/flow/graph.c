/* graph.c — see graph.h: order, reachability, exclusion and Ends. Names are in names.c. */
#include "flow/graph.h"

void graph_init(struct graph *g, struct flow *flow) {
    *g = (struct graph){.flow = flow, .words = bits_words(flow->connection_count)};
    g->reachable = arena_alloc(&g->arena, flow->block_count * sizeof *g->reachable);
    g->excluded = arena_alloc(&g->arena, flow->block_count * g->words * sizeof *g->excluded);
}

void graph_release(struct graph *g) { arena_release(&g->arena); }

static const struct connection *connection(const struct graph *g, size_t c) { return &g->flow->connections[c]; }

/* ---- rule 1: order ---- */

/* Walks backwards from a block that could not be placed until one comes again. */
static void report_cycle(struct graph *g, const bool *placed, size_t at, struct findings *findings) {
    struct flow *flow = g->flow;
    size_t *path = arena_alloc(&g->arena, (flow->block_count + 1) * sizeof *path);
    size_t *seen = arena_alloc(&g->arena, flow->block_count * sizeof *seen);
    size_t n = 0;
    const struct connection *back = NULL;
    while (!seen[at]) {
        path[n++] = at;
        seen[at] = n;
        const struct block *b = &flow->blocks[at];
        size_t i = 0;
        while (placed[connection(g, b->ins[i])->from])
            i++;
        back = connection(g, b->ins[i]);
        at = back->from;
    }
    struct buf text;
    buf_init(&text, 400);
    buf_addf(&text, STR_FMT, STR_ARG(flow->blocks[at].id));
    for (size_t i = n; i-- > seen[at] - 1;)
        buf_addf(&text, " -> " STR_FMT, STR_ARG(flow->blocks[path[i]].id));
    struct finding f = connection_place(flow, back, "cycle");
    findings_add(findings, &f, "these connections form a cycle: %s; repeating is what Loop is for: remove one of them", text.ptr);
    buf_release(&text);
}

/* The blocks of the scope that `opener` opens, each after all that lead to it, else as in the document. */
static bool order_scope(struct graph *g, size_t opener, bool *placed, size_t *next, struct findings *findings) {
    struct flow *flow = g->flow;
    struct block *b = &flow->blocks[opener];
    size_t *waits = arena_alloc(&g->arena, flow->block_count * sizeof *waits), left = 0, place = 1;
    b->inside_first = *next;
    for (size_t i = 1; i < flow->block_count; i++) {
        if (flow->blocks[i].scope != opener)
            continue;
        left++;
        for (size_t k = 0; k < flow->blocks[i].in_count; k++)
            waits[i] += connection(g, flow->blocks[i].ins[k])->from != opener;
    }
    placed[opener] = true;
    while (left > 0) {
        size_t i = 1;
        while (i < flow->block_count && (flow->blocks[i].scope != opener || placed[i] || waits[i]))
            i++;
        if (i == flow->block_count)
            break;
        placed[i] = true;
        flow->blocks[i].place = place++;
        flow->order[(*next)++] = i;
        left--;
        for (size_t k = 0; k < flow->blocks[i].out_count; k++) {
            size_t to = connection(g, flow->blocks[i].outs[k])->to;
            waits[to] -= flow->blocks[to].scope == opener && waits[to] > 0;
        }
    }
    b->inside_count = *next - b->inside_first;
    for (size_t i = 1; left > 0 && i < flow->block_count; i++)
        if (flow->blocks[i].scope == opener && !placed[i]) {
            report_cycle(g, placed, i, findings);
            return false;
        }
    return true;
}

bool graph_order(struct graph *g, struct findings *findings) {
    struct flow *flow = g->flow;
    bool *placed = arena_alloc(&g->arena, flow->block_count * sizeof *placed);
    size_t next = 0;
    flow->order = arena_alloc(&flow->arena, flow->block_count * sizeof *flow->order);
    bool ok = order_scope(g, 0, placed, &next, findings);
    /* Loops were placed by now, and those inside them follow as the list grows. */
    for (size_t i = 0; ok && i < next; i++)
        if (flow->blocks[flow->order[i]].type->opens_scope)
            ok = order_scope(g, flow->order[i], placed, &next, findings);
    return ok;
}

/* ---- reachability ---- */

static void check_reachable(struct graph *g, struct findings *findings) {
    struct flow *flow = g->flow;
    g->reachable[0] = true;
    for (size_t i = 0; i + 1 < flow->block_count; i++) {
        struct block *b = &flow->blocks[flow->order[i]];
        for (size_t k = 0; k < b->in_count; k++)
            g->reachable[flow->order[i]] |= g->reachable[connection(g, b->ins[k])->from];
        struct finding f = block_place(flow, b, "unreachable");
        f.severity = FINDING_WARNING;
        if (!g->reachable[flow->order[i]])
            findings_add(findings, &f, "no way leads from the Start to `" STR_FMT "`, so it never runs: connect it or remove it",
                         STR_ARG(b->id));
    }
}

/* ---- rule 7: what may be reached twice at once ---- */

static uint64_t *excluded_row(const struct graph *g, size_t block) { return g->excluded + block * g->words; }

/* The opener of a scope comes before all of it; blocks of one scope are compared by their place. */
static size_t source_place(const struct graph *g, size_t c) {
    const struct connection *it = connection(g, c);
    const struct block *from = &g->flow->blocks[it->from], *to = &g->flow->blocks[it->to];
    return from->scope == to->scope && it->from != to->scope ? from->place : 0;
}

bool graph_excludes(const struct graph *g, size_t c, size_t d) {
    const struct connection *x = connection(g, c), *y = connection(g, d);
    if (c == d)
        return false;
    if (x->from == y->from)
        return x->pin != y->pin;
    if (source_place(g, c) > source_place(g, d))
        return bits_has(excluded_row(g, x->from), d);
    return bits_has(excluded_row(g, y->from), c);
}

/* For each block of a scope, in order: which connections every way into it excludes. */
static void find_exclusions(struct graph *g, const struct block *opener) {
    struct flow *flow = g->flow;
    for (size_t i = 0; i < opener->inside_count; i++) {
        size_t at = flow->order[opener->inside_first + i];
        const struct block *b = &flow->blocks[at];
        uint64_t *row = excluded_row(g, at);
        for (size_t d = 0; b->in_count && d < flow->connection_count; d++) {
            const struct connection *other = connection(g, d);
            if (flow->blocks[other->to].scope != b->scope || source_place(g, d) >= b->place)
                continue;
            bool all = true;
            for (size_t k = 0; all && k < b->in_count; k++)
                all = graph_excludes(g, b->ins[k], d);
            if (all)
                bits_add(row, d);
        }
    }
}

/* The first pair among `list` that may be taken together; false: none. */
static bool find_pair(const struct graph *g, const size_t *list, size_t count, size_t *c, size_t *d) {
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (!graph_excludes(g, list[k], list[i])) {
                *c = list[k];
                *d = list[i];
                return true;
            }
    return false;
}

static void check_single(struct graph *g, const struct block *opener, struct findings *findings) {
    struct flow *flow = g->flow;
    size_t c, d;
    for (size_t i = 0; i < opener->inside_count; i++) {
        const struct block *b = &flow->blocks[flow->order[opener->inside_first + i]];
        struct finding f = block_place(flow, b, "may_be_reached_twice");
        if (b->type->waits || !find_pair(g, b->ins, b->in_count, &c, &d))
            continue;
        f.at = connection(g, d)->text;
        findings_add(findings, &f,
                     "`" STR_FMT "` may be reached twice at once, by " STR_FMT " and by " STR_FMT ": put a Join before it",
                     STR_ARG(b->id), STR_ARG(connection(g, c)->text), STR_ARG(connection(g, d)->text));
    }
}

/* Two Ends, or two Responds: both are one place to arrive at. */
static void check_together(struct graph *g, const struct block *opener, bool responds, struct findings *findings) {
    struct flow *flow = g->flow;
    size_t *list = arena_alloc(&g->arena, flow->connection_count * sizeof *list), count = 0;
    for (size_t i = 0; i < opener->inside_count; i++) {
        const struct block *b = &flow->blocks[flow->order[opener->inside_first + i]];
        if (!(responds ? b->type->responds : b->type->ends))
            continue;
        for (size_t k = 0; k < b->in_count; k++) {
            size_t d = b->ins[k], n = 0;
            while (n < count && (connection(g, list[n])->to == connection(g, d)->to || graph_excludes(g, list[n], d)))
                n++;
            struct finding f = block_place(flow, b, "may_be_reached_twice");
            f.at = connection(g, d)->text;
            if (n < count) {
                findings_add(findings, &f,
                             "this %s and `" STR_FMT "` may both be reached in one run, by " STR_FMT " and by " STR_FMT
                             ": put a Join before one %s",
                             responds ? "Respond" : "End", STR_ARG(flow->blocks[connection(g, list[n])->to].id),
                             STR_ARG(connection(g, list[n])->text), STR_ARG(connection(g, d)->text),
                             responds ? "Respond" : "End");
                return;
            }
            list[count++] = d;
        }
    }
}

/* ---- rule 6: is an End reached whatever happens? ---- */

/* A block is covered when each pin it may leave by leads to a covered block; an End, a Respond and a Fail are. */
static bool pin_is_covered(const struct graph *g, const struct block *b, size_t pin, const bool *covered) {
    for (size_t i = 0; i < b->out_count; i++) {
        const struct connection *c = connection(g, b->outs[i]);
        if (c->pin == pin && covered[c->to])
            return true;
    }
    return strcmp(b->pins[pin], "error") == 0 && !(b->connected >> pin & 1);
}

static bool ends_or_fails(const struct block *b) { return b->type->ends || b->type->responds || !b->pins[0]; }

static void check_end(struct graph *g, const struct block *opener, struct findings *findings) {
    struct flow *flow = g->flow;
    bool *covered = arena_alloc(&g->arena, flow->block_count * sizeof *covered), has_end = false, wants_end;
    const char *gap = NULL;
    const struct block *at = opener;
    for (size_t i = opener->inside_count; i-- > 0;) {
        size_t index = flow->order[opener->inside_first + i];
        const struct block *b = &flow->blocks[index];
        has_end |= b->type->ends;
        covered[index] = true;
        for (size_t pin = b->type->opens_scope; !ends_or_fails(b) && b->pins[pin]; pin++)
            covered[index] &= pin_is_covered(g, b, pin, covered);
    }
    if (opener->type->opens_scope)
        wants_end = has_end;
    else
        wants_end = (flow->type == FLOW_ENDPOINT && !str_is(jsonx_str(flow->start, "answer"), "at once")) ||
                    (flow->type == FLOW_REUSABLE && flow->output_count > 0);
    if (!wants_end || pin_is_covered(g, opener, 0, covered))
        return;
    /* Follow what is not covered to where nothing is connected. */
    while (!gap) {
        const struct block *next = NULL;
        size_t pin = at == opener ? 0 : at->type->opens_scope;
        while (at != opener && pin_is_covered(g, at, pin, covered))
            pin++;
        for (size_t i = 0; i < at->out_count; i++)
            if (connection(g, at->outs[i])->pin == pin)
                next = &flow->blocks[connection(g, at->outs[i])->to];
        if (!next)
            gap = at->pins[pin];
        else
            at = next;
    }
    struct finding f = block_place(flow, at, "no_end");
    f.severity = FINDING_WARNING;
    findings_add(findings, &f, "a run may end after `" STR_FMT ".%s` without reaching an End, and then %s: connect that pin",
                 STR_ARG(at->id), gap,
                 opener->type->opens_scope     ? "the turn's result is null"
                 : flow->type == FLOW_ENDPOINT ? "the caller gets 204 and no body"
                                               : "the caller gets no outputs");
}

void graph_check_ways(struct graph *g, struct findings *findings) {
    struct flow *flow = g->flow;
    check_reachable(g, findings);
    for (size_t i = 0; i < flow->block_count; i++) {
        const struct block *opener = &flow->blocks[i];
        if (i > 0 && !opener->type->opens_scope)
            continue;
        find_exclusions(g, opener);
        check_single(g, opener, findings);
        check_together(g, opener, false, findings);
        check_together(g, opener, true, findings);
        check_end(g, opener, findings);
    }
}
