/* pages.h — runs that are not durable, many to a row: a page of history.
 *
 * Writing a run then costs a copy of its bytes and its part of an insert. A page holds runs of one workspace, the newest
 * first, whose ids are at most PAGE_SPAN apart; pages may overlap, as runs end in another order than they began. Two columns,
 * so that a list reads no histories:
 *
 *     heads     for each run: struct head (pages.c, little endian), flow, trigger, error
 *     records   their histories, one behind the other
 *
 * `last`, the newest id, is the row's key (and newest_ms when that run began), `first` the oldest; `states` has a bit for each
 * state that occurs and `flows` one of 63 for each flow (page_flow_bit), so that most pages that cannot hold what is looked for
 * need not be read. */
#ifndef FLOWLET_STORE_PAGES_H
#define FLOWLET_STORE_PAGES_H

#include "store/sqlite/tx.h"

#define PAGE_SPAN ((int64_t)4096 * 1000) /* about a second of ids */

/* rows are put in order; each stays borrowed. */
MUST_USE bool pages_put(struct store_tx *tx, const struct run_row **rows, size_t count, struct error *err);
/* The run where a page has it; texts in arena. */
MUST_USE bool pages_find(struct store_tx *tx, int64_t workspace, int64_t id, struct run_row *row, struct arena *arena,
                         bool *found, struct error *err);

static inline int64_t page_flow_bit(struct str flow) { return (int64_t)1 << str_hash(flow) % 63; }

/* Reads a page from the newest run to the oldest; heads and records are borrowed. records empty: histories are left out. */
struct page_cursor {
    struct str heads, records;
};
/* False at the end (*err untouched, code ERR_NONE before), or where the page is damaged: ERR_CORRUPT. */
MUST_USE bool page_next(struct page_cursor *c, struct run_row *row, struct error *err);

#endif
