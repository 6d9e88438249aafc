/* cron.c — what became of each due instant of the cron flows (store.h). */
#include "store/sqlite/tx.h"

static const char *const outcome_names[] = {"fired", "queued", "merged", "skipped", "failed"};

const char *cron_outcome_name(enum cron_outcome o) { return outcome_names[o]; }

static enum cron_outcome outcome_of(struct str name) {
    size_t i = 0;
    while (i < ARRAY_LEN(outcome_names) - 1 && !str_is(name, outcome_names[i]))
        i++;
    return (enum cron_outcome)i;
}

bool tx_cron_mark(struct store_tx *tx, int64_t workspace, struct str flow, struct cron_mark *mark, struct error *err) {
    struct rows r =
        tx_query(tx, "SELECT accounted_ms, run FROM cron_marks WHERE workspace = ? AND flow = ?", "it", workspace, flow);
    *mark = (struct cron_mark){0};
    if (rows_next(&r))
        *mark = (struct cron_mark){rows_int(&r, 0), rows_int(&r, 1)};
    return rows_close(&r, err);
}

bool tx_cron_begin(struct store_tx *tx, int64_t workspace, struct str flow, struct str text, int64_t now_ms,
                   struct cron_mark *mark, struct error *err) {
    return tx_exec(tx, err,
                   "INSERT INTO cron_marks (workspace, flow, schedule, accounted_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
                   "SET schedule = excluded.schedule, accounted_ms = excluded.accounted_ms WHERE schedule <> excluded.schedule",
                   "itti", workspace, flow, text, now_ms) &&
           tx_cron_mark(tx, workspace, flow, mark, err);
}

static bool forget(struct store_tx *tx, int64_t workspace, struct str flow, struct error *err) {
    return tx_exec(tx, err,
                   "UPDATE cron SET outcome = 'skipped', reason = 'the flow was taken out before its turn came' "
                   "WHERE workspace = ? AND flow = ? AND outcome = 'queued'",
                   "it", workspace, flow) &&
           tx_exec(tx, err, "DELETE FROM cron_marks WHERE workspace = ? AND flow = ?", "it", workspace, flow);
}

static bool is_among(struct str flow, const struct str *flows, size_t count) {
    while (count && !str_eq(flow, flows[count - 1]))
        count--;
    return count > 0;
}

bool tx_cron_keep(struct store_tx *tx, int64_t workspace, const struct str *flows, size_t count, struct error *err) {
    struct arena arena;
    arena_init(&arena);
    struct gone {
        struct str flow;
        struct gone *next;
    } *gone = NULL;
    struct rows r = tx_query(tx, "SELECT flow FROM cron_marks WHERE workspace = ?", "i", workspace);
    while (rows_next(&r)) {
        if (is_among(rows_str(&r, 0), flows, count))
            continue;
        struct gone *g = arena_alloc(&arena, sizeof *g);
        *g = (struct gone){arena_str(&arena, rows_str(&r, 0)), gone};
        gone = g;
    }
    bool ok = rows_close(&r, err);
    for (; ok && gone; gone = gone->next)
        ok = forget(tx, workspace, gone->flow, err);
    arena_release(&arena);
    return ok;
}

static bool move_mark(struct store_tx *tx, int64_t workspace, struct str flow, int64_t instant_ms, struct error *err) {
    return tx_exec(tx, err, "UPDATE cron_marks SET accounted_ms = max(accounted_ms, ?) WHERE workspace = ? AND flow = ?", "iit",
                   instant_ms, workspace, flow);
}

bool tx_cron_account(struct store_tx *tx, int64_t workspace, struct str flow, const struct cron_row *rows, size_t count,
                     struct error *err) {
    for (size_t i = 0; i < count; i++) {
        const struct cron_row *row = &rows[i];
        if (!tx_exec(tx, err,
                     "INSERT INTO cron (workspace, flow, instant_ms, run, outcome, into_ms, from_ms, instants, time_ms, reason) "
                     "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET outcome = excluded.outcome, "
                     "reason = excluded.reason, time_ms = excluded.time_ms WHERE outcome = 'queued'",
                     "itiitiiiit", workspace, flow, row->instant_ms, row->run, str_from(cron_outcome_name(row->outcome)),
                     row->into_ms, row->from_ms, row->instants, row->time_ms, row->reason))
            return false;
    }
    return count == 0 || move_mark(tx, workspace, flow, rows[count - 1].instant_ms, err);
}

static bool fire_queued(struct store_tx *tx, int64_t workspace, struct str flow, int64_t instant_ms, int64_t run, int64_t now_ms,
                        bool *was_queued, struct error *err) {
    if (!tx_exec(tx, err,
                 "UPDATE cron SET outcome = 'fired', run = ?, time_ms = ? "
                 "WHERE workspace = ? AND flow = ? AND instant_ms = ? AND outcome = 'queued'",
                 "iiiti", run, now_ms, workspace, flow, instant_ms))
        return false;
    *was_queued = tx_changes(tx) == 1;
    return !*was_queued ||
           tx_exec(tx, err, "UPDATE cron SET run = ? WHERE workspace = ? AND flow = ? AND into_ms = ? AND into_ms <> 0", "iiti",
                   run, workspace, flow, instant_ms);
}

bool tx_cron_fire(struct store_tx *tx, int64_t workspace, struct str flow, int64_t instant_ms, int64_t run, int64_t now_ms,
                  bool *fresh, struct error *err) {
    if (!fire_queued(tx, workspace, flow, instant_ms, run, now_ms, fresh, err))
        return false;
    if (!*fresh) {
        if (!tx_exec(tx, err,
                     "INSERT INTO cron (workspace, flow, instant_ms, run, time_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                     "itiii", workspace, flow, instant_ms, run, now_ms))
            return false;
        *fresh = tx_changes(tx) == 1;
    }
    if (*fresh &&
        !tx_exec(tx, err, "UPDATE cron_marks SET run = ? WHERE workspace = ? AND flow = ?", "iit", run, workspace, flow))
        return false;
    return move_mark(tx, workspace, flow, instant_ms, err);
}

#define COLUMNS "instant_ms, outcome, run, into_ms, from_ms, instants, time_ms, reason"

static bool give_rows(struct rows r, tx_cron_fn *fn, void *arg, struct error *err) {
    while (rows_next(&r)) {
        struct cron_row row = {.instant_ms = rows_int(&r, 0),
                               .outcome = outcome_of(rows_str(&r, 1)),
                               .run = rows_int(&r, 2),
                               .into_ms = rows_int(&r, 3),
                               .from_ms = rows_int(&r, 4),
                               .instants = rows_int(&r, 5),
                               .time_ms = rows_int(&r, 6),
                               .reason = rows_str(&r, 7)};
        if (!fn(arg, &row))
            break;
    }
    return rows_close(&r, err);
}

bool tx_cron_list(struct store_tx *tx, int64_t workspace, struct str flow, int64_t before_ms, int limit, tx_cron_fn *fn,
                  void *arg, struct error *err) {
    return give_rows(tx_query(tx,
                              "SELECT " COLUMNS " FROM cron WHERE workspace = ? AND flow = ? AND instant_ms < ? "
                              "ORDER BY instant_ms DESC LIMIT ?",
                              "itii", workspace, flow, before_ms ? before_ms : INT64_MAX, (int64_t)limit),
                     fn, arg, err);
}

bool tx_cron_list_queued(struct store_tx *tx, int64_t workspace, struct str flow, tx_cron_fn *fn, void *arg, struct error *err) {
    return give_rows(tx_query(tx,
                              "SELECT " COLUMNS " FROM cron WHERE workspace = ? AND flow = ? AND outcome = 'queued' "
                              "ORDER BY instant_ms",
                              "it", workspace, flow),
                     fn, arg, err);
}
