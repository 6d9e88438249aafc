/* schedules.h — cron flows: each due instant is accounted for, most by a durable run.
 *
 *     s = schedules_open(...);
 *     schedules_start(s);                   once runs were resumed and folders published: what was missed is handled
 *     schedules_changed(s, workspace);      after each publish
 *
 * A schedule's mark stands in the store: all that was due up to it is accounted for, in the same commit that
 * moved it. So an instant is handled once, whatever stops the server or sets its clock.
 *
 *     due --on time, may run--> fired        one commit: the instant's row and the accepted run
 *     due --due.h-------------> skipped, merged, or queued --its turn--> fired
 *
 * What cannot be stored (disk full), or started (too many runs), is tried again every second. A schedule that is new
 * in a workspace, or another one than before, begins when it is published. Thread: the loop's. */
#ifndef FLOWLET_SCHEDULES_H
#define FLOWLET_SCHEDULES_H

#include "run/runs.h"

struct schedules;
struct schedules *schedules_open(struct loop *l, struct store *store, struct runs *runs, struct workspaces *workspaces);
void schedules_start(struct schedules *all);
void schedules_changed(struct schedules *all, struct workspace *w); /* before the start it does nothing */
/* No more runs are started. */
void schedules_stop(struct schedules *all);
/* After the store was closed, so that nothing is under way. Takes NULL. */
void schedules_close(struct schedules *all);
/* When the flow is due next, ms since 1970; 0: never, or not a cron flow. */
int64_t schedules_next(const struct schedules *all, const struct workspace *w, struct str flow);

#endif
