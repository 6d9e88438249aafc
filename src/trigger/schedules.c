/* schedules.c — see schedules.h. */
#include "trigger/schedules.h"

#include "base/clock.h"
#include "base/log.h"
#include "trigger/cron.h"

/* The wall clock may be set while we sleep: look again at least this often. */
#define LOOK_AGAIN_MS (30 * 1000)

struct schedule {
    struct schedule *next;
    struct schedules *all;
    struct workspace *workspace;
    char *flow; /* its id, owned */
    struct cron *cron;
    int64_t due_ms;
    uint64_t run; /* the last one */
    struct timer timer;
};

struct schedules {
    struct loop *loop;
    struct runs *runs;
    struct schedule *list;
};

static void sleep_until_due(struct schedule *s) {
    int64_t wait = s->due_ms - clock_now_ms();
    if (s->due_ms)
        timer_start(&s->timer, wait > LOOK_AGAIN_MS ? LOOK_AGAIN_MS : wait);
}

static void fire(struct schedule *s) {
    const struct release_flow *flow = release_find_flow(s->workspace->release, str_from(s->flow));
    char when[CLOCK_TEXT_MAX], trigger[64];
    struct error err;
    clock_write(s->due_ms, when);
    snprintf(trigger, sizeof trigger, "cron %s", when);
    if (s->run && runs_is_open(s->all->runs, s->run)) {
        log_info("cron", "flow=%s due=%s event=skipped why=the_run_before_is_under_way", s->flow, when);
        return;
    }
    struct run_start start = {.workspace = s->workspace,
                              .flow = flow,
                              .input = json_pack("{s:s}", "scheduledAt", when),
                              .trigger = trigger,
                              .cron_instant_ms = s->due_ms};
    uint64_t run = runs_start(s->all->runs, &start, &err);
    if (run)
        s->run = run;
    else
        log_warn("cron", "flow=%s due=%s event=not_started error=%s", s->flow, when, log_quote(str_from(err.text)));
}

static void on_timer(struct timer *t) {
    struct schedule *s = container_of(t, struct schedule, timer);
    int64_t now = clock_now_ms();
    if (now >= s->due_ms) {
        fire(s);
        s->due_ms = cron_next(s->cron, s->due_ms > now - LOOK_AGAIN_MS ? s->due_ms : now);
    }
    sleep_until_due(s);
}

static void schedule_free(struct schedule *s) {
    timer_stop(&s->timer);
    cron_free(s->cron);
    free(s->flow);
    free(s);
}

static void add(struct schedules *all, struct workspace *w, const struct release_flow *flow) {
    struct error err;
    struct cron *cron =
        flow->every.len ? cron_parse_every(flow->every, flow->id, &err) : cron_parse_line(flow->line, flow->zone, &err);
    if (!cron) {
        log_error("cron", "flow=%s event=not_scheduled error=%s", flow->id.ptr, log_quote(str_from(err.text)));
        return;
    }
    struct schedule *s = mem_alloc(sizeof *s);
    *s = (struct schedule){.next = all->list, .all = all, .workspace = w, .flow = str_dup(flow->id), .cron = cron};
    timer_init(&s->timer, all->loop, on_timer);
    s->due_ms = cron_next(cron, clock_now_ms());
    all->list = s;
    sleep_until_due(s);
}

void schedules_changed(struct schedules *all, struct workspace *w) {
    for (struct schedule **at = &all->list; *at;) {
        struct schedule *s = *at;
        if (s->workspace == w) {
            *at = s->next;
            schedule_free(s);
        } else {
            at = &s->next;
        }
    }
    for (size_t i = 0; w->release && i < w->release->flow_count; i++)
        if (w->release->flows[i].type == FLOW_CRON)
            add(all, w, &w->release->flows[i]);
}

struct schedules *schedules_open(struct loop *l, struct runs *runs, struct workspaces *workspaces) {
    struct schedules *all = mem_alloc(sizeof *all);
    all->loop = l;
    all->runs = runs;
    struct workspace *w;
    for (size_t i = 0; (w = workspaces_at(workspaces, i)); i++)
        schedules_changed(all, w);
    return all;
}

void schedules_close(struct schedules *all) {
    while (all && all->list) {
        struct schedule *s = all->list;
        all->list = s->next;
        schedule_free(s);
    }
    free(all);
}

int64_t schedules_next(const struct schedules *all, const struct workspace *w, struct str flow) {
    for (const struct schedule *s = all->list; s; s = s->next)
        if (s->workspace == w && str_is(flow, s->flow))
            return s->due_ms;
    return 0;
}
