/* condition.c — Condition: one of two ways. */
#include "blocks/blocks.h"

static const struct shape shape = {.kind = SHAPE_OBJECT, .keys = SHAPE_KEYS(BLOCK_KEYS)};

const struct block_type block_condition = {
    .name = "condition",
    .title = "Condition",
    .about = "Two ways, by an expression that is true or false.",
    .shape = &shape,
    .pins = {"true", "false"},
    .inputs = (const struct input_def[]){{"condition", true, SCHEMA_OF("boolean")}, {0}},
};
