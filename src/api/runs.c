/* runs.c — the runs of a workspace: listed, one in detail, canceled. */
#include "api/call.h"

#define LIMIT_STANDARD 100
#define LIMIT_MAX 1000
#define DETAILS_MAX ((size_t)64 * 1024 * 1024) /* bytes of history in one answer; beyond: the next page */

static json_t *id_json(int64_t id) {
    char text[RUN_ID_TEXT];
    run_id_write((uint64_t)id, text);
    return json_string(text);
}

static json_t *time_json(int64_t ms) { return ms ? json_integer(ms) : json_null(); }

/* What a trigger says: "test ...", "again ID", "again ID from BLOCK". */
static void add_kind(json_t *run, struct str trigger) {
    struct str rest = trigger, word, id;
    str_cut(&rest, ' ', &word);
    json_object_set_new(run, "test", json_boolean(str_is(word, "test")));
    if (str_is(word, "again") && str_cut(&rest, ' ', &id))
        json_object_set_new(run, "repeats", jsonx_from_str(id));
}

static json_t *row_json(const struct run_row *row) {
    json_t *run =
        json_pack("{s:o, s:o, s:s, s:s, s:b, s:o, s:I, s:o, s:o, s:o}", "id", id_json(row->id), "flow", jsonx_from_str(row->flow),
                  "state", run_state_name(row->state), "mode", row->mode == 'l' ? "live" : "practice", "durable", row->durable,
                  "trigger", jsonx_from_str(row->trigger), "release", (json_int_t)row->release, "started_ms",
                  time_json(row->started_ms), "ended_ms", time_json(row->ended_ms), "error", api_text(row->error));
    add_kind(run, row->trigger);
    return run;
}

/* Null while it runs. History is kept as text, which is ours and valid. */
static json_t *history_json(struct str text) {
    struct error err;
    json_t *value = text.len ? jsonx_parse(text, &err) : NULL;
    return value ? value : json_null();
}

static json_t *whole_json(const struct run_row *row) {
    json_t *run = row_json(row);
    json_object_set_new(run, "history", history_json(row->history));
    return run;
}

/* ---- the list ---- */

static bool read_query(const struct api_call *c, struct run_filter *f, struct error *err) {
    struct str state_name = jsonx_str(c->query, "state"), before_id = jsonx_str(c->query, "before");
    uint64_t before = 0;
    enum run_state state;
    *f = (struct run_filter){.workspace = c->workspace->id, .state = -1};
    f->limit = (int)jsonx_int(c->query, "limit", LIMIT_STANDARD);
    f->flow = jsonx_str(c->query, "flow");
    f->histories = jsonx_bool(c->query, "detail", false);
    if (state_name.ptr && run_state_parse(state_name, &state))
        f->state = (int)state;
    if (before_id.ptr && !run_id_parse(before_id, &before))
        return error_set(err, ERR_INVALID, "`before` is no run's id");
    int64_t from = jsonx_int(c->query, "from", 0), to = jsonx_int(c->query, "to", 0);
    f->text = jsonx_str(c->query, "text");
    f->from_id = (int64_t)run_id_at(from);
    f->before_id = (int64_t)(to && (!before || run_id_at(to) < before) ? run_id_at(to) : before);
    return true;
}

struct list {
    json_t *runs;
    bool detail;
    size_t bytes; /* of history so far */
};

static bool add_row(void *arg, const struct run_row *row) {
    struct list *l = arg;
    json_array_append_new(l->runs, l->detail ? whole_json(row) : row_json(row));
    l->bytes += row->history.len;
    return l->bytes <= DETAILS_MAX;
}

static bool list_work(struct store_tx *tx, void *arg, struct error *err) {
    struct api_call *c = arg;
    const struct run_filter *filter = c->own;
    struct list l = {.runs = json_array(), .detail = filter->histories};
    int64_t next;
    c->result = json_pack("{s:o}", "runs", l.runs);
    if (!tx_run_list(tx, filter, add_row, &l, &next, err))
        return false;
    if (next)
        json_object_set_new(c->result, "next", id_json(next));
    return true;
}

static void list(struct api_call *c) {
    struct run_filter *f = arena_alloc(c->arena, sizeof *f);
    struct error err;
    if (!api_workspace(c))
        return;
    c->own = f;
    if (read_query(c, f, &err))
        api_read(c, list_work);
    else
        api_fail(c, &err);
}

/* ---- one ---- */

static bool parse_id(const struct api_call *c, uint64_t *id, struct error *err) {
    return run_id_parse(c->parameters[1], id) ||
           error_set(err, ERR_NOT_FOUND, "`" STR_FMT "` is no run's id: 14 hex digits", STR_ARG(c->parameters[1]));
}

static bool get_work(struct store_tx *tx, void *arg, struct error *err) {
    struct api_call *c = arg;
    struct arena arena;
    struct run_row row;
    uint64_t id;
    arena_init(&arena);
    bool ok = parse_id(c, &id, err) && tx_run_get(tx, c->workspace->id, (int64_t)id, &row, &arena, err);
    if (ok)
        c->result = whole_json(&row);
    arena_release(&arena);
    return ok;
}

/* A run that is not durable is stored when it is over: until then all there is to tell is that it goes on. */
static bool answer_open(struct api_call *c) {
    uint64_t id;
    struct error err;
    if (!parse_id(c, &id, &err) || !runs_is_open(c->api->env.runs, id))
        return false;
    c->result = json_pack("{s:o, s:s, s:n}", "id", id_json((int64_t)id), "state", "running", "history");
    return true;
}

static void on_got(void *arg, const struct error *err) {
    struct api_call *c = arg;
    json_t *result = c->result;
    c->result = NULL;
    if (err && err->code == ERR_NOT_FOUND && answer_open(c)) {
        err = NULL;
        result = c->result;
    }
    if (err)
        api_fail(c, err);
    else
        api_answer(c, 200, result);
}

static void get(struct api_call *c) {
    if (api_workspace(c))
        store_read(c->api->env.store, get_work, on_got, c);
}

static void cancel(struct api_call *c) {
    uint64_t id;
    struct error err;
    if (!api_workspace(c))
        return;
    if (parse_id(c, &id, &err) && runs_cancel(c->api->env.runs, id, &err))
        api_answer(c, 202, json_pack("{s:o}", "id", id_json((int64_t)id)));
    else
        api_fail(c, &err);
}

/* ---- the rows ---- */

static const struct shape state_shape = {
    .kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("accepted", "running", "waiting", "done", "failed", "canceled")};
static const struct shape history = {.kind = SHAPE_MAP, .ref = "History", .item = &shape_json, .or_null = true};
#define RUN_KEYS                                                                                                                 \
    {"id", &shape_text, true, "14 hex digits, ordered by time"}, {"flow", &shape_text, false, "its id"},                         \
        {"state", &state_shape, true, "how far it is"}, {"mode", &api_mode, false, "that it was accepted in"},                   \
        {"durable", &shape_bool, false, "whether it survives a restart"}, {"trigger", &shape_text, false, "what started it"},    \
        {"test", &shape_bool, false, "whether it is a test run"}, {"repeats", &shape_text, false, "the run that it repeats"},    \
        {"release", &api_number, false, "that it is bound to"}, {"started_ms", &api_time_or_null, false, "when"},                \
        {"ended_ms", &api_time_or_null, false, "when; null: not yet"}, {                                                         \
        "error", &api_text_or_null, false, "why it failed"                                                                       \
    }
static const struct shape run_shape = {
    .kind = SHAPE_OBJECT,
    .ref = "Run",
    .keys = SHAPE_KEYS(
        RUN_KEYS, {"history", &history, false,
                   "its blocks (path, name, pin, t, ms, input, output, error, attempts), logs (path, level, text, t) and effects "
                   "(id, op, about, t, ms, attempts, captured, error); null while it runs"}),
};
static const struct shape run_list = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"runs", &(const struct shape){.kind = SHAPE_LIST, .item = &run_shape, .max = LIMIT_MAX}, true, "a page"},
                       {"next", &shape_text, false, "`before` of the next page; left out: there is none"}),
};
static const struct shape canceled = {.kind = SHAPE_OBJECT, .keys = SHAPE_KEYS({"id", &shape_text, true, "of the run"})};
static const struct shape text_shape = {.kind = SHAPE_STRING, .min = 1, .max = 200};
static const struct shape limit_shape = {.kind = SHAPE_INT, .min = 1, .max = LIMIT_MAX};
static const struct api_route routes[] = {
    {.method = "GET",
     .path = API_WORKSPACE "/runs",
     .permission = PERMISSION_RUNS_READ,
     .name = "listRuns",
     .about = "The workspace's runs, newest first. One that is not durable is listed within 0.2 s after its end.",
     .query = SHAPE_KEYS({"flow", &shape_text, false, "of this flow"}, {"state", &state_shape, false, "in this state"},
                         {"text", &text_shape, false,
                          "that have this in the names, inputs, outputs, errors, logs and effects that are kept of them, ASCII "
                          "letters in either case; a page may then hold less than `limit`, and yet have a `next`"},
                         {"from", &api_time, false, "accepted at this time or later"},
                         {"to", &api_time, false, "accepted before this time"},
                         {"before", &api_cursor, false, "those before this run: `next` of the page before"},
                         {"limit", &limit_shape, false, "how many at most (100)"},
                         {"detail", &shape_bool, false, "true: with each one's history"}),
     .answers = API_ANSWERS({200, &run_list, "a page"}),
     .run = list},
    {.method = "GET",
     .path = API_WORKSPACE "/runs/{run}",
     .permission = PERMISSION_RUNS_READ,
     .name = "getRun",
     .about = "One run, with what each of its blocks got, gave and did.",
     .answers = API_ANSWERS({200, &run_shape, "as it is now"}),
     .run = get},
    {.method = "POST",
     .path = API_WORKSPACE "/runs/{run}/cancel",
     .permission = PERMISSION_RUNS_WRITE,
     .name = "cancelRun",
     .about = "Ends it: what is under way is stopped, and nothing more starts.",
     .answers = API_ANSWERS({202, &canceled, "it is being ended"}),
     .run = cancel},
};
const struct api_resource api_resource_runs = API_RESOURCE("Runs", routes);
