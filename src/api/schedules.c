/* schedules.c — when cron flows are due next, and what became of each instant that was. */
#include "api/call.h"
#include "base/clock.h"
#include "trigger/cron.h"

#define NEXT_MAX 1000
#define INSTANTS_MAX 1000
#define LOCAL_TEXT_MAX 40

/* One cron flow, as its release has it; the rest comes from the store. */
struct listed {
    struct str flow;
    const struct cron *cron; /* NULL: `value` says why */
    json_t *value;           /* borrowed from the answer */
};

struct query {
    struct listed *flows;
    size_t count;
    int64_t now_ms, from_ms; /* from 0: from now on */
    int64_t limit, recent;
    int64_t before_ms; /* instants */
};

/* ---- times ---- */

/* "2026-03-29T03:00:00+02:00" (RFC 3339). */
static json_t *local_json(int64_t at_ms, int32_t offset_s) {
    char shown[CLOCK_TEXT_MAX], text[LOCAL_TEXT_MAX];
    int32_t minutes = (offset_s < 0 ? -offset_s : offset_s) / 60;
    clock_write(at_ms + (int64_t)offset_s * 1000, shown);
    snprintf(text, sizeof text, "%.19s%c%02d:%02d", shown, offset_s < 0 ? '-' : '+', minutes / 60, minutes % 60);
    return json_string(text);
}

static json_t *time_json(const struct cron *c, int64_t at_ms) {
    return json_pack("{s:I, s:o}", "due_ms", (json_int_t)at_ms, "local", local_json(at_ms, cron_offset_s(c, at_ms)));
}

static json_t *change_json(const struct cron *c, int64_t after_ms, int64_t until_ms) {
    int64_t at = until_ms ? cron_clock_change(c, after_ms, until_ms) : 0;
    if (!at)
        return json_null();
    return json_pack("{s:I, s:o, s:o}", "at_ms", (json_int_t)at, "local_before", local_json(at, cron_offset_s(c, at - 1)),
                     "local_after", local_json(at, cron_offset_s(c, at)));
}

static void add_next(const struct listed *l, const struct query *q, const struct cron_mark *mark) {
    int64_t after = q->now_ms > mark->accounted_ms ? q->now_ms : mark->accounted_ms, at, last = 0;
    json_t *list = json_array();
    if (q->from_ms)
        after = q->from_ms - 1;
    for (at = l->cron ? cron_next(l->cron, after) : 0; at && json_array_size(list) < (size_t)q->limit;
         at = cron_next(l->cron, at)) {
        json_array_append_new(list, time_json(l->cron, at));
        last = at;
    }
    json_object_set_new(l->value, "next", list);
    json_object_set_new(l->value, "clock_change", l->cron ? change_json(l->cron, after, last) : json_null());
}

/* ---- what became of them ---- */

static json_t *run_id_json(int64_t run) {
    char text[RUN_ID_TEXT];
    if (!run)
        return json_null();
    run_id_write((uint64_t)run, text);
    return json_string(text);
}

static json_t *ms_json(int64_t ms) { return ms ? json_integer(ms) : json_null(); }

static bool add_instant(void *arg, const struct cron_row *row) {
    json_array_append_new(arg,
                          json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "due_ms", (json_int_t)row->instant_ms, "outcome",
                                    cron_outcome_name(row->outcome), "run", run_id_json(row->run), "reason",
                                    api_text(row->reason), "accounted_ms", ms_json(row->time_ms), "into_ms",
                                    ms_json(row->into_ms), "from_ms", ms_json(row->from_ms), "instants", ms_json(row->instants)));
    return true;
}

static bool fill(struct store_tx *tx, const struct api_call *c, const struct query *q, const struct listed *l,
                 struct error *err) {
    struct cron_mark mark;
    json_t *recent = json_array();
    json_object_set_new(l->value, "recent", recent);
    if (!tx_cron_mark(tx, c->workspace->id, l->flow, &mark, err) ||
        !tx_cron_list(tx, c->workspace->id, l->flow, 0, (int)q->recent, add_instant, recent, err))
        return false;
    json_object_set_new(l->value, "accounted_ms", ms_json(mark.accounted_ms));
    json_object_set_new(l->value, "last_run", run_id_json(mark.run));
    add_next(l, q, &mark);
    return true;
}

/* ---- the resources ---- */

static void free_cron(void *cron) { cron_free(cron); }

static void add_flow(struct api_call *c, struct query *q, const struct release_flow *f) {
    struct listed *l = &q->flows[q->count++];
    struct error err;
    struct cron *cron = cron_parse(f->every, f->line, f->zone, f->id, &err);
    l->flow = arena_str(c->arena, f->id);
    l->value = json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:s}", "flow", jsonx_from_str(f->id), "name", jsonx_from_str(f->name),
                         "every", api_text(f->every), "line", api_text(f->line), "zone", api_text(f->zone), "overlap",
                         cron_overlap_name(f->overlap), "missed", cron_missed_name(f->missed));
    l->cron = cron;
    if (cron)
        arena_defer(c->arena, free_cron, cron);
    else
        json_object_set_new(l->value, "error", json_string(err.text));
}

static bool list_work(struct store_tx *tx, void *arg, struct error *err) {
    struct api_call *c = arg;
    const struct query *q = c->own;
    for (size_t i = 0; i < q->count; i++)
        if (!fill(tx, c, q, &q->flows[i], err))
            return false;
    return true;
}

static struct query *query_new(struct api_call *c, size_t flows) {
    struct query *q = arena_alloc(c->arena, sizeof *q);
    q->flows = arena_alloc(c->arena, (flows + 1) * sizeof *q->flows);
    q->now_ms = clock_now_ms();
    c->own = q;
    return q;
}

static void list(struct api_call *c) {
    const struct workspace *w = api_workspace(c);
    if (!w)
        return;
    const struct release *r = w->release;
    struct query *q = query_new(c, r ? r->flow_count : 0);
    q->recent = 10;
    q->limit = jsonx_int(c->query, "limit", 5);
    json_t *list = json_array();
    c->result = json_pack("{s:o}", "schedules", list);
    for (size_t i = 0; r && i < r->flow_count; i++)
        if (r->flows[i].type == FLOW_CRON) {
            add_flow(c, q, &r->flows[i]);
            json_array_append_new(list, q->flows[q->count - 1].value);
        }
    api_read(c, list_work);
}

static const struct release_flow *find_flow(const struct api_call *c, struct error *err) {
    const struct release_flow *f = release_find_flow(c->workspace->release, c->parameters[1]);
    if (f && f->type == FLOW_CRON)
        return f;
    error_set(err, ERR_NOT_FOUND, "there is no cron flow `" STR_FMT "` in this workspace; GET .../schedules lists them",
              STR_ARG(c->parameters[1]));
    return NULL;
}

static void get(struct api_call *c) {
    const struct release_flow *f;
    struct error err;
    if (!api_published(c))
        return;
    struct query *q = query_new(c, 1);
    q->recent = 50;
    q->limit = jsonx_int(c->query, "limit", 100);
    q->from_ms = jsonx_int(c->query, "from", 0);
    if ((f = find_flow(c, &err))) {
        add_flow(c, q, f);
        c->result = q->flows[0].value;
        api_read(c, list_work);
    } else {
        api_fail(c, &err);
    }
}

static bool instants_work(struct store_tx *tx, void *arg, struct error *err) {
    struct api_call *c = arg;
    const struct query *q = c->own;
    json_t *list = json_array();
    c->result = json_pack("{s:o}", "instants", list);
    if (!tx_cron_list(tx, c->workspace->id, q->flows[0].flow, q->before_ms, (int)q->limit, add_instant, list, err))
        return false;
    size_t n = json_array_size(list);
    if (n == (size_t)q->limit)
        json_object_set(c->result, "next", json_object_get(json_array_get(list, n - 1), "due_ms"));
    return true;
}

/* Of flows that are not there any more too. */
static void list_instants(struct api_call *c) {
    if (!api_workspace(c))
        return;
    struct query *q = query_new(c, 1);
    q->flows[0].flow = c->parameters[1];
    q->limit = jsonx_int(c->query, "limit", 100);
    q->before_ms = jsonx_int(c->query, "before", 0);
    api_read(c, instants_work);
}

/* ---- the rows ---- */

#define TIME_MAX ((int64_t)253000000000000) /* in the year 9987 */

static const struct shape due = {
    .kind = SHAPE_OBJECT,
    .ref = "Due",
    .keys = SHAPE_KEYS({"due_ms", &api_time, true, "when"}, {"local", &shape_text, true, "in the schedule's zone (RFC 3339)"}),
};
static const struct shape clock_change = {
    .kind = SHAPE_OBJECT,
    .ref = "ClockChange",
    .or_null = true,
    .keys =
        SHAPE_KEYS({"at_ms", &api_time, true, "when"}, {"local_before", &shape_text, true, "what the zone's clock would show"},
                   {"local_after", &shape_text, true, "what it shows"}),
};
static const struct shape outcome = {.kind = SHAPE_CHOICE,
                                     .choices = SHAPE_CHOICES("fired", "queued", "merged", "skipped", "failed")};
static const struct shape instant = {
    .kind = SHAPE_OBJECT,
    .ref = "Instant",
    .keys = SHAPE_KEYS({"due_ms", &api_time, true, "when it was due"}, {"outcome", &outcome, true, "what became of it"},
                       {"run", &api_text_or_null, true, "the run's id"}, {"reason", &api_text_or_null, true, "a sentence"},
                       {"accounted_ms", &api_time_or_null, true, "when that was decided"},
                       {"into_ms", &api_time_or_null, true, "merged: the instant whose run it became part of"},
                       {"from_ms", &api_time_or_null, true, "a row for many: the first of them; due_ms is the last"},
                       {"instants", &api_time_or_null, true, "how many it stands for; null: not counted"}),
};
static const struct shape instant_list = {.kind = SHAPE_LIST, .item = &instant, .max = INSTANTS_MAX};
static const struct shape overlap = {.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("skip", "queue", "allow")};
static const struct shape missed = {.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("once", "all", "skip")};
static const struct shape schedule = {
    .kind = SHAPE_OBJECT,
    .ref = "Schedule",
    .keys = SHAPE_KEYS({"flow", &shape_text, true, "its id"}, {"name", &shape_text, true, "for people"},
                       {"every", &api_text_or_null, true, "5 minutes"}, {"line", &api_text_or_null, true, "or its cron line"},
                       {"zone", &api_text_or_null, true, "where the line's times are"},
                       {"overlap", &overlap, true, "what becomes of an instant while the run before is under way"},
                       {"missed", &missed, true, "what becomes of those that were due while the server was down"},
                       {"error", &shape_text, false, "why it has no times"},
                       {"accounted_ms", &api_time_or_null, true, "the last instant that is accounted for"},
                       {"last_run", &api_text_or_null, true, "the last that was fired"},
                       {"next", &(const struct shape){.kind = SHAPE_LIST, .item = &due, .max = NEXT_MAX}, true, "when it is due"},
                       {"clock_change", &clock_change, true, "when the zone's clock jumps before the last of these"},
                       {"recent", &instant_list, true, "newest first"}),
};
static const struct shape schedule_list = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"schedules", &(const struct shape){.kind = SHAPE_LIST, .item = &schedule, .max = FOLDER_FILES_MAX}, true,
                        "one a cron flow"})};
static const struct shape instant_page = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"instants", &instant_list, true, "newest first"},
                       {"next", &api_time, false, "`before` of the next page; left out: there is none"}),
};
static const struct api_route routes[] = {
    {.method = "GET",
     .path = API_WORKSPACE "/schedules",
     .permission = PERMISSION_WORKSPACES_READ,
     .name = "listSchedules",
     .about = "When each cron flow is due next, and what became of its last 10 due times.",
     .query = SHAPE_KEYS(
         {"limit", &(const struct shape){.kind = SHAPE_INT, .min = 1, .max = 100}, false, "how many next times each (5)"}),
     .answers = API_ANSWERS({200, &schedule_list, "all of them"}),
     .run = list},
    {.method = "GET",
     .path = API_WORKSPACE "/schedules/{flow}",
     .permission = PERMISSION_WORKSPACES_READ,
     .name = "getSchedule",
     .about = "The same of one, with its last 50 due times.",
     .query = SHAPE_KEYS(
         {"from", &(const struct shape){.kind = SHAPE_INT, .min = 1, .max = TIME_MAX}, false,
          "next times from then on, ms since 1970 (now)"},
         {"limit", &(const struct shape){.kind = SHAPE_INT, .min = 1, .max = NEXT_MAX}, false, "how many of them (100)"}),
     .answers = API_ANSWERS({200, &schedule, "as it is now"}),
     .run = get},
    {.method = "GET",
     .path = API_WORKSPACE "/schedules/{flow}/instants",
     .permission = PERMISSION_WORKSPACES_READ,
     .name = "listInstants",
     .about = "Every due time that is accounted for, newest first; of flows that are not there any more too.",
     .query = SHAPE_KEYS(
         {"before", &api_time, false, "those before then: `next` of the page before"},
         {"limit", &(const struct shape){.kind = SHAPE_INT, .min = 1, .max = INSTANTS_MAX}, false, "how many at most (100)"}),
     .answers = API_ANSWERS({200, &instant_page, "a page"}),
     .run = list_instants},
};
const struct api_resource api_resource_schedules = API_RESOURCE("Schedules", routes);
