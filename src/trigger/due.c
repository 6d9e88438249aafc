/* due.c — see due.h. */
#include "trigger/due.h"

static const struct str overlapped = {"the run before was under way", 28};

/* The newest instants that are due, as a ring; and how many came before these. */
struct late {
    int64_t at[DUE_MISSED_MAX];
    size_t total;
    int64_t dropped_ms; /* the last that is in the ring no more */
};

static void collect(const struct cron *c, const struct due_situation *s, struct late *late) {
    for (int64_t at = s->due_ms; at && at <= s->now_ms; at = cron_next(c, at)) {
        int64_t *slot = &late->at[late->total++ % DUE_MISSED_MAX];
        late->dropped_ms = *slot;
        *slot = at;
    }
}

static size_t kept(const struct late *l) { return l->total < DUE_MISSED_MAX ? l->total : DUE_MISSED_MAX; }

/* Oldest first. */
static int64_t late_at(const struct late *l, size_t i) { return l->at[(l->total - kept(l) + i) % DUE_MISSED_MAX]; }

static struct cron_row *add(struct due_plan *plan, int64_t instant_ms, enum cron_outcome outcome, struct str reason) {
    struct cron_row *row = &plan->rows[plan->count++];
    *row = (struct cron_row){.instant_ms = instant_ms, .outcome = outcome, .instants = 1, .reason = reason};
    return row;
}

static void decide_on_time(const struct due_situation *s, struct due_plan *plan) {
    bool free = !s->under_way && !s->queued;
    plan->on_time = true;
    if (free || s->overlap == OVERLAP_ALLOW) {
        plan->fire_ms = s->due_ms;
        return;
    }
    plan->rows = mem_alloc(sizeof *plan->rows);
    if (s->overlap == OVERLAP_SKIP)
        add(plan, s->due_ms, CRON_SKIPPED, s->under_way ? overlapped : STR("runs of missed instants came first"))->run =
            (int64_t)s->under_way;
    else if (s->queued >= DUE_QUEUE_MAX)
        add(plan, s->due_ms, CRON_SKIPPED, STR("the queue was full: 100 instants were waiting for their runs"));
    else
        add(plan, s->due_ms, CRON_QUEUED, STR("waits for the run before"));
}

/* One of the missed instants; `newest` is the last of them, `waiting` how many later ones are to be queued. */
static void add_missed(const struct due_situation *s, struct due_plan *plan, int64_t at, int64_t newest, size_t waiting) {
    if (s->missed == MISSED_SKIP)
        add(plan, at, CRON_SKIPPED, STR("missed: the server was down or busy"));
    else if (s->missed == MISSED_ALL && s->queued + waiting >= DUE_MISSED_MAX)
        add(plan, at, CRON_SKIPPED, STR("missed, with more than 1000 later ones"));
    else if (s->missed == MISSED_ALL)
        add(plan, at, CRON_QUEUED, STR("missed: made up for"));
    else if (s->overlap == OVERLAP_SKIP && s->under_way)
        add(plan, at, CRON_SKIPPED, overlapped)->run = (int64_t)s->under_way;
    else if (at == newest)
        add(plan, at, CRON_QUEUED, STR("missed: one run for all that were"));
    else
        add(plan, at, CRON_MERGED, STR("missed: one run for all that were"))->into_ms = newest;
}

static void decide_late(const struct due_situation *s, const struct late *late, bool newest_on_time, struct due_plan *plan) {
    size_t count = kept(late) - (newest_on_time && s->missed != MISSED_ONCE); /* it has a plan of its own */
    int64_t newest = late_at(late, count - 1);
    plan->rows = mem_alloc((count + 1) * sizeof *plan->rows);
    if (late->total > DUE_MISSED_MAX) {
        add_missed(s, plan, late->dropped_ms, newest, DUE_MISSED_MAX);
        plan->rows[0].from_ms = s->due_ms;
        plan->rows[0].instants = (int64_t)(late->total - DUE_MISSED_MAX);
    }
    for (size_t i = 0; i < count; i++)
        add_missed(s, plan, late_at(late, i), newest, count - 1 - i);
}

void due_decide(const struct cron *c, const struct due_situation *s, struct due_plan *plan) {
    *plan = (struct due_plan){0};
    if (s->retried) {
        decide_on_time(s, plan);
        return;
    }
    struct late *late = mem_alloc(sizeof *late);
    collect(c, s, late);
    int64_t newest = late_at(late, kept(late) - 1);
    bool on_time = newest > s->looked_ms && s->now_ms - newest <= DUE_LATE_MS;
    if (on_time && late->total == 1)
        decide_on_time(s, plan);
    else
        decide_late(s, late, on_time, plan);
    free(late);
}

void due_skip(const struct cron *c, const struct due_situation *s, struct due_plan *plan) {
    *plan = (struct due_plan){.rows = mem_alloc(sizeof *plan->rows)};
    struct cron_row *row = add(plan, s->due_ms, CRON_SKIPPED, STR("the flow was switched off"));
    for (int64_t at; (at = cron_next(c, row->instant_ms)) && at <= s->now_ms; row->instants++)
        row->instant_ms = at;
    row->from_ms = row->instants > 1 ? s->due_ms : 0;
}

void due_plan_release(struct due_plan *plan) {
    free(plan->rows);
    *plan = (struct due_plan){0};
}
