/* loop.c — Loop: the blocks in its frame, once for each item of a list. */
#include "blocks/blocks.h"

#define EACH 1u
#define DONE 2u

static const struct shape shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS(
        BLOCK_KEYS,
        {"at_once", &(const struct shape){.kind = SHAPE_INT, .min = 1, .max = 100}, false, "how many turns may be open (1)"},
        {"on_failure", &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("stop", "collect")}, false,
         "when a turn fails: start no more, or run them all (stop)"}),
};

static void bind(struct flow *flow, struct block *b, const struct catalog *w, struct findings *findings) {
    (void)w;
    (void)findings;
    if (str_is(jsonx_str(b->json, "on_failure"), "collect"))
        block_add_binding(flow, b, STR("failures"), DONE, 0, block_schema(flow, SCHEMA_OF("array")));
}

static void check(const struct flow *flow, const struct block *b, const struct catalog *w, struct findings *findings) {
    (void)w;
    struct finding f = block_place(flow, b, "empty_loop");
    f.severity = FINDING_WARNING;
    for (size_t i = 0; i < b->out_count; i++)
        if (flow->connections[b->outs[i]].pin == 0)
            return;
    findings_add(findings, &f, "nothing is connected to `" STR_FMT ".each`: put blocks into the loop's frame", STR_ARG(b->id));
}

const struct block_type block_loop = {
    .name = "loop",
    .title = "Loop",
    .shape = &shape,
    .pins = {"each", "done", "error"},
    .inputs = (const struct input_def[]){{"list", true, SCHEMA_OF("array")}, {0}},
    .outputs =
        (const struct output_def[]){
            {"item", EACH, 0, NULL}, {"index", EACH, 0, SCHEMA_OF("integer")}, {"results", DONE, 0, SCHEMA_OF("array")}, {0}},
    .opens_scope = true,
    .bind = bind,
    .check = check,
};
