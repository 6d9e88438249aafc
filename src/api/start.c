/* start.c — starting a run for a caller of the API, who is told when it is stored, or with wait=true when it is over. */
#include "api/call.h"

/* A run whose caller waits: for its end, or only until it is stored. It may outlive the call: a shutdown does not wait for it. */
struct api_started {
    struct api *api;
    struct api_call *call; /* NULL: answered already */
    uint64_t run;
    json_t *answer; /* what an endpoint's caller would get; owned, NULL: nothing yet */
    bool tells;     /* its history too */
    struct api_started *next;
};

static json_t *run_json(uint64_t run, const char *state) {
    char id[RUN_ID_TEXT];
    run_id_write(run, id);
    return json_pack("{s:s, s:s}", "run", id, "state", state);
}

static void started_free(struct api_started *s) {
    struct api_started **at = &s->api->started;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    json_decref(s->answer);
    free(s);
}

static void on_answered(void *arg, const struct run_answer *a) {
    struct api_started *s = arg;
    s->answer = json_pack("{s:i, s:O?, s:o}", "status", a->status, "headers", a->headers, "body", jsonx_from_str(a->body));
}

/* Stored, or refused with a problem. */
static void on_accepted(void *arg, const struct run_answer *a) {
    struct api_started *s = arg;
    if (s->call && a->status == 202)
        api_answer(s->call, 202, run_json(a->run, "accepted"));
    else if (s->call)
        api_answer_text(s->call, a->status, "application/problem+json", a->body);
    started_free(s);
}

/* It is ours, and valid. */
static json_t *history_json(struct str text) {
    struct error err;
    json_t *value = jsonx_parse(text, &err);
    return value ? value : json_null();
}

static void on_ended(void *arg, const struct run_end *end) {
    struct api_started *s = arg;
    if (s->call) {
        json_t *value = run_json(end->run, run_state_name(end->state));
        if (end->output)
            json_object_set(value, "output", (json_t *)(uintptr_t)end->output);
        if (end->error)
            json_object_set_new(value, "error",
                                json_pack("{s:s, s:o}", "code", error_name(end->error->code), "message",
                                          jsonx_from_str(str_from(end->error->text))));
        if (s->answer)
            json_object_set(value, "answer", s->answer);
        if (s->tells)
            json_object_set_new(value, "history", history_json(end->history));
        api_answer(s->call, 200, value);
    }
    started_free(s);
}

void api_started_release(struct api *a) {
    for (struct api_started *s = a->started; s; s = s->next) {
        if (s->call)
            api_answer(s->call, 202, run_json(s->run, "running"));
        s->call = NULL;
    }
}

void api_started_close(struct api *a) {
    while (a->started)
        started_free(a->started);
}

/* A durable run's caller is never told before it is stored (semantics 21). */
void api_start(struct api_call *c, struct run_start *begin) {
    struct api_started *s = NULL;
    struct error err;
    bool to_end = jsonx_bool(c->query, "wait", false) && !c->api->closing;
    begin->at_once = !to_end;
    if (to_end || (begin->flow->durable && !begin->trial)) {
        s = mem_alloc(sizeof *s);
        *s = (struct api_started){.api = c->api, .call = c, .tells = begin->trial != NULL, .next = c->api->started};
        c->api->started = s;
        begin->answered = !to_end ? on_accepted : begin->flow->type == FLOW_ENDPOINT ? on_answered : NULL;
        begin->ended = to_end ? on_ended : NULL;
        begin->arg = s;
    }
    uint64_t run = runs_start(c->api->env.runs, begin, &err);
    if (s && run) {
        s->run = run;
    } else if (run) {
        api_answer(c, 202, run_json(run, "accepted"));
    } else {
        if (s)
            started_free(s);
        api_fail(c, &err);
    }
}

/* ---- what is told ---- */

static const struct shape failure = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"code", &shape_text, true, "for programs"}, {"message", &shape_text, true, "a sentence"})};
static const struct shape endpoint_answer = {.kind = SHAPE_OBJECT,
                                             .keys = SHAPE_KEYS({"status", &api_number, true, "of HTTP"},
                                                                {"headers", &shape_json, false, "its fields"},
                                                                {"body", &shape_text, true, "as text"})};
const struct shape api_started_shape = {
    .kind = SHAPE_OBJECT,
    .ref = "Started",
    .keys = SHAPE_KEYS({"run", &shape_text, true, "its id"},
                       {"state", &shape_text, true, "accepted, running; with wait=true done, failed, canceled"},
                       {"output", &shape_json, false, "what it ended with"}, {"error", &failure, false, "why it failed"},
                       {"answer", &endpoint_answer, false, "what an endpoint's caller would have got"},
                       {"history", &shape_json, false, "of a test run: as GET of the run gives it"}),
};
