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

static json_t *row_json(const struct run_row *row) {
    return json_pack("{s:o, s:o, s:s, s:s, s:b, s:o, s:I, s:o, s:o, s:o}", "id", id_json(row->id), "flow",
                     jsonx_from_str(row->flow), "state", run_state_name(row->state), "mode",
                     row->mode == 'l' ? "live" : "practice", "durable", row->durable, "trigger", jsonx_from_str(row->trigger),
                     "release", (json_int_t)row->release, "started_ms", time_json(row->started_ms), "ended_ms",
                     time_json(row->ended_ms), "error", api_text(row->error));
}

/* Null while it runs. History is kept as text, which is ours and valid. */
static json_t *history_json(struct str text) {
    struct error err;
    json_t *value = text.len ? jsonx_parse(text, &err) : NULL;
    return value ? value : json_null();
}

static bool get_run(struct store_tx *tx, const struct api_call *c, int64_t id, json_t **out, size_t *bytes, struct error *err) {
    struct arena arena;
    struct run_row row;
    arena_init(&arena);
    bool ok = tx_run_get(tx, c->workspace->id, id, &row, &arena, err);
    if (ok) {
        *out = row_json(&row);
        json_object_set_new(*out, "history", history_json(row.history));
        *bytes += row.history.len;
    }
    arena_release(&arena);
    return ok;
}

/* ---- the list ---- */

struct query {
    struct run_filter filter;
    bool detail;
};

static bool read_query(struct api_call *c, struct query *q, struct error *err) {
    struct str text;
    uint64_t before = 0;
    enum run_state state;
    int64_t limit;
    *q = (struct query){.filter = {.workspace = c->workspace->id, .state = -1}};
    if (!api_query_number(c, "limit", 1, LIMIT_MAX, LIMIT_STANDARD, &limit, err) || !api_query_flag(c, "detail", &q->detail, err))
        return false;
    q->filter.limit = (int)limit;
    if (api_query(c, "flow", &text))
        q->filter.flow = text;
    if (api_query(c, "state", &text)) {
        if (!run_state_parse(text, &state))
            return error_set(err, ERR_INVALID, "`state` is none of accepted, running, waiting, done, failed, canceled");
        q->filter.state = (int)state;
    }
    if (api_query(c, "before", &text) && !run_id_parse(text, &before))
        return error_set(err, ERR_INVALID, "`before` is no run's id");
    q->filter.before_id = (int64_t)before;
    return true;
}

static bool add_row(void *arg, const struct run_row *row) {
    json_array_append_new(arg, row_json(row));
    return true;
}

static bool add_details(struct store_tx *tx, struct api_call *c, json_t *list, struct error *err) {
    size_t bytes = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        uint64_t id = 0;
        json_t *run;
        bool known = run_id_parse(jsonx_str(json_array_get(list, i), "id"), &id);
        if (!known || !get_run(tx, c, (int64_t)id, &run, &bytes, err))
            return false;
        json_array_set_new(list, i, run);
        while (bytes > DETAILS_MAX && json_array_size(list) > i + 1)
            json_array_remove(list, json_array_size(list) - 1);
    }
    return true;
}

static bool list_work(struct store_tx *tx, void *arg, struct error *err) {
    struct api_call *c = arg;
    const struct query *q = c->own;
    json_t *list = json_array();
    c->result = json_pack("{s:o}", "runs", list);
    if (!tx_run_list(tx, &q->filter, add_row, list, err))
        return false;
    size_t found = json_array_size(list);
    if (q->detail && !add_details(tx, c, list, err))
        return false;
    size_t kept = json_array_size(list);
    if (kept && (found == (size_t)q->filter.limit || kept < found))
        json_object_set(c->result, "next", json_object_get(json_array_get(list, kept - 1), "id"));
    return true;
}

void api_runs(struct api_call *c) {
    struct query *q = arena_alloc(c->arena, sizeof *q);
    struct error err;
    if (!api_workspace(c))
        return;
    c->own = q;
    if (read_query(c, q, &err))
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
    uint64_t id;
    size_t bytes = 0;
    return parse_id(c, &id, err) && get_run(tx, c, (int64_t)id, &c->result, &bytes, err);
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

void api_run_get(struct api_call *c) {
    if (api_workspace(c))
        store_read(c->api->env.store, get_work, on_got, c);
}

void api_run_cancel(struct api_call *c) {
    uint64_t id;
    struct error err;
    if (!api_workspace(c))
        return;
    if (parse_id(c, &id, &err) && runs_cancel(c->api->env.runs, id, &err))
        api_answer(c, 202, json_pack("{s:o}", "id", id_json((int64_t)id)));
    else
        api_fail(c, &err);
}
