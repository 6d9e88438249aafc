/* flow.h — one flow in memory: its document, taken apart.
 *
 *     flow_parse(&flow, folder, file, &codes, findings);   the document alone: shape, ids, pins, sources
 *     ... the toolbox answers what is in codes ...
 *     flow_bind(&flow, &catalog, findings);              inputs and named outputs of its blocks
 *     flow_check(&flow, &catalog, findings);             graph, names, mappings (graph.h)
 *     flow_compile(&flow, ...)                             its plan (compile.h)
 *
 * Each step goes on after a fault and reports all it finds; the next one is only for flows that
 * came through. Block 0 is the Start. A scope is known by the block that opens it: 0 or a loop.
 * Everything is allocated in the flow's arena; the document stays referenced. */
#ifndef FLOWLET_FLOW_H
#define FLOWLET_FLOW_H

#include "flow/block.h"
#include "flow/folder.h"
#include "flow/release.h"
#include "flow/source.h"
#include "flow/catalog.h"

#define FLOW_BLOCKS_MAX 1000
#define FLOW_CONNECTIONS_MAX 2000
#define FLOW_FAN_IN_MAX 200
#define FLOW_PARAMETERS_MAX 16

/* An input that a block takes. */
struct port {
    struct str name;
    bool required;
    const json_t *schema; /* NULL: anything; borrowed from documents, codes or the block type */
};

/* A name that a block binds on leaving by some of its pins. */
struct binding {
    struct str property;  /* of its output */
    struct str name;      /* what it is bound to */
    unsigned pins;        /* bit i: when leaving by the block's pins[i] */
    unsigned maybe;       /* of these, where it may be missing */
    const json_t *schema; /* NULL: anything; borrowed as a port's */
};

struct block {
    struct str id, name;
    const struct block_type *type;
    const char *const *pins; /* ends with NULL; the type's, but for some */
    const json_t *json;      /* NULL: the Start, whose keys are the flow's */
    struct str pointer;
    size_t scope; /* the block that opens the scope it is in: 0 or a loop */
    int order;    /* place in the document; -1: the Start */
    size_t *ins;  /* connections, in the document's order */
    size_t in_count;
    size_t *outs;
    size_t out_count;
    unsigned connected;    /* bit i: something hangs at pins[i] */
    struct code *script;   /* script blocks */
    struct source *repeat; /* a loop's `while`; NULL: it goes through a list */
    /* by graph_order: */
    size_t place;                      /* in its scope, in topological order; whoever opens the scope is 0 */
    size_t inside_first, inside_count; /* of flow->order: the scope it opens */
    bool certain;                      /* by flow_check: it runs in each run that does not fail before */
    /* by flow_bind: */
    struct port *ports;
    size_t port_count;
    bool any_input; /* takes names that are not among its ports */
    struct binding *bindings;
    size_t binding_count;
};

struct mapping {
    struct str input;
    struct source source;
};

struct connection {
    size_t from, to; /* blocks */
    size_t pin;      /* of from->pins */
    struct mapping *map;
    size_t map_count;
    struct str pointer;
    struct str text; /* "start.out -> page", for findings */
};

struct flow {
    struct arena arena;
    struct str id, file; /* "hello", "flows/hello.json" */
    struct str name;
    enum flow_type type;
    json_t *json;   /* owned; the document */
    bool is_sound;  /* parsed without errors */
    bool guesses;   /* it calls a flow that is not sound, whose outputs are not known */
    json_t *typing; /* owned; flow_check adds what the type checker is to look at (typing.c). NULL: types are not checked */

    struct block *blocks;
    size_t block_count;
    struct connection *connections;
    size_t connection_count;
    size_t *order; /* by graph_order: all blocks but the Start, scope after scope, each in topological order */

    /* The Start's configuration. */
    const json_t *start; /* borrowed; NULL where there is none */
    struct str *parameters;
    size_t parameter_count;
    struct source *deduplicate; /* NULL: none */
    struct code *body_schema, *query_schema, *inputs_schema;
    /* A reusable flow's outputs, by flow_bind_outputs: declared, or what its Ends map. */
    struct port *outputs;
    size_t output_count;
};

/* The shape of flows/ID.json. */
extern const struct shape flow_shape;

/* flow is filled either way; is_sound says whether it may go on. */
void flow_parse(struct flow *flow, const struct folder *folder, const struct folder_file *file, struct codes *codes,
                struct findings *findings);
void flow_release(struct flow *flow);

/* Whether the block is there and is a Wait that waits for its link. */
bool flow_has_link(const struct flow *flow, struct str id);

/* Where a finding is: the flow alone, a block, a connection. */
struct finding flow_place(const struct flow *flow, const char *code);
struct finding block_place(const struct flow *flow, const struct block *b, const char *code);
struct finding connection_place(const struct flow *flow, const struct connection *c, const char *code);

/* Inputs and named outputs of all blocks, the flow's own outputs first. The toolbox must have answered. */
void flow_bind_outputs(struct flow *flow);
void flow_bind(struct flow *flow, const struct catalog *w, struct findings *findings);

#endif
