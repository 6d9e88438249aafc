/* script.c — Script: a TypeScript function. Its signature makes the inputs and the outputs. */
#include "blocks/blocks.h"

#define OUT 1u

static const struct shape shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS(BLOCK_KEYS, {"script", &shape_title, true, "a .ts file in the folder of the flows"}),
};

static void bind(struct flow *flow, struct block *b, const struct catalog *w, struct findings *findings) {
    (void)w;
    (void)findings;
    if (!b->script || !b->script->answer)
        return;
    const json_t *inputs = code_signature(b->script, "inputs"), *output = code_signature(b->script, "output");
    block_add_ports(flow, b, inputs);
    b->any_input = json_is_object(inputs) && !json_object_get(inputs, "properties");
    if (json_object_get(output, "properties"))
        block_add_bindings(flow, b, output, OUT);
    else
        block_add_binding(flow, b, STR("result"), OUT, 0, output);
}

const struct block_type block_script = {
    .name = "script",
    .title = "Script",
    .about =
        "A TypeScript function. Its signature's types make the inputs and the named outputs; library.md has what it can use.",
    .shape = &shape,
    .pins = {"out", "error"},
    .retries = true,
    .bind = bind,
};
