/* end.c — End: the value of a scope. Of an endpoint it is the answer, of a reusable flow what its
 * caller gets and the pin the call leaves by, of a loop's frame the turn's result. */
#include "blocks/blocks.h"

static const struct shape shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS(BLOCK_KEYS, {"pin", &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("out", "error")},
                                    false, "of a reusable flow: by which the call leaves"}),
};

static bool leaves_by_error(const struct block *b) { return str_is(jsonx_str(b->json, "pin"), "error"); }

static void bind(struct flow *flow, struct block *b, const struct catalog *w, struct findings *findings) {
    (void)w;
    (void)findings;
    if (b->scope) {
        block_add_port(flow, b, STR("value"), false, NULL);
    } else if (flow->type == FLOW_ENDPOINT) {
        block_add_port(flow, b, STR("body"), false, NULL);
        block_add_port(flow, b, STR("status"), false, NULL);
        block_add_port(flow, b, STR("headers"), false, NULL);
    } else if (flow->type == FLOW_REUSABLE && leaves_by_error(b)) {
        block_add_port(flow, b, STR("message"), true, NULL);
        block_add_port(flow, b, STR("code"), false, NULL);
        block_add_port(flow, b, STR("cause"), false, NULL);
    } else if (flow->type == FLOW_REUSABLE) {
        /* Where they were taken from the Ends, each maps what it likes. */
        bool declared = json_object_get(flow->start, "outputs");
        for (size_t i = 0; i < flow->output_count; i++)
            block_add_port(flow, b, flow->outputs[i].name, declared && flow->outputs[i].required, flow->outputs[i].schema);
    }
}

static void check(const struct flow *flow, const struct block *b, const struct catalog *w, struct findings *findings) {
    (void)w;
    struct finding f = block_place(flow, b, "pin_without_caller");
    if (json_object_get(b->json, "pin") && (flow->type != FLOW_REUSABLE || b->scope))
        findings_add(findings, &f, "only the End of a reusable flow, outside of loops, chooses a pin: remove `pin`");
}

const struct block_type block_end = {.name = "end",
                                     .title = "End",
                                     .about = "The scope's end: an endpoint's answer, a reusable flow's outputs, a turn's value. "
                                              "Several may stand on ways that exclude each other.",
                                     .shape = &shape,
                                     .ends = true,
                                     .bind = bind,
                                     .check = check};
