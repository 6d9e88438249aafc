/* ending.c — answers, the end, history. */
#include "base/clock.h"
#include "base/log.h"
#include "run/letter.h"
#include "run/links.h"
#include "run/run.h"
#include "store/keys.h"

/* ---- answers ---- */

void run_answer_now(struct run *r, int status, const json_t *headers, struct str body) {
    void (*answered)(void *, const struct run_answer *) = r->on_answered;
    if (r->runs->followers)
        followers_tell(r->runs, &(struct run_answer){.run = r->id, .status = status, .headers = headers, .body = body}, false);
    if (r->letter)
        letter_answered(r->letter, status, body);
    if (r->answered)
        return;
    r->answered = true;
    r->on_answered = NULL;
    if (answered)
        answered(r->arg, &(struct run_answer){.run = r->id, .status = status, .headers = headers, .body = body});
}

/* problem+json (RFC 9457) without internals: what went wrong inside is in the run's record. */
static int write_problem(const struct run *r, const struct error *err, json_t **headers, struct buf *body) {
    char id[RUN_ID_TEXT];
    int status = error_http_status(err->code);
    run_id_write(r->id, id);
    json_t *problem = json_pack("{s:s,s:s,s:i,s:s,s:s}", "type", "about:blank", "title", error_general(err->code), "status",
                                status, "code", error_name(err->code), "run", id);
    if (status < 500 || status == 503)
        json_object_set_new(problem, "detail", jsonx_from_str(str_from(err->text)));
    *headers = json_pack("[[ss]]", "Content-Type", "application/problem+json");
    if (status == 503)
        json_array_append_new(*headers, json_pack("[ss]", "Retry-After", "2"));
    jsonx_write(problem, body);
    json_decref(problem);
    return status;
}

void run_answer_problem(struct run *r, const struct error *err) {
    json_t *headers;
    struct buf body;
    if (r->answered && !r->runs->followers)
        return;
    buf_init(&body, 4096);
    int status = write_problem(r, err, &headers, &body);
    run_answer_now(r, status, headers, buf_str(&body));
    buf_release(&body);
    json_decref(headers);
}

/* A durable run's answer leaves once `responded` is committed (semantics 21). */
struct respond {
    struct journal_work work;
    struct runs *runs;
    uint64_t run;
    int status;
    json_t *headers;
    char *body;
    size_t body_len;
    struct buf kept; /* sealed; for retries with the caller's key */
};

static bool respond_work(struct store_tx *tx, void *arg, struct error *err) {
    const struct respond *p = container_of((struct journal_work *)arg, struct respond, work);
    return tx_key_answer(tx, (int64_t)p->run, p->status, buf_str(&p->kept), err);
}

static void on_respond_committed(struct journal_work *w, const struct error *err) {
    struct respond *p = container_of(w, struct respond, work);
    struct run *r = runs_find(p->runs, p->run);
    if (r && !err)
        run_answer_now(r, p->status, p->headers, str_of(p->body, p->body_len));
    json_decref(p->headers);
    buf_release(&p->kept);
    free(p->body);
    free(p);
}

void run_responded(struct run *r, struct str payload) {
    struct str text, body = {NULL, 0};
    struct error err;
    json_t *head = frame_take_section(&payload, &text) ? jsonx_parse(text, &err) : NULL;
    if (payload.len && !frame_take_section(&payload, &body))
        body = (struct str){NULL, 0};
    int status = (int)jsonx_int(head, "status", 200);
    if (r->durable && (!r->answered || r->keeps_answer)) {
        struct respond *p = mem_alloc(sizeof *p);
        *p = (struct respond){.work = {.done = on_respond_committed},
                              .runs = r->runs,
                              .run = r->id,
                              .status = status,
                              .headers = json_incref(json_object_get(head, "headers")),
                              .body = str_dup(body),
                              .body_len = body.len};
        buf_init(&p->kept, KEY_ANSWER_MAX + 1024);
        if (r->keeps_answer) {
            key_seal_answer(r, p->headers, body, &p->kept);
            p->work.work = respond_work;
            r->keeps_answer = false;
        }
        json_t *record = json_pack("{s:s}", "r", "responded");
        journal_record(r, record);
        json_decref(record);
        journal_commit(r, &p->work);
    } else {
        run_answer_now(r, status, json_object_get(head, "headers"), body);
    }
    json_decref(head);
}

/* ---- history ---- */

/* Of those that are sampled, the run's number says whether it is one: the same one whoever asks, in no rhythm. */
static bool keeps_bodies(const struct run *r, enum run_state state) {
    bool sampled = state != RUN_DONE || (r->id * 0x9e3779b97f4a7c15u >> 32) % 10 == 0;
    return r->flow->bodies == BODIES_KEEP || (r->flow->bodies == BODIES_SAMPLE && sampled);
}

/* The same history without what its blocks got and gave. Not what it should be: nothing. */
static struct str drop_bodies(struct str told, struct buf *out) {
    struct error err;
    json_t *history = jsonx_parse(told, &err), *block;
    size_t i;
    json_array_foreach(json_object_get(history, "blocks"), i, block) {
        json_object_del(block, "input");
        json_object_del(block, "output");
        json_object_del(block, "response");
        json_object_del(json_object_get(block, "error"), "cause");
    }
    json_object_set_new(history, "bodies", json_string("dropped"));
    bool ok = history && jsonx_write(history, out);
    json_decref(history);
    return ok ? buf_str(out) : STR("{\"blocks\":[],\"bodies\":\"dropped\"}");
}

/* The worker's part and the effects, masked. The worker is not trusted: what is no object is left out. */
static void make_history(const struct run *r, enum run_state state, struct str told, struct buf *out) {
    struct buf whole, bare;
    buf_init(&bare, RUN_TEXT_MAX);
    buf_init(&whole, RUN_TEXT_MAX);
    if (told.len < 2 || told.len > RUN_HISTORY_MAX || told.ptr[0] != '{' || told.ptr[told.len - 1] != '}')
        told = STR("{\"blocks\":[]}");
    if (!keeps_bodies(r, state))
        told = drop_bodies(told, &bare);
    if (r->effects) {
        buf_add(&whole, str_of(told.ptr, told.len - 1));
        buf_adds(&whole, told.len > 2 ? ",\"effects\":" : "\"effects\":");
        jsonx_write(r->effects, &whole);
        buf_addc(&whole, '}');
        told = buf_str(&whole);
    }
    if (!vault_mask_json(workspace_vault(r->workspace, r->mode), told, out))
        buf_add(out, told);
    if (r->durable)
        links_mask(buf_str(out));
    buf_release(&whole);
    buf_release(&bare);
}

/* ---- the end ---- */

struct final {
    struct journal_work work;
    struct runs *runs;
    uint64_t run;
    enum run_state state;
    struct error err; /* of the run */
    struct buf history;
    json_t *output;
    bool answers; /* with: */
    int status;
    json_t *headers;
    char *body;
    size_t body_len;
    int64_t ended_ms;
    bool keeps_answer;
    struct buf kept; /* sealed */
};

static void final_free(struct final *f) {
    buf_release(&f->history);
    buf_release(&f->kept);
    json_decref(f->output);
    json_decref(f->headers);
    free(f->body);
    free(f);
}

static struct str error_text(const struct final *f) { return f->err.code ? str_from(f->err.text) : (struct str){NULL, 0}; }

static bool end_work(struct store_tx *tx, void *arg, struct error *err) {
    struct final *f = container_of((struct journal_work *)arg, struct final, work);
    return tx_run_end(tx, (int64_t)f->run, f->state, f->ended_ms, error_text(f), buf_str(&f->history), err) &&
           (!f->keeps_answer || tx_key_answer(tx, (int64_t)f->run, f->status, buf_str(&f->kept), err));
}

/* Tells everybody, and lets go of the run. */
static void finish(struct run *r, struct final *f) {
    struct runs *rs = r->runs;
    const char *kind = run_state_name(f->state);
    rs->counts.done += f->state == RUN_DONE;
    rs->counts.failed += f->state == RUN_FAILED;
    rs->counts.canceled += f->state == RUN_CANCELED;
    if (f->state == RUN_FAILED)
        log_warn("run", "run=%014llx flow=%s state=failed error=%s", (unsigned long long)r->id, r->flow->id.ptr,
                 log_quote(error_text(f)));
    events_add(rs->events, r, kind, (struct str){NULL, 0}, error_text(f));
    if (f->answers)
        run_answer_now(r, f->status, f->headers, str_of(f->body, f->body_len));
    else if (f->err.code)
        run_answer_problem(r, &f->err);
    else
        run_answer_now(r, 204, NULL, (struct str){NULL, 0});
    if (r->on_ended)
        r->on_ended(r->arg, &(struct run_end){.run = r->id,
                                              .state = f->state,
                                              .output = f->output,
                                              .error = f->err.code ? &f->err : NULL,
                                              .history = buf_str(&f->history)});
    run_free(r);
}

static void on_end_committed(struct journal_work *w, const struct error *err) {
    struct final *f = container_of(w, struct final, work);
    struct run *r = runs_find(f->runs, f->run);
    if (r && !err)
        finish(r, f);
    final_free(f); /* with err the run is stalled, and comes to its end again */
}

static void record(struct run *r, struct final *f) {
    struct run_row row = {.id = (int64_t)r->id,
                          .workspace = r->workspace->id,
                          .release = r->release->id,
                          .flow = r->flow->id,
                          .state = f->state,
                          .mode = r->mode,
                          .trigger = str_from(r->trigger),
                          .started_ms = r->started_ms,
                          .ended_ms = f->ended_ms,
                          .error = error_text(f),
                          .history = buf_str(&f->history)};
    store_record_run(r->runs->env.store, &row);
    r->runs->counts.recorded++;
}

/* What it answers is to be kept, whatever that is. */
static void keep_answer(struct run *r, struct final *f) {
    struct buf problem;
    buf_init(&problem, 4096);
    if (!f->answers && f->err.code) {
        f->status = write_problem(r, &f->err, &f->headers, &problem);
        f->body_len = problem.len;
        f->body = buf_take(&problem);
    } else if (!f->answers) {
        f->status = 204;
    }
    f->answers = f->keeps_answer = true;
    key_seal_answer(r, f->headers, str_of(f->body, f->body_len), &f->kept);
    buf_release(&problem);
}

static void end(struct run *r, struct final *f) {
    run_detach(r, f->state != RUN_DONE);
    if (r->durable && r->phase != PHASE_PREPARING) {
        if (r->keeps_answer)
            keep_answer(r, f);
        r->phase = PHASE_ENDING;
        f->work = (struct journal_work){.work = end_work, .done = on_end_committed};
        journal_commit(r, &f->work);
    } else {
        record(r, f);
        finish(r, f);
        final_free(f);
    }
}

static struct final *final_new(struct run *r, enum run_state state) {
    struct final *f = mem_alloc(sizeof *f);
    *f = (struct final){.runs = r->runs, .run = r->id, .state = state, .ended_ms = clock_now_ms()};
    buf_init(&f->history, RUN_TEXT_MAX);
    buf_init(&f->kept, KEY_ANSWER_MAX + 1024);
    return f;
}

/* "Failed in Create incident: 429 from ..." in one sentence, masked. */
static void error_from_worker(const struct run *r, const json_t *told, struct error *err) {
    struct str block = jsonx_str(told, "block"), message = jsonx_str(told, "message"), code = jsonx_str(told, "code");
    char name[40];
    snprintf(name, sizeof name, STR_FMT, (int)(code.len > 39 ? 39 : code.len), code.ptr ? code.ptr : "");
    struct buf masked;
    buf_init(&masked, RUN_TEXT_MAX);
    if (message.len && vault_mask(workspace_vault(r->workspace, r->mode), message, &masked))
        message = buf_str(&masked);
    error_set(err, error_from_name(name), STR_FMT "%s" STR_FMT, STR_ARG(block), block.len ? ": " : "", STR_ARG(message));
    buf_release(&masked);
}

/* To be read only: the next run may get the same one. NULL: it is no JSON. */
static json_t *parse_head(struct runs *rs, struct str text) {
    struct error err;
    if (rs->said_json && str_eq(text, buf_str(&rs->said)))
        return json_incref(rs->said_json);
    json_t *head = jsonx_parse(text, &err);
    if (head && text.len <= RUN_SAID_MAX) {
        buf_clear(&rs->said);
        buf_add(&rs->said, text);
        json_decref(rs->said_json);
        rs->said_json = json_incref(head);
    }
    return head;
}

void run_finished(struct run *r, struct str payload) {
    struct str text, body = {NULL, 0}, history = {NULL, 0};
    json_t *head = frame_take_section(&payload, &text) ? parse_head(r->runs, text) : NULL;
    if (payload.len && !(frame_take_section(&payload, &body) && frame_take_section(&payload, &history)))
        body = history = (struct str){NULL, 0};
    struct final *f = final_new(r, str_is(jsonx_str(head, "state"), "done") ? RUN_DONE : RUN_FAILED);
    const json_t *answer = json_object_get(head, "answer");
    if (f->state == RUN_FAILED && r->stopped && r->stopped->code == ERR_CANCELED) {
        f->state = RUN_CANCELED;
        f->err = *r->stopped;
        answer = NULL;
    } else if (f->state == RUN_FAILED) {
        error_from_worker(r, json_object_get(head, "error"), &f->err);
    }
    if (f->err.code == ERR_RUN_CPU || f->err.code == ERR_RUN_MEMORY)
        run_set_apart(r);
    if (json_is_object(answer)) {
        f->answers = true;
        f->status = (int)jsonx_int(answer, "status", 200);
        f->headers = json_incref(json_object_get(answer, "headers"));
        f->body = str_dup(body);
        f->body_len = body.len;
    }
    f->output = json_incref(json_object_get(head, "output"));
    make_history(r, f->state, history, &f->history);
    json_decref(head);
    end(r, f);
}

static void end_by_server(struct run *r, enum run_state state, const struct error *err) {
    struct final *f = final_new(r, state);
    f->err = *err;
    make_history(r, state, (struct str){NULL, 0}, &f->history);
    end(r, f);
}

/* A worker that did not give the history of a run that is canceled: it is canceled all the same. */
void run_fail(struct run *r, const struct error *err) {
    end_by_server(r, err->code == ERR_CANCELED ? RUN_CANCELED : RUN_FAILED, err);
}

void run_end_canceled(struct run *r) {
    struct error err;
    error_set(&err, ERR_CANCELED, RUN_CANCELED_TEXT);
    end_by_server(r, RUN_CANCELED, &err);
}
