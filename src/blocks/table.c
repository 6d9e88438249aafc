/* table.c — every type of block but the Start's. A new one is a file beside this and a line here. */
#include "blocks/blocks.h"

const struct block_type *const block_types[] = {
    &block_end,  &block_http,    &block_script, &block_condition, &block_switch, &block_loop, &block_join,
    &block_call, &block_respond, &block_fail,   &block_mail,      &block_wait,   NULL,
};
