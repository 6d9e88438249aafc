/* Rules 2 to 11 on random graphs: what graph.h accepts is run with random outcomes in random orders.
 * No block is reached twice, nothing stalls, no name depends on the order, and what may feed a required
 * input is always there. */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "flow/graph.h"
#include "flow_helper.h"

#define BLOCKS_MAX 12
#define EDGES_MAX 40
#define NAMES 4

/* ---- random numbers that can be had again ---- */

static uint64_t random_state;
static unsigned pick(unsigned below) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % below;
}

/* ---- random flows ---- */

static void random_block(struct buf *out, unsigned i) {
    unsigned kind = pick(10);
    buf_addf(out, "%s{\"id\": \"b%u\", ", i ? ", " : "", i);
    if (kind < 3)
        buf_adds(out, "\"type\": \"join\"}");
    else if (kind < 5)
        buf_adds(out, "\"type\": \"condition\"}");
    else
        buf_addf(out, "\"type\": \"http\", \"outputs\": {\"response\": \"n%u\", \"error\": \"e%u\"}}", pick(NAMES), pick(NAMES));
}

static void random_map(struct buf *out, const char *type) {
    if (strcmp(type, "join") == 0)
        return;
    const char *input = strcmp(type, "http") == 0 ? "url" : "condition";
    if (pick(3))
        buf_addf(out, ", \"map\": {\"%s\": {\"code\": \"0\"}}", input);
    else
        buf_addf(out, ", \"map\": {\"%s\": {\"from\": \"%c%u\"}}", input, pick(4) ? 'n' : 'e', pick(NAMES));
}

/* Connections go from lower to higher numbers; each block has at least one, so most are reached. */
static void random_flow(struct buf *out) {
    unsigned n = 2 + pick(BLOCKS_MAX - 2);
    struct buf blocks;
    buf_init(&blocks, 100000);
    for (unsigned i = 0; i < n; i++)
        random_block(&blocks, i);
    buf_addf(out, "{\"name\": \"x\", \"type\": \"reusable\", \"blocks\": [%s], \"connections\": [", blocks.ptr);
    struct error err;
    char list[20000];
    snprintf(list, sizeof list, "[%s]", blocks.ptr);
    json_t *parsed = jsonx_parse(str_from(list), &err);
    for (unsigned to = 0, count = 0; to < n; to++) {
        const char *type = json_string_value(json_object_get(json_array_get(parsed, to), "type"));
        for (unsigned k = 0, ins = strcmp(type, "join") == 0 ? 1 + pick(3) : 1 + !pick(5); k < ins && count < EDGES_MAX;
             k++, count++) {
            unsigned from = pick(to + 1);
            const char *of = from ? json_string_value(json_object_get(json_array_get(parsed, from - 1), "type")) : "start";
            const char *pin = strcmp(of, "condition") == 0          ? (pick(2) ? "true" : "false")
                              : strcmp(of, "http") == 0 && !pick(3) ? "error"
                                                                    : "out";
            if (from)
                buf_addf(out, "%s{\"from\": \"b%u.%s\", \"to\": \"b%u\"", count ? ", " : "", from - 1, pin, to);
            else
                buf_addf(out, "%s{\"from\": \"start.out\", \"to\": \"b%u\"", count ? ", " : "", to);
            random_map(out, type);
            buf_addc(out, '}');
        }
    }
    buf_adds(out, "]}");
    json_decref(parsed);
    buf_release(&blocks);
}

/* ---- running one ---- */

enum state { OPEN, TAKEN, NOT_TAKEN, FAILED };

/* A name's value is known by who bound it; `replaced` are the bindings it took the place of. */
struct value {
    int by; /* -1: not bound */
    unsigned replaced;
};
struct names {
    struct value of[2 * NAMES];
};

struct world {
    const struct flow *flow;
    const unsigned *outcomes; /* pin of each block, should it run */
    enum state edges[EDGES_MAX];
    bool decided[BLOCKS_MAX + 1], ran[BLOCKS_MAX + 1];
    struct names came[BLOCKS_MAX + 1], left[BLOCKS_MAX + 1];
    size_t ready[BLOCKS_MAX + 1], ready_count;
    const char *broken; /* which law */
};

static int name_index(struct str name) { return (name.ptr[0] == 'e' ? NAMES : 0) + (name.ptr[1] - '0'); }

static struct value merge_value(struct world *w, struct value a, struct value b) {
    if (a.by == b.by)
        return (struct value){a.by, a.replaced | b.replaced};
    if (b.by < 0 || (a.by >= 0 && (a.replaced >> b.by & 1)))
        return (struct value){a.by, a.replaced | b.replaced};
    if (a.by < 0 || (b.replaced >> a.by & 1))
        return (struct value){b.by, a.replaced | b.replaced};
    w->broken = "rule 10: two branches bound a name and neither replaced the other's";
    return a;
}

static void settle(struct world *w, size_t block, enum state state, size_t pin);

static void run_block(struct world *w, size_t at, struct names came) {
    w->decided[at] = w->ran[at] = true;
    w->came[at] = came;
    w->ready[w->ready_count++] = at;
}

static void look_at(struct world *w, size_t at, size_t edge) {
    const struct block *b = &w->flow->blocks[at];
    size_t open = 0, taken = 0, failed = 0;
    for (size_t k = 0; k < b->in_count; k++) {
        open += w->edges[b->ins[k]] == OPEN;
        taken += w->edges[b->ins[k]] == TAKEN;
        failed += w->edges[b->ins[k]] == FAILED;
    }
    if (!b->type->waits && w->edges[edge] == TAKEN) {
        if (w->decided[at])
            w->broken = "rule 7: a block was reached twice";
        else
            run_block(w, at, w->left[w->flow->connections[edge].from]);
        return;
    }
    if (open || w->decided[at] || (taken && !b->type->waits))
        return;
    w->decided[at] = true;
    if (failed || !taken) {
        settle(w, at, failed ? FAILED : NOT_TAKEN, 0);
        return;
    }
    struct names all;
    bool first = true;
    for (size_t k = 0; k < b->in_count; k++) {
        if (w->edges[b->ins[k]] != TAKEN)
            continue;
        const struct names *more = &w->left[w->flow->connections[b->ins[k]].from];
        for (size_t i = 0; i < ARRAY_LEN(all.of); i++)
            all.of[i] = first ? more->of[i] : merge_value(w, all.of[i], more->of[i]);
        first = false;
    }
    run_block(w, at, all);
}

/* Decides all connections of a block: those of `pin` get the state when it is TAKEN, else all of them. */
static void settle(struct world *w, size_t block, enum state state, size_t pin) {
    const struct block *b = &w->flow->blocks[block];
    for (size_t k = 0; k < b->out_count; k++)
        w->edges[b->outs[k]] = state != TAKEN || w->flow->connections[b->outs[k]].pin == pin ? state : NOT_TAKEN;
    for (size_t k = 0; k < b->out_count; k++)
        look_at(w, w->flow->connections[b->outs[k]].to, b->outs[k]);
}

static void leave(struct world *w, size_t at) {
    const struct block *b = &w->flow->blocks[at];
    size_t pin = 0;
    while (b->type->pins[pin + 1] && w->outcomes[at] % 2)
        pin++;
    w->left[at] = w->came[at];
    for (size_t i = 0; i < b->binding_count; i++) {
        const struct binding *bound = &b->bindings[i];
        bool missing = (bound->maybe >> pin & 1) && w->outcomes[at] / 2 % 2;
        if (!(bound->pins >> pin & 1) || missing)
            continue;
        struct value *v = &w->left[at].of[name_index(bound->name)];
        if (v->by >= 0)
            v->replaced |= 1u << v->by;
        v->by = (int)at;
    }
    bool uncaught = strcmp(b->type->pins[pin], "error") == 0 && !(b->connected >> pin & 1);
    settle(w, at, uncaught ? FAILED : TAKEN, pin);
}

static void run(struct world *w, const struct flow *flow, const unsigned *outcomes) {
    *w = (struct world){.flow = flow, .outcomes = outcomes};
    for (size_t i = 0; i < ARRAY_LEN(w->came[0].of); i++)
        w->came[0].of[i].by = -1;
    w->decided[0] = w->ran[0] = true;
    w->left[0] = w->came[0];
    for (size_t i = 1; i < flow->block_count; i++)
        if (!flow->blocks[i].in_count)
            w->decided[i] = true; /* skipped */
    settle(w, 0, TAKEN, 0);
    while (w->ready_count && !w->broken) {
        size_t i = pick((unsigned)w->ready_count), at = w->ready[i];
        w->ready[i] = w->ready[--w->ready_count];
        leave(w, at);
    }
}

/* What mappings that were accepted read is there where it must be. */
static void check_reads(struct world *w) {
    const struct flow *flow = w->flow;
    for (size_t c = 0; c < flow->connection_count; c++) {
        const struct connection *it = &flow->connections[c];
        if (w->edges[c] != TAKEN || !it->map_count || it->map[0].source.kind != SOURCE_FROM)
            continue;
        if (w->left[it->from].of[name_index(it->map[0].source.name)].by < 0)
            w->broken = "rule 11: a required input got nothing";
    }
}

static bool same(const struct world *a, const struct world *b) {
    for (size_t i = 0; i < a->flow->block_count; i++) {
        if (a->ran[i] != b->ran[i])
            return false;
        for (size_t k = 0; a->ran[i] && k < ARRAY_LEN(a->came[i].of); k++)
            if (a->came[i].of[k].by != b->came[i].of[k].by)
                return false;
    }
    return true;
}

static const char *run_often(const struct flow *flow) {
    for (unsigned outcome = 0; outcome < 12; outcome++) {
        unsigned outcomes[BLOCKS_MAX + 1];
        struct world first, w;
        for (size_t i = 0; i <= BLOCKS_MAX; i++)
            outcomes[i] = outcome ? pick(4) : 0;
        for (unsigned schedule = 0; schedule < 4; schedule++) {
            run(&w, flow, outcomes);
            check_reads(&w);
            for (size_t i = 0; !w.broken && i < flow->block_count; i++)
                if (!w.decided[i])
                    w.broken = "rule 4: a block waits for ever";
            if (!schedule)
                first = w;
            else if (!w.broken && !same(&first, &w))
                w.broken = "rule 8: the order made a difference";
            if (w.broken)
                return w.broken;
        }
    }
    return NULL;
}

/* ---- the proof ---- */

static bool parse_and_check(struct flow *flow, struct codes *codes, struct findings *findings, struct str text) {
    static struct folder *folder;
    static struct catalog none;
    struct error err;
    if (!folder)
        folder = folder_new();
    cr_assert(folder_set(folder, STR("flows/f.json"), text, &err));
    flow_parse(flow, folder, folder_find(folder, STR("flows/f.json")), codes, findings);
    if (flow->is_sound) {
        flow_bind(flow, &none, findings);
        flow_check(flow, &none, findings);
    }
    return findings->errors == 0;
}

static bool found(const struct findings *f, const char *code) {
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->items[i].code, code) == 0)
            return true;
    return false;
}

Test(graph, what_is_accepted_keeps_the_rules) {
    unsigned graphs = getenv("FLOWLET_GRAPHS") ? (unsigned)strtoul(getenv("FLOWLET_GRAPHS"), NULL, 10) : 10000;
    unsigned accepted = 0, twice = 0, both = 0, missing = 0, joins = 0;
    for (unsigned i = 0; i < graphs; i++) {
        struct buf text, printed;
        struct codes codes;
        struct findings findings;
        struct flow flow;
        random_state = i;
        buf_init(&text, 100000);
        buf_init(&printed, 100000);
        codes_init(&codes, STR(""));
        findings_init(&findings);
        random_flow(&text);
        if (parse_and_check(&flow, &codes, &findings, buf_str(&text))) {
            accepted++;
            for (size_t k = 0; k < flow.block_count; k++)
                joins += flow.blocks[k].type->waits && flow.blocks[k].in_count > 1;
            const char *broken = run_often(&flow);
            cr_assert(!broken, "graph %u: %s\n%s", i, broken, text.ptr);
        }
        cr_assert(flow.is_sound, "graph %u: %s", i, (findings_print(&findings, &printed), printed.ptr));
        twice += found(&findings, "may_be_reached_twice");
        both += found(&findings, "bound_on_both_branches");
        missing += found(&findings, "may_be_missing");
        flow_release(&flow);
        findings_release(&findings);
        codes_release(&codes);
        buf_release(&text);
        buf_release(&printed);
    }
    cr_log_info("%u graphs: %u accepted with %u Joins; %u may be reached twice, %u bound twice, %u may be missing", graphs,
                accepted, joins, twice, both, missing);
    cr_assert(accepted > graphs / 20 && joins > graphs / 20 && twice > 0 && both > 0 && missing > 0);
}

/* A ladder of blocks: each fork runs two requests at the same time and joins them. */
Test(graph, five_hundred_blocks_are_checked_quickly) {
    struct buf text;
    struct codes codes;
    struct findings findings;
    struct flow flow;
    buf_init(&text, 1 << 20);
    codes_init(&codes, STR(""));
    findings_init(&findings);
    buf_adds(&text, "{\"name\": \"x\", \"type\": \"reusable\", \"blocks\": [{\"id\": \"j0\", \"type\": \"join\"}");
    for (int i = 1; i <= 166; i++)
        buf_addf(&text,
                 ", {\"id\": \"a%d\", \"type\": \"http\", \"outputs\": {\"response\": \"r%d\"}}, {\"id\": \"b%d\", \"type\": "
                 "\"http\", "
                 "\"outputs\": {\"response\": \"s%d\"}}, {\"id\": \"j%d\", \"type\": \"join\"}",
                 i, i, i, i, i);
    buf_adds(&text, "], \"connections\": [{\"from\": \"start.out\", \"to\": \"j0\"}");
    for (int i = 1; i <= 166; i++)
        buf_addf(&text,
                 ", {\"from\": \"j%d.out\", \"to\": \"a%d\", \"map\": {\"url\": {\"value\": \"x\"}}}, "
                 "{\"from\": \"j%d.out\", \"to\": \"b%d\", \"map\": {\"url\": {\"value\": \"x\"}}}, "
                 "{\"from\": \"a%d.out\", \"to\": \"j%d\"}, {\"from\": \"b%d.out\", \"to\": \"j%d\"}",
                 i - 1, i, i - 1, i, i, i, i, i);
    buf_adds(&text, "]}");
    int64_t before = clock_monotonic_ms();
    cr_assert(parse_and_check(&flow, &codes, &findings, buf_str(&text)));
    int64_t ms = clock_monotonic_ms() - before;
    cr_assert(ms < 2000, "%d ms", (int)ms);
    cr_log_info("499 blocks in %d ms", (int)ms);
    flow_release(&flow);
    findings_release(&findings);
    codes_release(&codes);
    buf_release(&text);
}
