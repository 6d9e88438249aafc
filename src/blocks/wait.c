/* wait.c — Wait: goes on after a duration, or at a time. What a durable run has waited counts after a restart, too. */
#include "blocks/blocks.h"

static const struct shape shape = {.kind = SHAPE_OBJECT, .keys = SHAPE_KEYS(BLOCK_KEYS)};

static bool maps(const struct connection *c, const char *input) {
    for (size_t i = 0; i < c->map_count; i++)
        if (str_is(c->map[i].input, input))
            return true;
    return false;
}

/* Of a flow with a Respond every run is stored (semantics.md, rule 17). */
static bool is_stored(const struct flow *flow) {
    bool stored = str_is(jsonx_str(flow->start, "answer"), "at once") || jsonx_bool(flow->start, "durable", false);
    for (size_t i = 0; i < flow->block_count; i++)
        stored |= flow->blocks[i].type->responds;
    return stored;
}

static void check(const struct flow *flow, const struct block *b, const struct catalog *w, struct findings *findings) {
    (void)w;
    for (size_t i = 0; i < b->in_count; i++) {
        const struct connection *c = &flow->connections[b->ins[i]];
        struct finding f = connection_place(flow, c, "no_duration");
        if (maps(c, "ms") + maps(c, "until") != 1)
            findings_add(findings, &f, "`" STR_FMT "` waits for `ms` or for the time `until`: map exactly one of them",
                         STR_ARG(b->id));
    }
    struct finding f = block_place(flow, b, "wait_not_stored");
    f.severity = FINDING_WARNING;
    if (flow->type == FLOW_ENDPOINT && !is_stored(flow))
        findings_add(
            findings, &f,
            "this run is not stored and its caller waits as well: set `durable`, or `answer`: \"at once\", in the start");
}

const struct block_type block_wait = {
    .name = "wait",
    .title = "Wait",
    .shape = &shape,
    .pins = {"out", "error"},
    .inputs = (const struct input_def[]){{"ms", false, SCHEMA_OF("number")}, {"until", false, SCHEMA_OF("string")}, {0}},
    .check = check,
};
