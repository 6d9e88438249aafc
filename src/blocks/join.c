/* join.c — Join: brings ways together again; waits until each is decided. */
#include "blocks/blocks.h"

static const struct shape shape = {.kind = SHAPE_OBJECT, .keys = SHAPE_KEYS(BLOCK_KEYS)};

const struct block_type block_join = {.name = "join",
                                      .title = "Join",
                                      .about =
                                          "Brings ways together that run at the same time: goes on when all of them are decided.",
                                      .shape = &shape,
                                      .pins = {"out"},
                                      .waits = true};
