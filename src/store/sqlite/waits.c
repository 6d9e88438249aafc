/* waits.c — see store/waits.h. */
#include "store/waits.h"

#include "store/sqlite/tx.h"

#define SELECT_WAITS                                                                                                             \
    "SELECT due_ms, left_ms, id, workspace, release, flow, mode, trigger, started_ms FROM waits JOIN runs ON id = run "

struct taken {
    struct taken *next;
    struct wait_row row;
};

static struct wait_row read_row(const struct rows *r, struct arena *arena) {
    return (struct wait_row){.due_ms = rows_int(r, 0),
                             .left_ms = rows_int(r, 1),
                             .run = {.id = rows_int(r, 2),
                                     .workspace = rows_int(r, 3),
                                     .release = rows_int(r, 4),
                                     .flow = arena_str(arena, rows_str(r, 5)),
                                     .state = RUN_ACCEPTED,
                                     .mode = rows_char(r, 6),
                                     .durable = true,
                                     .trigger = arena_str(arena, rows_str(r, 7)),
                                     .started_ms = rows_int(r, 8)}};
}

static bool wake(struct store_tx *tx, int64_t run, struct error *err) {
    return tx_exec(tx, err, "DELETE FROM waits WHERE run = ?", "i", run) &&
           tx_exec(tx, err, "UPDATE runs SET state = ? WHERE id = ?", "ii", (int64_t)RUN_ACCEPTED, run);
}

/* Takes what the query finds; *count of them. */
static bool take(struct store_tx *tx, struct rows r, tx_wait_fn *fn, void *arg, int *count, struct error *err) {
    struct arena arena;
    struct taken *first = NULL, **last = &first;
    arena_init(&arena);
    while (rows_next(&r)) {
        struct taken *t = *last = arena_alloc(&arena, sizeof *t);
        t->row = read_row(&r, &arena);
        last = &t->next;
    }
    bool ok = rows_close(&r, err);
    *count = 0;
    for (struct taken *t = first; ok && t; t = t->next, ++*count)
        ok = wake(tx, t->row.run.id, err);
    for (struct taken *t = first; ok && t; t = t->next)
        fn(arg, &t->row);
    arena_release(&arena);
    return ok;
}

bool tx_wait_put(struct store_tx *tx, int64_t run, int64_t due_ms, int64_t left_ms, struct error *err) {
    return tx_exec(tx, err, "INSERT OR REPLACE INTO waits VALUES (?, ?, ?)", "iii", run, due_ms, left_ms) &&
           tx_exec(tx, err, "UPDATE runs SET state = ? WHERE id = ?", "ii", (int64_t)RUN_WAITING, run);
}

bool tx_wait_take(struct store_tx *tx, int64_t now_ms, int limit, tx_wait_fn *fn, void *arg, int64_t *next_ms,
                  struct error *err) {
    int count;
    return take(tx, tx_query(tx, SELECT_WAITS "WHERE due_ms <= ? ORDER BY due_ms LIMIT ?", "ii", now_ms, (int64_t)limit), fn, arg,
                &count, err) &&
           tx_int(tx, "SELECT ifnull(min(due_ms), 0) FROM waits", next_ms, err);
}

bool tx_wait_take_one(struct store_tx *tx, int64_t run, tx_wait_fn *fn, void *arg, struct error *err) {
    int count;
    return take(tx, tx_query(tx, SELECT_WAITS "WHERE run = ?", "i", run), fn, arg, &count, err) &&
           (count == 1 || error_set(err, ERR_NOT_FOUND, "this run is not waiting"));
}

bool tx_wait_list(struct store_tx *tx, tx_wait_id_fn *fn, void *arg, struct error *err) {
    struct rows r = tx_query(tx, "SELECT run FROM waits", "");
    while (rows_next(&r))
        fn(arg, rows_int(&r, 0));
    return rows_close(&r, err);
}
