/* events.c — what happened lately, for following: a ring in memory. */
#include "base/clock.h"
#include "run/run.h"

#define EVENTS_MAX 4096
#define EVENT_TEXT_MAX 2000 /* bytes of a log line that are kept */

struct events {
    struct run_event ring[EVENTS_MAX]; /* number n stands at n % EVENTS_MAX; texts owned */
    uint64_t newest;
};

struct events *events_new(void) {
    return mem_alloc(sizeof(struct events));
}

static void clear(struct run_event *e) {
    free((char *)e->flow.ptr);
    free((char *)e->level.ptr);
    free((char *)e->text.ptr);
}

void events_free(struct events *e) {
    if (!e)
        return;
    for (size_t i = 0; i < EVENTS_MAX; i++)
        clear(&e->ring[i]);
    free(e);
}

static struct str copy(struct str s) {
    if (s.len > EVENT_TEXT_MAX)
        s.len = EVENT_TEXT_MAX;
    return s.len ? str_of(str_dup(s), s.len) : (struct str){NULL, 0};
}

void events_add(struct events *e, const struct run *r, const char *kind, struct str level, struct str text) {
    struct run_event *to = &e->ring[++e->newest % EVENTS_MAX];
    clear(to);
    *to = (struct run_event){.number = e->newest,
                             .run = r->id,
                             .time_ms = clock_now_ms(),
                             .workspace = r->workspace->id,
                             .flow = copy(r->flow->id),
                             .kind = str_from(kind),
                             .level = copy(level),
                             .text = copy(text)};
}

uint64_t runs_events(const struct runs *rs, int64_t workspace, uint64_t after, run_event_fn *fn, void *arg) {
    const struct events *e = rs->events;
    uint64_t oldest = e->newest >= EVENTS_MAX ? e->newest - EVENTS_MAX + 1 : 1;
    for (uint64_t n = after + 1 > oldest ? after + 1 : oldest; n <= e->newest; n++) {
        const struct run_event *event = &e->ring[n % EVENTS_MAX];
        if (event->workspace == workspace && !fn(arg, event))
            break;
    }
    return e->newest;
}
