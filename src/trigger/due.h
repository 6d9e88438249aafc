/* due.h — what becomes of the instants of a schedule that are due: the policies, without clock, store or runs.
 *
 *     due_decide(cron, &situation, &plan);
 *     plan.fire_ms          start a run for this instant; or
 *     plan.rows             account for these, oldest first; those that are queued get their runs later
 *     due_plan_release(&plan);
 *
 * (1) Every instant up to now is in the plan, or comes in one of the next: none is left out.
 * (2) An instant is on time when the server was looking out for it and is at most DUE_LATE_MS late; `overlap` decides.
 *     All others were missed; `missed` decides, and runs that make up for them come one after the other, as `overlap` allows.
 * (3) At most DUE_MISSED_MAX missed instants wait for runs, and as many have rows of their own: the newest. */
#ifndef FLOWLET_DUE_H
#define FLOWLET_DUE_H

#include "flow/release.h"
#include "store/store.h"
#include "trigger/cron.h"

#define DUE_LATE_MS (60 * 1000)
#define DUE_MISSED_MAX 1000
#define DUE_QUEUE_MAX 100 /* that `overlap: queue` lets wait */

struct due_situation {
    enum cron_overlap overlap;
    enum cron_missed missed;
    int64_t due_ms;     /* the first instant that is not accounted for */
    int64_t now_ms;     /* not before due_ms */
    int64_t looked_ms;  /* until then the server saw to it that nothing was missed */
    bool retried;       /* due_ms was on time, and could not be stored: again */
    uint64_t under_way; /* the run before; 0: it is over */
    size_t queued;      /* instants that wait for their runs */
};

struct due_plan {
    int64_t fire_ms;
    bool on_time;
    struct cron_row *rows; /* owned; their reasons are static */
    size_t count;
};
void due_decide(const struct cron *c, const struct due_situation *s, struct due_plan *plan);
/* Of a flow that is switched off: all that is due is skipped. */
void due_skip(const struct cron *c, const struct due_situation *s, struct due_plan *plan);
void due_plan_release(struct due_plan *plan); /* may be called twice */

#endif
