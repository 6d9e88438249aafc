/* quota.h — how often and how many at a time a flow may be called: start.limits of an endpoint.
 *
 *     quota_take(q, "192.0.2.1", per_minute, now_us)     0: go on; else seconds until the next one may come
 *
 * A caller has `per_minute` requests to spend at once, which come back one by one, evenly, in a minute.
 * The flow's own is kept under the name "". Of callers 10000 are told apart; those beyond share one
 * account until others have theirs full again. Thread: the loop's. */
#ifndef FLOWLET_QUOTA_H
#define FLOWLET_QUOTA_H

#include "base/map.h"

#define QUOTA_CALLERS_MAX 10000

struct quota {
    struct map callers; /* name -> the time at which its account is full again, us */
    int64_t under_way;  /* requests that wait for their answer */
};

struct quota *quota_new(void);
void quota_free(struct quota *q); /* takes NULL */
int64_t quota_take(struct quota *q, struct str caller, int64_t per_minute, int64_t now_us);

#endif
