/* fail.c — Fail: ends the scope as failed. */
#include "blocks/blocks.h"

static const struct shape shape = {.kind = SHAPE_OBJECT, .keys = SHAPE_KEYS(BLOCK_KEYS)};

const struct block_type block_fail = {
    .name = "fail",
    .title = "Fail",
    .about = "Ends the run as failed, or a reusable flow by its `error`.",
    .shape = &shape,
    .inputs = (const struct input_def[]){{"message", false, SCHEMA_OF("string")}, {"code", false, SCHEMA_OF("string")}, {0}},
};
