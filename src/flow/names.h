/* names.h — which names are bound where in a flow; for names.c, branches.c, mappings.c and typing.c. */
#ifndef FLOWLET_NAMES_H
#define FLOWLET_NAMES_H

#include "flow/graph.h"

struct names {
    struct graph *g;
    struct flow *flow;
    const struct catalog *catalog;
    struct findings *findings;
    struct arena arena;
    struct map ids; /* name -> its number plus one */
    struct str *text;
    size_t count, words;        /* names; words of a row of them */
    uint64_t *always, *perhaps; /* [block][name]: when the block begins */
    uint64_t *taken;            /* [block][connection]: certainly, when the block runs */
    size_t *first_binding;      /* [block]: the number of its bindings[0] among all of the flow */
    size_t binding_words;       /* of a row of them */
    uint64_t *reach;            /* [block][binding]: which may have bound the names that are there when it begins */
};

static inline uint64_t *names_row(uint64_t *rows, size_t i, size_t words) { return rows + i * words; }
/* SIZE_MAX: no such name in this flow. */
size_t names_number(const struct names *n, struct str name);
/* Adds what is bound once connection c was taken to these rows of names. */
void names_of(const struct names *n, size_t c, uint64_t *always, uint64_t *perhaps);

/* Adds the bindings whose names are as they left them once connection c was taken. */
void names_reach(const struct names *n, size_t c, uint64_t *row);

/* Rule 10 for the scope that `opener` opens. */
void names_check_branches(struct names *n, const struct block *opener);
/* All mappings of the flow. */
void names_check_mappings(struct names *n);

/* What stands at the place of a mapping: names there, and the bindings that may have given them. */
struct names_there {
    const uint64_t *always, *perhaps, *reach;
};
/* Adds to flow->typing that this source has to fit the port (NULL: anything), unless the toolbox refused a part of it. */
void names_type(struct names *n, const struct names_there *there, const struct finding *place, const struct source *s,
                const struct port *port);

#endif
