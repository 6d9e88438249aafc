/* graph.h — a flow's graph against semantics.md: rules 1 to 11 and 17.
 *
 *     graph_init(&g, flow);
 *     if (graph_order(&g, findings)) {      rule 1: no cycles; orders the blocks of each scope
 *         graph_check_ways(&g, findings);   rules 6, 7, 17: what may be reached twice, or never
 *         graph_check_names(&g, findings);  rules 9 to 11: what is bound where, and what mappings read
 *     }
 *     graph_release(&g);
 *
 * Sets are rows of bits. For 500 blocks all of it takes a few milliseconds. */
#ifndef FLOWLET_GRAPH_H
#define FLOWLET_GRAPH_H

#include "flow/flow.h"

struct graph {
    struct arena arena;
    struct flow *flow;
    size_t words;       /* of a row of connections */
    uint64_t *excluded; /* [block][connection]: every way into the block excludes the connection */
    bool *reachable;    /* blocks */
};

void graph_init(struct graph *g, struct flow *flow);
void graph_release(struct graph *g);
/* Fills flow->order and the blocks' place. False: there is a cycle, go no further. */
bool graph_order(struct graph *g, struct findings *findings);
void graph_check_ways(struct graph *g, struct findings *findings);
void graph_check_names(struct graph *g, const struct catalog *w, struct findings *findings);

/* Rule 7: whether two connections of one scope can never be taken in one run. After graph_check_ways. */
bool graph_excludes(const struct graph *g, size_t c, size_t d);

/* All of it, and what the block types check themselves. */
void flow_check(struct flow *flow, const struct catalog *w, struct findings *findings);

/* Rows of bits. */
static inline size_t bits_words(size_t n) { return (n + 63) / 64; }
static inline bool bits_has(const uint64_t *row, size_t i) { return row[i / 64] >> (i % 64) & 1; }
static inline void bits_add(uint64_t *row, size_t i) { row[i / 64] |= (uint64_t)1 << (i % 64); }
static inline void bits_or(uint64_t *row, const uint64_t *other, size_t words) {
    for (size_t i = 0; i < words; i++)
        row[i] |= other[i];
}
static inline void bits_and(uint64_t *row, const uint64_t *other, size_t words) {
    for (size_t i = 0; i < words; i++)
        row[i] &= other[i];
}

#endif
