/* schedules.h — cron flows: each due instant becomes one durable run.
 *
 *     schedules_changed(s, workspace);      after each publish
 *
 * An instant is fired in one commit with the run that it starts, so none fires twice. While the run
 * before is still under way, an instant is skipped, with a line in the log. Thread: the loop's. */
#ifndef FLOWLET_SCHEDULES_H
#define FLOWLET_SCHEDULES_H

#include "run/runs.h"

struct schedules;
struct schedules *schedules_open(struct loop *l, struct runs *runs, struct workspaces *workspaces);
void schedules_changed(struct schedules *s, struct workspace *w);
/* No more runs are started. Takes NULL. */
void schedules_close(struct schedules *s);
/* When the flow is due next, ms since 1970; 0: never, or not a cron flow. */
int64_t schedules_next(const struct schedules *s, const struct workspace *w, struct str flow);

#endif
