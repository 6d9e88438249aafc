/* block.h — what a type of block is: one const struct, in a file of its own under src/blocks/.
 *
 * A type says which keys its blocks have in the document (the editor builds its form from the
 * same), its pins, its inputs and named outputs, and checks what only it knows. It does
 * nothing at run time: that is the worker's part (runtime/) and the operations' (src/ops/). */
#ifndef FLOWLET_BLOCK_H
#define FLOWLET_BLOCK_H

#include "flow/shape.h"

struct flow;
struct block;
struct catalog;

#define BLOCK_PINS_MAX 32 /* they are bits of an unsigned */

/* A fixed input: its name, whether it must be mapped, and its JSON Schema as text; NULL: anything. */
struct input_def {
    const char *name;
    bool required;
    const char *schema;
};

#define SCHEMA_OF(type) "{\"type\": \"" type "\"}"

/* A fixed named output: on which pins it is bound, and on which of these perhaps. */
struct output_def {
    const char *name;
    unsigned pins, maybe;
    const char *schema; /* as text; NULL: anything */
};

struct block_type {
    const char *name, *title, *about;     /* about: a sentence or two for people */
    const struct shape *shape;            /* of its JSON: SHAPE_OBJECT whose keys begin with BLOCK_KEYS */
    const char *pins[BLOCK_PINS_MAX + 1]; /* where all blocks of the type have the same */
    const struct input_def *inputs;       /* ends with one without a name; NULL: none or by bind */
    const struct output_def *outputs;     /* the same; `error` at the error pin goes without saying */
    bool waits;                           /* a Join: decided when all its connections are */
    bool opens_scope;                     /* a loop: pins[0] is the inside's */
    bool ends;                            /* an End: the scope's value is what it got */
    bool responds;                        /* answers the caller */
    bool retries;                         /* may have retry and timeout_ms */
    int timeout_ms;                       /* where the block sets none; 0: none */
    /* The pins of one block, ending with NULL. Called while it is parsed. NULL: those of the type. */
    const char *const *(*own_pins)(struct flow *flow, const struct block *b, struct findings *findings);
    /* More inputs and outputs, which depend on the block. NULL: none. */
    void (*bind)(struct flow *flow, struct block *b, const struct catalog *w, struct findings *findings);
    /* What only this type knows. NULL: nothing. */
    void (*check)(const struct flow *flow, const struct block *b, const struct catalog *w, struct findings *findings);
};

/* The Start's type, and all others; ends with NULL. In src/blocks/table.c. */
extern const struct block_type block_start;
extern const struct block_type *const block_types[];

extern const struct shape block_outputs_shape, block_retry_shape, block_timeout_shape;

/* The keys that every block has, in canonical order; a type's own follow. */
#define BLOCK_COMMON_KEYS 8
#define BLOCK_KEYS                                                                                                               \
    {"id", &shape_id, true, "how connections and runs name it"}, {"type", &shape_title, true, "what it does"},                   \
        {"name", &shape_title, false, "what people call it"}, {"note", &shape_text, false, "for whoever reads the flow"},        \
        {"in", &shape_id, false, "the loop whose frame holds it"},                                                               \
        {"outputs", &block_outputs_shape, false, "other names for its named outputs"},                                           \
        {"timeout_ms", &block_timeout_shape, false, "ends an attempt that takes longer"}, {                                      \
        "retry", &block_retry_shape, false, "further attempts after a failure"                                                   \
    }

/* For bind: adds to b. name and schema are borrowed. */
void block_add_port(struct flow *flow, struct block *b, struct str name, bool required, const json_t *schema);
void block_add_binding(struct flow *flow, struct block *b, struct str property, unsigned pins, unsigned maybe,
                       const json_t *schema);
/* A schema that the flow keeps. */
const json_t *block_schema(struct flow *flow, const char *text);
/* A port for each property of an object schema. */
void block_add_ports(struct flow *flow, struct block *b, const json_t *schema);
/* A binding for each property of an object schema, optional ones as perhaps missing. */
void block_add_bindings(struct flow *flow, struct block *b, const json_t *schema, unsigned pins);

#endif
