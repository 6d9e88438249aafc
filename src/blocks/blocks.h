/* blocks.h — the types of blocks, for their table. flow/block.h says what a type is. */
#ifndef FLOWLET_BLOCKS_H
#define FLOWLET_BLOCKS_H

#include "flow/flow.h"

extern const struct block_type block_end, block_http, block_script, block_condition, block_loop, block_join, block_call,
    block_respond, block_fail, block_switch, block_mail, block_wait;

#endif
