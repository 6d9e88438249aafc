/* quota.c — see quota.h. One number a caller is all there is to keep (the "generic cell rate algorithm"). */
#include "trigger/quota.h"

#define MINUTE_US (60 * 1000 * 1000LL)
#define OTHERS STR("others")

struct quota *quota_new(void) {
    struct quota *q = mem_alloc(sizeof *q);
    map_init(&q->callers);
    return q;
}

void quota_free(struct quota *q) {
    if (!q)
        return;
    map_release(&q->callers);
    free(q);
}

/* Forgets those whose accounts are full. */
static void sweep(struct quota *q, int64_t now_us) {
    struct map kept;
    struct map_entry *e;
    map_init(&kept);
    for (size_t at = 0; (e = map_next(&q->callers, &at));)
        if ((intptr_t)e->value > now_us)
            map_set(&kept, str_of(e->key, e->key_len), e->value);
    map_release(&q->callers);
    q->callers = kept;
}

int64_t quota_take(struct quota *q, struct str caller, int64_t per_minute, int64_t now_us) {
    int64_t full_us = (intptr_t)map_find(&q->callers, caller), each_us = MINUTE_US / per_minute;
    if (!full_us && q->callers.count >= QUOTA_CALLERS_MAX) {
        sweep(q, now_us);
        if (q->callers.count >= QUOTA_CALLERS_MAX) {
            caller = OTHERS;
            full_us = (intptr_t)map_find(&q->callers, caller);
        }
    }
    if (full_us < now_us)
        full_us = now_us;
    int64_t wait_us = full_us + each_us - MINUTE_US - now_us;
    if (wait_us > 0)
        return (wait_us + 999999) / 1000000;
    map_set(&q->callers, caller, (void *)(intptr_t)(full_us + each_us));
    return 0;
}
