/* schedules.c — see schedules.h. */
#include "trigger/schedules.h"

#include "base/clock.h"
#include "base/log.h"
#include "trigger/cron.h"
#include "trigger/due.h"

#define LOOK_MS 1000 /* the wall clock may be set while we sleep */
#define QUEUE_LOOK_MS 100
#define RETRY_MS 1000

/* One of these changes the marks at a time:
 *
 *     (waiting) --due_decide: rows--> step_account --committed--> (waiting)
 *               --fire_ms, or the queue's head--> step_fire --accepted--> (waiting) */
struct schedule {
    struct schedule *next;
    struct schedules *all;
    struct workspace *workspace;
    char *flow; /* its id, owned */
    struct cron *cron;
    struct cron_mark mark;
    int64_t due_ms;    /* the first instant after the mark; 0: none */
    int64_t looked_ms; /* nothing was due then */
    bool retried;      /* due_ms was on time and could not be stored */
    bool failing;      /* that was said */
    int64_t again_ms;  /* of the loop's clock: not before */
    int64_t *queue;    /* instants that wait for their runs, oldest first; owned */
    size_t queued;
    struct step *step; /* under way; NULL: none */
};

struct schedules {
    struct loop *loop;
    struct store *store;
    struct runs *runs;
    struct workspaces *workspaces;
    struct schedule *list;
    struct sync *syncs;
    struct timer timer; /* the next look at all of them */
    bool started, stopped;
};

static void look_soon(struct schedules *all) {
    if (!all->stopped)
        timer_start(&all->timer, 0);
}

/* ---- one step ---- */

struct step {
    struct schedule *schedule; /* NULL: it is gone */
    int64_t workspace;
    char *flow;
    int64_t fire_ms;
    struct due_plan plan;
    struct error why; /* of a row with CRON_FAILED */
};

static struct step *step_new(struct schedule *s) {
    struct step *step = mem_alloc(sizeof *step);
    *step = (struct step){.schedule = s, .workspace = s->workspace->id, .flow = mem_strdup(s->flow)};
    s->step = step;
    return step;
}

static void step_free(struct step *step) {
    if (step->schedule)
        step->schedule->step = NULL;
    due_plan_release(&step->plan);
    free(step->flow);
    free(step);
}

static void failed(struct schedule *s, bool on_time, struct str why) {
    char when[CLOCK_TEXT_MAX];
    clock_write(s->due_ms, when);
    if (!s->failing)
        log_warn("cron", "flow=%s due=%s event=tried_again error=%s", s->flow, when, log_quote(why));
    s->failing = true;
    s->retried = s->retried || on_time;
    s->again_ms = loop_now_ms(s->all->loop) + RETRY_MS;
}

static void went_well(struct schedule *s, int64_t accounted_ms) {
    s->failing = false;
    if (accounted_ms <= s->mark.accounted_ms)
        return; /* it was queued */
    s->retried = false;
    s->mark.accounted_ms = accounted_ms;
    s->due_ms = cron_next(s->cron, accounted_ms);
}

static void enqueue(struct schedule *s, int64_t instant_ms) {
    s->queue = mem_realloc(s->queue, (s->queued + 1) * sizeof *s->queue);
    s->queue[s->queued++] = instant_ms;
}

static void dequeue(struct schedule *s, int64_t instant_ms) {
    if (s->queued && s->queue[0] == instant_ms)
        memmove(s->queue, s->queue + 1, --s->queued * sizeof *s->queue);
}

/* ---- accounting for what starts no run now ---- */

static bool account_work(struct store_tx *tx, void *arg, struct error *err) {
    const struct step *step = arg;
    return tx_cron_account(tx, step->workspace, str_from(step->flow), step->plan.rows, step->plan.count, err);
}

static void log_row(const struct schedule *s, const struct cron_row *row) {
    char when[CLOCK_TEXT_MAX];
    clock_write(row->instant_ms, when);
    log_info("cron", "flow=%s due=%s event=%s instants=%lld why=%s", s->flow, when, cron_outcome_name(row->outcome),
             (long long)row->instants, log_quote(row->reason));
}

static void on_accounted(void *arg, const struct error *err) {
    struct step *step = arg;
    struct schedule *s = step->schedule;
    const struct due_plan *plan = &step->plan;
    if (s && err) {
        failed(s, plan->on_time, str_from(err->text));
    } else if (s) {
        for (size_t i = 0; i < plan->count; i++)
            if (plan->rows[i].outcome == CRON_QUEUED)
                enqueue(s, plan->rows[i].instant_ms);
        if (plan->rows[0].outcome == CRON_FAILED)
            dequeue(s, plan->rows[0].instant_ms);
        went_well(s, plan->rows[plan->count - 1].instant_ms);
        log_row(s, &plan->rows[0]);
        if (plan->count > 1)
            log_row(s, &plan->rows[plan->count - 1]);
    }
    if (s)
        look_soon(s->all);
    step_free(step);
}

static void account(struct schedule *s, struct step *step) {
    int64_t now = clock_now_ms();
    for (size_t i = 0; i < step->plan.count; i++)
        step->plan.rows[i].time_ms = now;
    store_write(s->all->store, account_work, on_accounted, step);
}

/* ---- firing ---- */

static void on_stored(void *arg, const struct run_answer *answer) {
    struct step *step = arg;
    struct schedule *s = step->schedule;
    if (s && answer->status == 202) {
        s->mark.run = (int64_t)answer->run;
        dequeue(s, step->fire_ms);
        went_well(s, step->fire_ms);
    } else if (s) {
        struct error err;
        bool known = store_is_failing(s->all->store, &err);
        failed(s, step->fire_ms == s->due_ms, str_from(known ? err.text : "its run could not be stored"));
    }
    if (s)
        look_soon(s->all);
    step_free(step);
}

/* No later attempt would help: accounted for as such. */
static void give_up(struct schedule *s, struct step *step) {
    step->plan.rows = mem_alloc(sizeof *step->plan.rows);
    step->plan.count = 1;
    step->plan.rows[0] =
        (struct cron_row){.instant_ms = step->fire_ms, .outcome = CRON_FAILED, .instants = 1, .reason = str_from(step->why.text)};
    account(s, step);
}

static void fire(struct schedule *s, struct step *step, int64_t instant_ms) {
    char when[CLOCK_TEXT_MAX], trigger[64];
    step->fire_ms = instant_ms;
    clock_write(instant_ms, when);
    snprintf(trigger, sizeof trigger, "cron %s", when);
    struct run_start start = {.workspace = s->workspace,
                              .flow = release_find_flow(s->workspace->release, str_from(s->flow)),
                              .input = json_pack("{s:s}", "scheduledAt", when),
                              .trigger = trigger,
                              .cron_instant_ms = instant_ms,
                              .at_once = true,
                              .answered = on_stored,
                              .arg = step};
    if (runs_start(s->all->runs, &start, &step->why))
        return;
    if (error_may_retry(step->why.code)) {
        failed(s, instant_ms == s->due_ms, str_from(step->why.text));
        step_free(step);
    } else {
        give_up(s, step);
    }
}

/* ---- looking ---- */

/* The run before; 0: it is over. */
static uint64_t under_way(const struct schedule *s) {
    uint64_t run = (uint64_t)s->mark.run;
    return run && runs_is_open(s->all->runs, run) ? run : 0;
}

static void handle_due(struct schedule *s, enum cron_overlap overlap, enum cron_missed missed, int64_t now_ms) {
    struct due_situation situation = {.overlap = overlap,
                                      .missed = missed,
                                      .due_ms = s->due_ms,
                                      .now_ms = now_ms,
                                      .looked_ms = s->looked_ms,
                                      .retried = s->retried,
                                      .under_way = under_way(s),
                                      .queued = s->queued};
    struct step *step = step_new(s);
    if (workspace_flow_is_disabled(s->workspace, str_from(s->flow)))
        due_skip(s->cron, &situation, &step->plan);
    else
        due_decide(s->cron, &situation, &step->plan);
    if (step->plan.fire_ms)
        fire(s, step, step->plan.fire_ms);
    else
        account(s, step);
}

/* How long it may sleep. */
static int64_t look(struct schedule *s) {
    const struct release_flow *flow = release_find_flow(s->workspace->release, str_from(s->flow));
    int64_t now = clock_now_ms(), wait = s->again_ms - loop_now_ms(s->all->loop);
    if (s->step)
        return LOOK_MS;
    if (wait > 0)
        return wait;
    if (s->due_ms && s->due_ms <= now) {
        handle_due(s, flow->overlap, flow->missed, now);
        return LOOK_MS;
    }
    s->looked_ms = now;
    if (s->queued && !workspace_flow_is_disabled(s->workspace, str_from(s->flow)) &&
        (flow->overlap == OVERLAP_ALLOW || !under_way(s)))
        fire(s, step_new(s), s->queue[0]);
    wait = s->queued ? QUEUE_LOOK_MS : LOOK_MS;
    return s->due_ms && s->due_ms - now < wait ? s->due_ms - now : wait;
}

static void on_timer(struct timer *t) {
    struct schedules *all = container_of(t, struct schedules, timer);
    int64_t wait = LOOK_MS;
    for (struct schedule *s = all->list; s; s = s->next) {
        int64_t its = look(s);
        wait = its < wait ? its : wait;
    }
    if (all->list)
        timer_start(&all->timer, wait);
}

/* ---- what is published ---- */

static void schedule_free(struct schedule *s) {
    if (s->step)
        s->step->schedule = NULL;
    cron_free(s->cron);
    free(s->queue);
    free(s->flow);
    free(s);
}

/* The schedules of a workspace on their way from the store. */
struct sync {
    struct sync *next;
    struct schedules *all; /* NULL: superseded by a later one */
    struct workspace *workspace;
    int64_t workspace_id, now_ms;
    struct schedule **made;
    struct str *flows, *texts; /* of each; texts are owned */
    size_t count;
    struct timer retry;
};

static void sync_free(struct sync *y) {
    for (size_t i = 0; i < y->count; i++) {
        if (y->made[i])
            schedule_free(y->made[i]);
        free((char *)y->texts[i].ptr);
    }
    timer_stop(&y->retry);
    free(y->made);
    free(y->flows);
    free(y->texts);
    free(y);
}

static bool add_queued(void *arg, const struct cron_row *row) {
    enqueue(arg, row->instant_ms);
    return true;
}

/* On the writer's thread: until it is done nobody else touches the schedules. */
static bool sync_work(struct store_tx *tx, void *arg, struct error *err) {
    struct sync *y = arg;
    for (size_t i = 0; i < y->count; i++) {
        struct schedule *s = y->made[i];
        s->queued = 0;
        if (!tx_cron_begin(tx, y->workspace_id, y->flows[i], y->texts[i], y->now_ms, &s->mark, err) ||
            !tx_cron_list_queued(tx, y->workspace_id, y->flows[i], add_queued, s, err))
            return false;
    }
    return tx_cron_keep(tx, y->workspace_id, y->flows, y->count, err);
}

static void on_synced(void *arg, const struct error *err) {
    struct sync *y = arg;
    struct schedules *all = y->all;
    if (all && err && !all->stopped) {
        log_warn("cron", "event=not_scheduled error=%s", log_quote(str_from(err->text)));
        timer_start(&y->retry, RETRY_MS);
        return;
    }
    for (size_t i = 0; all && !err && i < y->count; i++) {
        struct schedule *s = y->made[i];
        s->due_ms = cron_next(s->cron, s->mark.accounted_ms);
        s->next = all->list;
        all->list = s;
        y->made[i] = NULL;
    }
    if (all) {
        struct sync **at = &all->syncs;
        while (*at != y)
            at = &(*at)->next;
        *at = y->next;
        look_soon(all);
    }
    sync_free(y);
}

static void on_retry(struct timer *t) {
    struct sync *y = container_of(t, struct sync, retry);
    store_write(y->all->store, sync_work, on_synced, y);
}

/* Those of a workspace that are under way are forgotten once they come back, or at once. */
static void supersede(struct schedules *all, const struct workspace *w) {
    for (struct sync **at = &all->syncs; *at;) {
        struct sync *y = *at;
        if (w && y->workspace != w) {
            at = &y->next;
            continue;
        }
        *at = y->next;
        y->all = NULL;
        if (timer_is_running(&y->retry))
            sync_free(y);
    }
}

static struct schedule *find(const struct schedules *all, const struct workspace *w, struct str flow) {
    struct schedule *s = all->list;
    while (s && (s->workspace != w || !str_is(flow, s->flow)))
        s = s->next;
    return s;
}

static void add(struct sync *y, const struct release_flow *flow, int64_t now_ms) {
    struct schedules *all = y->all;
    const struct schedule *before = find(all, y->workspace, flow->id);
    struct error err;
    struct cron *cron = cron_parse(flow->every, flow->line, flow->zone, flow->id, &err);
    if (!cron) {
        log_error("cron", "flow=%s event=not_scheduled error=%s", flow->id.ptr, log_quote(str_from(err.text)));
        return;
    }
    struct schedule *s = mem_alloc(sizeof *s);
    *s = (struct schedule){.all = all,
                           .workspace = y->workspace,
                           .flow = str_dup(flow->id),
                           .cron = cron,
                           .looked_ms = before ? before->looked_ms : now_ms};
    struct buf text;
    buf_init(&text, 1024 * 1024);
    buf_add(&text, flow->every.len ? flow->every : flow->line);
    buf_addc(&text, '\n');
    buf_add(&text, flow->zone);
    size_t length = text.len;
    y->made[y->count] = s;
    y->flows[y->count] = str_from(s->flow);
    y->texts[y->count++] = str_of(buf_take(&text), length);
    buf_release(&text);
}

static void remove_all_of(struct schedules *all, const struct workspace *w) {
    for (struct schedule **at = &all->list; *at;) {
        struct schedule *s = *at;
        if (w && s->workspace != w) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        schedule_free(s);
    }
}

void schedules_changed(struct schedules *all, struct workspace *w) {
    if (!all->started || all->stopped)
        return;
    const struct release *r = w->release;
    size_t most = r ? r->flow_count : 0;
    struct sync *y = mem_alloc(sizeof *y);
    *y = (struct sync){.all = all, .workspace = w, .workspace_id = w->id, .now_ms = clock_now_ms()};
    y->made = mem_alloc((most + 1) * sizeof(struct schedule *));
    y->flows = mem_alloc((most + 1) * sizeof *y->flows);
    y->texts = mem_alloc((most + 1) * sizeof *y->texts);
    timer_init(&y->retry, all->loop, on_retry);
    for (size_t i = 0; i < most; i++)
        if (r->flows[i].type == FLOW_CRON)
            add(y, &r->flows[i], y->now_ms);
    supersede(all, w);
    remove_all_of(all, w);
    y->next = all->syncs;
    all->syncs = y;
    store_write(all->store, sync_work, on_synced, y);
}

struct schedules *schedules_open(struct loop *l, struct store *store, struct runs *runs, struct workspaces *workspaces) {
    struct schedules *all = mem_alloc(sizeof *all);
    *all = (struct schedules){.loop = l, .store = store, .runs = runs, .workspaces = workspaces};
    timer_init(&all->timer, l, on_timer);
    return all;
}

void schedules_start(struct schedules *all) {
    struct workspace *w;
    all->started = true;
    for (size_t i = 0; (w = workspaces_at(all->workspaces, i)); i++)
        schedules_changed(all, w);
}

void schedules_stop(struct schedules *all) {
    all->stopped = true;
    timer_stop(&all->timer);
}

void schedules_close(struct schedules *all) {
    if (!all)
        return;
    timer_stop(&all->timer);
    supersede(all, NULL);
    remove_all_of(all, NULL);
    free(all);
}

int64_t schedules_next(const struct schedules *all, const struct workspace *w, struct str flow) {
    const struct schedule *s = find(all, w, flow);
    return s ? s->due_ms : 0;
}
