/* loop.c — Loop: the blocks in its frame, once for each item of a list, or one turn after another while an expression holds. */
#include "blocks/blocks.h"

#define EACH 1u
#define DONE 2u

static const struct shape shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS(
        BLOCK_KEYS,
        {"at_once", &(const struct shape){.kind = SHAPE_INT, .min = 1, .max = 100}, false, "how many turns may be open (1)"},
        {"on_failure", &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("stop", "collect")}, false,
         "when a turn fails: start no more, or run them all (stop)"},
        {"while", &shape_source, false, "instead of a list: asked before each turn, over `index` and `last` as well"},
        {"at_most", &(const struct shape){.kind = SHAPE_INT, .min = 1, .max = 100000}, false,
         "with `while`: how many turns it may take (100)"}),
};

static void bind(struct flow *flow, struct block *b, const struct catalog *w, struct findings *findings) {
    (void)w;
    (void)findings;
    if (b->repeat) {
        block_add_binding(flow, b, STR("last"), EACH, 0, NULL);
    } else {
        block_add_port(flow, b, STR("list"), true, block_schema(flow, SCHEMA_OF("array")));
        block_add_binding(flow, b, STR("item"), EACH, 0, NULL);
    }
    if (str_is(jsonx_str(b->json, "on_failure"), "collect"))
        block_add_binding(flow, b, STR("failures"), DONE, 0, block_schema(flow, SCHEMA_OF("array")));
}

static void check_mode(const struct flow *flow, const struct block *b, struct findings *findings) {
    struct finding f = block_place(flow, b, "not_in_this_mode");
    if (b->repeat && (json_object_get(b->json, "at_once") || json_object_get(b->json, "on_failure")))
        findings_add(findings, &f,
                     "with `while` one turn follows another, and one that fails is the last: remove `at_once` and `on_failure`");
    if (!b->repeat && json_object_get(b->json, "at_most"))
        findings_add(findings, &f, "a list says how many turns there are: remove `at_most`, or add `while`");
}

static void check(const struct flow *flow, const struct block *b, const struct catalog *w, struct findings *findings) {
    (void)w;
    check_mode(flow, b, findings);
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
    .about = "The blocks in its frame, once for each item of a list, in order or several at once; or one turn after another "
             "while an expression holds.",
    .shape = &shape,
    .pins = {"each", "done", "error"},
    .outputs =
        (const struct output_def[]){{"index", EACH, 0, SCHEMA_OF("integer")}, {"results", DONE, 0, SCHEMA_OF("array")}, {0}},
    .opens_scope = true,
    .bind = bind,
    .check = check,
};
