/* Rules of due.h: what becomes of what is due. A schedule of every minute; its instants are told as minutes. */
#include <criterion/criterion.h>

#include "trigger/due.h"

#define M 60000

static struct due_plan plan;

/* from: the first minute that is not accounted for; now: in ms. */
static void decide(struct due_situation s) {
    struct error err;
    struct cron *c = cron_parse_line(STR("* * * * *"), STR(""), &err);
    due_decide(c, &s, &plan);
    cron_free(c);
}

/* "3 fired", "1-3 merged into 5", ... */
static void row_is(size_t i, int64_t minute, enum cron_outcome outcome) {
    cr_assert_lt(i, plan.count);
    const struct cron_row *row = &plan.rows[i];
    cr_assert_eq(row->instant_ms, minute * M, "row %zu is minute %lld", i, (long long)row->instant_ms / M);
    cr_assert_str_eq(cron_outcome_name(row->outcome), cron_outcome_name(outcome));
    cr_assert(outcome == CRON_FIRED || row->reason.len, "it says why");
}

static struct due_situation at_minute_5(int64_t looked_ms) {
    return (struct due_situation){.due_ms = 5 * M, .now_ms = 5 * M + 10, .looked_ms = looked_ms};
}

Test(due, on_time_and_free_it_fires) {
    struct due_situation s = at_minute_5(5 * M - 1);
    for (int overlap = 0; overlap < 3; overlap++)
        for (int missed = 0; missed < 3; missed++) {
            s.overlap = (enum cron_overlap)overlap;
            s.missed = (enum cron_missed)missed;
            decide(s);
            cr_assert_eq(plan.fire_ms, 5 * M);
            cr_assert_eq(plan.count, 0);
        }
}

Test(due, overlap) {
    struct due_situation s = at_minute_5(5 * M - 1);
    s.under_way = 77;
    decide(s);
    row_is(0, 5, CRON_SKIPPED);
    cr_assert_eq(plan.rows[0].run, 77);
    due_plan_release(&plan);
    s.overlap = OVERLAP_QUEUE;
    decide(s);
    row_is(0, 5, CRON_QUEUED);
    due_plan_release(&plan);
    s.queued = DUE_QUEUE_MAX;
    decide(s);
    row_is(0, 5, CRON_SKIPPED);
    due_plan_release(&plan);
    s.overlap = OVERLAP_ALLOW;
    decide(s);
    cr_assert_eq(plan.fire_ms, 5 * M);
}

Test(due, what_was_missed_comes_before_what_is_due) {
    struct due_situation s = at_minute_5(5 * M - 1);
    s.queued = 1;
    decide(s);
    row_is(0, 5, CRON_SKIPPED);
    due_plan_release(&plan);
}

Test(due, late_is_missed) {
    struct due_situation s = at_minute_5(5 * M - 1);
    s.missed = MISSED_SKIP;
    s.looked_ms = 5 * M; /* the server was not there */
    decide(s);
    row_is(0, 5, CRON_SKIPPED);
    due_plan_release(&plan);
    s = at_minute_5(5 * M - 1);
    s.missed = MISSED_SKIP;
    s.now_ms = 6 * M + 1; /* it slept: 5 is late, 6 is not */
    decide(s);
    cr_assert_eq(plan.count, 1);
    row_is(0, 5, CRON_SKIPPED);
    due_plan_release(&plan);
}

Test(due, what_could_not_be_stored_is_never_missed) {
    struct due_situation s = at_minute_5(0);
    s.missed = MISSED_SKIP;
    s.now_ms = 50 * M;
    s.retried = true;
    decide(s);
    cr_assert_eq(plan.fire_ms, 5 * M);
}

Test(due, missed_once) {
    struct due_situation s = {.due_ms = 2 * M, .now_ms = 5 * M + 10, .looked_ms = 5 * M + 5};
    decide(s);
    cr_assert_eq(plan.count, 4);
    for (size_t i = 0; i < 3; i++) {
        row_is(i, (int64_t)i + 2, CRON_MERGED);
        cr_assert_eq(plan.rows[i].into_ms, 5 * M);
    }
    row_is(3, 5, CRON_QUEUED);
    due_plan_release(&plan);
    s.under_way = 9; /* it went on with the server: what came meanwhile overlaps */
    decide(s);
    for (size_t i = 0; i < 4; i++) {
        row_is(i, (int64_t)i + 2, CRON_SKIPPED);
        cr_assert_eq(plan.rows[i].run, 9);
    }
    due_plan_release(&plan);
}

Test(due, missed_skip_leaves_what_is_on_time) {
    struct due_situation s = {.missed = MISSED_SKIP, .due_ms = 2 * M, .now_ms = 5 * M + 10, .looked_ms = 2 * M - 1};
    decide(s);
    cr_assert_eq(plan.count, 3);
    row_is(2, 4, CRON_SKIPPED);
    due_plan_release(&plan);
    s.looked_ms = 5 * M + 5;
    decide(s);
    cr_assert_eq(plan.count, 4);
    row_is(3, 5, CRON_SKIPPED);
    due_plan_release(&plan);
}

Test(due, missed_all_is_bounded_and_every_instant_is_counted) {
    struct due_situation s = {.missed = MISSED_ALL, .due_ms = M, .now_ms = 3000 * M + 5, .looked_ms = 3000 * M + 1};
    decide(s);
    cr_assert_eq(plan.count, DUE_MISSED_MAX + 1);
    row_is(0, 2000, CRON_SKIPPED);
    cr_assert(plan.rows[0].from_ms == M && plan.rows[0].instants == 2000);
    for (size_t i = 1; i <= DUE_MISSED_MAX; i++)
        row_is(i, 2000 + (int64_t)i, CRON_QUEUED);
    due_plan_release(&plan);
    s.queued = 10; /* of the time before: only so many wait */
    decide(s);
    row_is(10, 2010, CRON_SKIPPED);
    row_is(11, 2011, CRON_QUEUED);
    row_is(1000, 3000, CRON_QUEUED);
    due_plan_release(&plan);
    s = (struct due_situation){.due_ms = M, .now_ms = 1000 * M + 5, .looked_ms = 1000 * M + 1};
    decide(s);
    cr_assert_eq(plan.count, 1000);
    row_is(0, 1, CRON_MERGED);
    due_plan_release(&plan);
}
