/* again.c — running a run again: what is possible, and doing it (run/again.h). */
#include "run/again.h"

#include "api/call.h"

struct again_call {
    uint64_t run;
    int64_t newest; /* release, when the call came */
    char mode;
    struct str flow;
    bool test;
    struct arena arena; /* the store's texts: a work touches nothing of the request */
    json_t *history, *before, *now;
};

static void release(void *arg) {
    struct again_call *g = arg;
    json_decref(g->history);
    json_decref(g->before);
    json_decref(g->now);
    arena_release(&g->arena);
}

/* A flow's document as it was published. *out stays NULL where there is none. */
static bool read_document(struct store_tx *tx, int64_t workspace, int64_t of, struct str flow, json_t **out, struct error *err) {
    struct buf files;
    struct error ignored;
    char path[200];
    buf_init(&files, RELEASE_BLOB_MAX);
    bool ok = tx_release_get(tx, workspace, of, &files, NULL, err) || err->code == ERR_NOT_FOUND;
    json_t *folder = ok ? jsonx_parse(buf_str(&files), &ignored) : NULL;
    snprintf(path, sizeof path, "flows/" STR_FMT ".json", STR_ARG(flow));
    struct str text = jsonx_str(folder, path);
    *out = text.len ? jsonx_parse(text, &ignored) : NULL;
    json_decref(folder);
    buf_release(&files);
    return ok;
}

static bool read_work(struct store_tx *tx, void *arg, struct error *err) {
    struct api_call *c = arg;
    struct again_call *g = c->own;
    struct run_row row;
    struct error ignored;
    int64_t workspace = c->workspace->id;
    if (!tx_run_get(tx, workspace, (int64_t)g->run, &row, &g->arena, err))
        return false;
    g->flow = row.flow;
    g->mode = row.mode;
    g->test = str_starts(row.trigger, STR("test"));
    g->history = row.history.len ? jsonx_parse(row.history, &ignored) : NULL;
    return read_document(tx, workspace, row.release, row.flow, &g->before, err) &&
           read_document(tx, workspace, g->newest, row.flow, &g->now, err);
}

/* False: it was answered. */
static bool read_again(struct api_call *c, struct again *a, const struct error *failed) {
    const struct again_call *g = c->own;
    struct error err;
    struct release *newest = c->workspace->release;
    *a = (struct again){.history = g->history, .before = g->before, .now = g->now, .release = newest, .test = g->test};
    if (failed) {
        api_fail(c, failed);
        return false;
    }
    if (newest->id != g->newest) {
        error_set(&err, ERR_BUSY, "something was published this moment: ask again");
        api_fail(c, &err);
        return false;
    }
    a->flow = release_find_flow(newest, g->flow);
    return true;
}

static json_t *run_json(uint64_t run) {
    char id[RUN_ID_TEXT];
    run_id_write(run, id);
    return json_string(id);
}

static void on_read_list(void *arg, const struct error *err) {
    struct api_call *c = arg;
    const struct again_call *g = c->own;
    struct again a;
    if (!read_again(c, &a, err))
        return;
    json_t *list = again_list(&a);
    json_object_set_new(list, "run", run_json(g->run));
    api_answer(c, 200, list);
}

static void on_read_start(void *arg, const struct error *failed) {
    struct api_call *c = arg;
    const struct again_call *g = c->own;
    struct str from = jsonx_str(c->body, "from");
    struct again a;
    struct error err;
    json_t *input, *repeated;
    char id[RUN_ID_TEXT], trigger[128];
    if (!read_again(c, &a, failed))
        return;
    if (!again_take(&a, from, &input, &repeated, &err)) {
        api_fail(c, &err);
        return;
    }
    run_id_write(g->run, id);
    snprintf(trigger, sizeof trigger, from.len ? "again %s from " STR_FMT : "again %s", id, STR_ARG(from));
    api_start(c, &(struct run_start){.workspace = c->workspace,
                                     .flow = a.flow,
                                     .mode = g->mode,
                                     .input = input,
                                     .repeated = repeated,
                                     .trigger = trigger});
    json_decref(repeated);
}

static void read_run(struct api_call *c, store_done_fn *done) {
    struct again_call *g = arena_alloc(c->arena, sizeof *g);
    struct error err;
    if (!api_published(c))
        return;
    *g = (struct again_call){.newest = c->workspace->release->id};
    arena_init(&g->arena);
    c->own = g;
    arena_defer(c->arena, release, g);
    if (run_id_parse(c->parameters[1], &g->run)) {
        store_read(c->api->env.store, read_work, done, c);
        return;
    }
    error_set(&err, ERR_NOT_FOUND, "`" STR_FMT "` is no run's id: 14 hex digits", STR_ARG(c->parameters[1]));
    api_fail(c, &err);
}

static void list(struct api_call *c) { read_run(c, on_read_list); }
static void start(struct api_call *c) { read_run(c, on_read_start); }

/* ---- the rows ---- */

#define VERDICT_KEYS                                                                                                             \
    {"possible", &shape_bool, true, "whether history has every value that it needs"}, { "reason", &shape_text, false, "why not" }
static const struct shape start_shape = {.kind = SHAPE_OBJECT, .keys = SHAPE_KEYS(VERDICT_KEYS)};
static const struct shape block_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"block", &shape_text, true, "its id"}, {"name", &shape_text, true, "for people"}, VERDICT_KEYS)};
static const struct shape list_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"run", &shape_text, true, "its id"}, {"start", &start_shape, true, "from the start"},
                       {"blocks", &(const struct shape){.kind = SHAPE_LIST, .item = &block_shape, .max = FOLDER_FILES_MAX}, true,
                        "from each block outside of loops"})};
static const struct shape body_shape = {
    .kind = SHAPE_OBJECT, .keys = SHAPE_KEYS({"from", &shape_text, false, "a block's id; without it from the start"})};
static const struct api_route routes[] = {
    {.method = "GET",
     .path = API_WORKSPACE "/runs/{run}/again",
     .permission = PERMISSION_RUNS_READ,
     .name = "listRunAgain",
     .about = "From where the run can be run again: where history has every value that is needed, else the reason.",
     .answers = API_ANSWERS({200, &list_shape, "the start and each block"}),
     .run = list},
    {.method = "POST",
     .path = API_WORKSPACE "/runs/{run}/again",
     .permission = PERMISSION_RUNS_WRITE,
     .name = "runAgain",
     .about = "Starts a new run of the flow as it is published now, in the mode of the old one, with the same input. With `from` "
              "what lies "
              "before that block is taken from the old run's history, and is not run.",
     .query = SHAPE_KEYS({"wait", &shape_bool, false, "true: answered when the run is over"}),
     .body = &body_shape,
     .answers = API_ANSWERS({200, &api_started_shape, "with wait=true: it is over"},
                            {202, &api_started_shape, "it is under way, and stored where the flow is durable"}),
     .errors = "409",
     .run = start},
};
const struct api_resource api_resource_again = API_RESOURCE("Running again", routes);
