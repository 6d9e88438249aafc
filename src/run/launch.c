/* launch.c — heads, giving runs to workers, accepting durable ones. */
#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"
#include "run/letter.h"
#include "run/links.h"
#include "run/run.h"
#include "store/keys.h"

/* ---- the head (docs/internals.md, section 4) ---- */

static void add_key(struct buf *b, const char *key) {
    buf_addc(b, ',');
    buf_addc(b, '"');
    buf_adds(b, key);
    buf_adds(b, "\":");
}

static void add_text(struct buf *b, const char *key, struct str value) {
    add_key(b, key);
    buf_add_json_string(b, value);
}

static void add_request(struct buf *b, const struct release_flow *flow, const struct run_request *q) {
    if (flow->needs & NEED_METHOD)
        add_text(b, "method", q->method);
    if (flow->needs & NEED_QUERY)
        add_text(b, "query", q->query);
    if (q->parameter_count) {
        add_key(b, "path");
        for (size_t i = 0; i < q->parameter_count; i++) {
            buf_addc(b, i ? ',' : '{');
            buf_add_json_string(b, q->parameters[i].name);
            buf_addc(b, ':');
            buf_add_json_string(b, q->parameters[i].value);
        }
        buf_addc(b, '}');
    }
    if (flow->needs & (NEED_HEADERS | NEED_COOKIES)) {
        add_key(b, "headers");
        buf_addc(b, '[');
        for (size_t i = 0; i < q->header_count; i++) {
            buf_adds(b, i ? ",[" : "[");
            buf_add_json_string(b, q->headers[i].name);
            buf_addc(b, ',');
            buf_add_json_string(b, q->headers[i].value);
            buf_addc(b, ']');
        }
        buf_addc(b, ']');
    }
    if (flow->needs & NEED_CLIENT)
        add_text(b, "client", q->client);
    if (q->content_type.len)
        add_text(b, "type", q->content_type);
}

static void add_settings(struct buf *b, const struct run *r) {
    if (!r->flow->setting_count)
        return;
    add_key(b, "settings");
    for (size_t i = 0; i < r->flow->setting_count; i++) {
        const json_t *value = release_setting_value(r->release, r->flow->settings[i], r->mode);
        buf_addc(b, i ? ',' : '{');
        buf_add_json_string(b, r->flow->settings[i]);
        buf_addc(b, ':');
        if (!value || !jsonx_write(value, b))
            buf_adds(b, "null");
    }
    buf_addc(b, '}');
}

/* Unforgeable from outside, and the same when the run is resumed. */
static void make_nonce(struct run *r) {
    uint8_t hash[crypto_hash_sha256_BYTES], in[40] = "nonce:";
    if (!r->flow->secret_count)
        return;
    memcpy(in + 8, r->seed, sizeof r->seed);
    crypto_hash_sha256(hash, in, sizeof in);
    hex_write(hash, 8, r->nonce);
}

/* What flows.link needs. */
static void add_links(struct buf *b, const struct run *r) {
    char key[LINK_KEY_TEXT];
    link_key_write(r->runs->env.key, r->id, key);
    buf_addf(b, ",\"links\":{\"at\":\"%s" LINKS_PREFIX "%014llx/\",\"key\":\"%s\"}", r->runs->env.links_url,
             (unsigned long long)r->id, key);
}

bool run_build_head(struct run *r, const struct run_request *request, const json_t *input, struct error *err) {
    struct buf *b = &r->head;
    buf_clear(b);
    make_nonce(r);
    buf_room(b, 512); /* for most of them all that follows */
    buf_adds(b, "{\"number\":");
    buf_add_int(b, (int64_t)r->flow->number);
    buf_adds(b, ",\"t\":");
    buf_add_int(b, r->trial ? run_now_ms(r) : r->started_ms);
    if (r->durable) /* it may be read by another process, after a restart */
        buf_addf(b, ",\"flow\":\"%s\",\"mode\":\"%s\",\"durable\":true", r->flow->id.ptr, r->mode == 'l' ? "live" : "practice");
    if (r->keeps_answer)
        buf_adds(b, ",\"keeps_answer\":true");
    if (r->durable || r->flow->draws) {
        char seed[65];
        hex_write(r->seed, sizeof r->seed, seed);
        add_text(b, "seed", str_from(seed));
    }
    if (r->nonce[0])
        add_text(b, "nonce", str_from(r->nonce));
    if (r->durable)
        add_links(b, r);
    if (request)
        add_request(b, r->flow, request);
    if (input) {
        add_key(b, "input");
        jsonx_write(input, b);
    }
    add_settings(b, r);
    buf_addc(b, '}');
    return buf_ok(b) || error_set(err, ERR_TOO_LARGE, "the run's input is larger than %u bytes", RUN_TEXT_MAX);
}

/* ---- giving it to a worker ---- */

static bool send_code(struct worker *w, const struct release_flow *flow) {
    struct str key = map_key(&flow->number);
    if (map_find(worker_flows(w), key))
        return true;
    struct frame_writer f = worker_frame(w, FRAME_FLOW, flow->number);
    frame_section(&f, flow->id);
    frame_section(&f, flow->plan);
    for (size_t i = 0; i < flow->unit_count; i++) {
        frame_section(&f, flow->units[i].key);
        frame_section(&f, flow->units[i].text);
    }
    if (!worker_send(w, &f))
        return false;
    map_set(worker_flows(w), key, (void *)1);
    return true;
}

static bool send_all_code(struct worker *w, const struct run *r) {
    for (size_t i = 0; i < r->flow->call_count; i++)
        if (!send_code(w, &r->release->flows[r->flow->calls[i]]))
            return false;
    return send_code(w, r->flow);
}

static bool send_start(struct run *r, bool prepare) {
    struct frame_writer f = worker_frame(r->worker, prepare ? FRAME_PREPARE : FRAME_START, r->id);
    frame_section(&f, buf_str(&r->head));
    frame_section(&f, buf_str(&r->body));
    if (!prepare)
        frame_section(&f, buf_str(&r->replay));
    if (!worker_send(r->worker, &f))
        return false;
    for (size_t i = 0; i < r->result_count; i++) {
        f = worker_frame(r->worker, FRAME_RESULT, r->id);
        frame_section(&f, r->results[i]);
        if (!worker_send(r->worker, &f))
            return false;
    }
    return true;
}

/* A durable run whose request was not parsed yet has to be prepared first. */
static bool is_prepared(const struct run *r) { return !r->durable || r->phase != PHASE_PREPARING; }

/* Such runs leave room for those whose callers do. */
static bool nobody_waits(const struct run *r) { return !r->on_answered && !r->on_ended; }

static bool try_give(struct run *r) {
    struct runs *rs = r->runs;
    struct worker *w = (run_is_apart(r) ? pool_pick_alone : pool_pick)(rs->env.pool, r->workspace->name);
    if (!w || (nobody_waits(r) && worker_is_behind(w)))
        return false;
    r->worker = w;
    worker_run_added(w);
    bool prepare = !is_prepared(r);
    if (!send_all_code(w, r) || (!prepare && !run_watch_begin(r)) || !send_start(r, prepare)) {
        struct error err;
        error_set(&err, ERR_TOO_LARGE, "the run's input, journal or code is larger than %d bytes", FRAME_JOINED_MAX);
        run_fail(r, &err);
        return true;
    }
    if (!prepare) {
        r->phase = PHASE_RUNNING;
        run_limit_update(r);
    }
    return true;
}

#define GIVE_MS 20 /* at the latest: workers say when they are ready, but not when they have time again */

static void enqueue(struct runs *rs, struct run *r) {
    r->in_queue = true;
    r->next_queued = NULL;
    *rs->queue_last = r;
    rs->queue_last = &r->next_queued;
}

/* PREPARING stays PREPARING in the queue: the phase says what is to be sent. */
void run_give(struct run *r) {
    if (try_give(r))
        return;
    if (is_prepared(r))
        r->phase = PHASE_QUEUED;
    enqueue(r->runs, r);
    timer_start(&r->runs->give, GIVE_MS);
}

void runs_give_queued(struct runs *rs) {
    struct run *r = rs->queued;
    rs->queued = NULL;
    rs->queue_last = &rs->queued;
    while (r) {
        struct run *next = r->next_queued;
        r->in_queue = false;
        if (!try_give(r))
            enqueue(rs, r);
        r = next;
    }
    if (rs->queued)
        timer_start(&rs->give, GIVE_MS);
}

/* ---- starting ---- */

/* Half of the places are for those whose callers wait. */
static bool may_start(const struct runs *rs, bool waits, struct error *err) {
    size_t most = waits ? rs->env.max_runs : rs->env.max_runs / 2;
    if (rs->draining)
        return error_set(err, ERR_BUSY, "the server is shutting down");
    if (rs->open.count >= most)
        return error_set(err, ERR_BUSY, "%zu runs are under way, which is as many as may be", rs->open.count);
    if (store_is_behind(rs->env.store))
        return error_set(err, ERR_BUSY, "the store cannot keep up with recording");
    return true;
}

/* What an earlier run had is given to the worker as a past of this one (journal.ts). */
static bool add_repeated(struct run *r, const json_t *repeated, struct error *err) {
    json_t *past = json_pack("{s:O, s:{}, s:[]}", "ends", repeated, "begins", "dones");
    bool ok = jsonx_write(past, &r->replay);
    json_decref(past);
    return ok || error_set(err, ERR_TOO_LARGE, "what is repeated is larger than %d bytes", FRAME_JOINED_MAX);
}

/* Of a durable run it stands in the journal, in the commit that accepts it: what a turn hands over is stored together. */
static void record_repeated(struct run *r, const json_t *repeated) {
    const char *path;
    json_t *end;
    json_object_foreach((json_t *)(uintptr_t)repeated, path, end) {
        json_t *record = json_pack("{s:s, s:s}", "r", "end", "path", path);
        json_object_update(record, end);
        journal_record(r, record);
        json_decref(record);
    }
    if (repeated)
        journal_commit(r, NULL);
}

uint64_t runs_start(struct runs *rs, struct run_start *s, struct error *err) {
    struct workspace *w = s->workspace;
    if (!may_start(rs, s->answered || s->ended, err)) {
        json_decref(s->input);
        trial_unref(s->trial);
        return 0;
    }
    struct run *r = run_new(rs, w, s->release ? s->release : w->release, s->flow, s->mode ? s->mode : w->mode);
    r->id = runs_next_id(rs);
    r->started_ms = clock_now_ms();
    r->durable = s->flow->durable && !s->trial;
    r->trial = s->trial;
    r->watched = s->trial != NULL;
    r->trigger = mem_strdup(s->trigger);
    r->at_once = s->flow->at_once || s->at_once;
    r->on_answered = s->answered;
    r->on_ended = s->ended;
    r->arg = s->arg;
    if (s->seed)
        memcpy(r->seed, s->seed, sizeof r->seed);
    else
        runs_random(rs, r->seed, sizeof r->seed);
    map_set(&rs->open, map_key(&r->id), r);
    if (s->request)
        buf_add(&r->body, s->request->body);
    if (s->request && s->idempotency_key.len) {
        r->key = run_key_new(s->request, s->idempotency_key);
        r->keeps_answer = !r->at_once;
    }
    json_t *input = s->request ? NULL : s->input ? s->input : json_object();
    bool ok = run_build_head(r, s->request, input, err) && (!s->repeated || add_repeated(r, s->repeated, err));
    json_decref(input);
    if (!ok || !buf_ok(&r->body)) {
        if (ok)
            error_set(err, ERR_TOO_LARGE, "the body is larger than %d bytes", FRAME_JOINED_MAX);
        run_free(r);
        return 0;
    }
    uint64_t id = r->id;
    r->letter = s->letter;
    r->is_replay = s->replay;
    rs->counts.accepted++;
    if (r->durable && !s->request) {
        run_accept(r, (struct str){NULL, 0}, s->cron_instant_ms);
        record_repeated(r, s->repeated);
    } else {
        r->phase = r->durable ? PHASE_PREPARING : PHASE_QUEUED;
        run_give(r);
    }
    return id;
}

/* ---- durable: prepared, accepted ---- */

void run_prepared(struct run *r, struct str payload) {
    struct str text, body = {NULL, 0};
    struct error err;
    json_t *said = frame_take_section(&payload, &text) ? jsonx_parse(text, &err) : NULL;
    if (payload.len && !frame_take_section(&payload, &body))
        body = (struct str){NULL, 0};
    run_detach(r, false);
    const json_t *answer = json_object_get(said, "answer"), *input = json_object_get(said, "input");
    if (json_is_object(answer)) { /* refused: it never was a run */
        run_answer_now(r, (int)jsonx_int(answer, "status", 400), json_object_get(answer, "headers"), body);
        run_free(r);
    } else if (json_is_object(input)) {
        buf_clear(&r->body);
        if (run_build_head(r, NULL, input, &err))
            run_accept(r, r->is_replay ? (struct str){NULL, 0} : jsonx_str(said, "deduplicate"), 0);
        else
            run_fail(r, &err);
    } else {
        error_set(&err, ERR_INTERNAL, "the request could not be prepared");
        run_answer_problem(r, &err);
        run_free(r);
    }
    json_decref(said);
}

static struct str context_of(const struct run *r, char *text, size_t size) {
    int n = snprintf(text, size, "run/%014llx", (unsigned long long)r->id);
    return str_of(text, (size_t)n);
}

void run_accepted_row(const struct run *r, struct run_row *row, struct buf *sealed) {
    char context[32];
    bool ok = seal(r->runs->env.key, context_of(r, context, sizeof context), buf_str(&r->head), sealed);
    ENSURE(ok); /* sealed has room for what head may hold */
    *row = (struct run_row){.id = (int64_t)r->id,
                            .workspace = r->workspace->id,
                            .release = r->release->id,
                            .flow = r->flow->id,
                            .state = RUN_ACCEPTED,
                            .mode = r->mode,
                            .durable = true,
                            .trigger = str_from(r->trigger),
                            .started_ms = r->started_ms,
                            .accepted = buf_str(sealed)};
}

struct accept {
    struct runs *rs;
    uint64_t run;
    struct run_row row; /* its texts stand in the run, which waits */
    struct buf sealed;
    char *delivery;
    size_t delivery_len;
    int64_t cron_instant_ms;
    int64_t first;         /* who has handled this delivery */
    struct letter *letter; /* owned, or NULL */
    struct key_row key;    /* key empty: the caller gave none */
    struct arena arena;
    bool fresh;
};

/* The caller's key was claimed before. */
static bool is_repeated(const struct accept *a) { return a->key.key.len && a->key.run != a->first; }

static bool accept_work(struct store_tx *tx, void *arg, struct error *err) {
    struct accept *a = arg;
    const struct run_row *row = &a->row;
    a->first = row->id;
    a->fresh = true;
    if (a->delivery && !tx_delivery_claim(tx, row->workspace, row->mode, row->flow, str_of(a->delivery, a->delivery_len), row->id,
                                          row->started_ms, &a->first, err))
        return false;
    if (a->cron_instant_ms &&
        !tx_cron_fire(tx, row->workspace, row->flow, a->cron_instant_ms, row->id, row->started_ms, &a->fresh, err))
        return false;
    if (a->key.key.len) {
        a->key.run = a->first;
        if (!tx_key_claim(tx, &a->key, &a->arena, err))
            return false;
    }
    bool duplicate = a->first != row->id || !a->fresh, repeated = is_repeated(a);
    const char *outcome = repeated ? "repeated" : duplicate ? "duplicate" : "accepted";
    if (a->letter && !letter_write(tx, a->letter, outcome, repeated ? a->key.run : a->first, err))
        return false;
    return duplicate || repeated || tx_run_put(tx, row, err);
}

void run_answer_accepted(struct run *r, uint64_t run, bool duplicate) {
    char id[RUN_ID_TEXT], body[80];
    run_id_write(run, id);
    int n = snprintf(body, sizeof body, "{\"run\":\"%s\"%s}\n", id, duplicate ? ",\"duplicate\":true" : "");
    json_t *headers = json_pack("[[ss]]", "Content-Type", "application/json");
    run_answer_now(r, 202, headers, str_of(body, (size_t)n));
    json_decref(headers);
}

static void on_accepted(void *arg, const struct error *err) {
    struct accept *a = arg;
    struct run *r = runs_find(a->rs, a->run);
    bool duplicate = a->first != a->row.id;
    if (r && err) {
        run_answer_problem(r, err);
        if (r->on_ended)
            r->on_ended(r->arg, &(struct run_end){.run = r->id, .state = RUN_FAILED, .error = err});
        run_free(r);
    } else if (r && is_repeated(a)) {
        run_answer_first(r, &a->key);
        run_free(r);
    } else if (r && (duplicate || !a->fresh)) {
        run_answer_accepted(r, (uint64_t)a->first, true);
        if (r->on_ended)
            r->on_ended(r->arg, &(struct run_end){.run = (uint64_t)a->first, .state = RUN_CANCELED});
        run_free(r);
    } else if (r) {
        events_add(a->rs->events, r, "accepted", (struct str){NULL, 0}, str_from(r->trigger));
        if (r->at_once)
            run_answer_accepted(r, r->id, false);
        r->phase = PHASE_QUEUED;
        run_give(r);
    }
    buf_release(&a->sealed);
    free(a->delivery);
    letter_free(a->letter);
    arena_release(&a->arena);
    free(a);
}

void run_accept(struct run *r, struct str delivery, int64_t cron_instant_ms) {
    struct accept *a = mem_alloc(sizeof *a);
    *a = (struct accept){.rs = r->runs, .run = r->id, .cron_instant_ms = cron_instant_ms};
    buf_init(&a->sealed, RUN_TEXT_MAX + 1024);
    run_accepted_row(r, &a->row, &a->sealed);
    if (delivery.len) {
        a->delivery = str_dup(delivery);
        a->delivery_len = delivery.len;
    }
    arena_init(&a->arena);
    a->letter = r->letter;
    r->letter = NULL;
    if (r->key)
        a->key = (struct key_row){.workspace = a->row.workspace,
                                  .mode = r->mode,
                                  .flow = a->row.flow,
                                  .key = str_of(r->key->key, KEY_HASH_BYTES),
                                  .request = str_of(r->key->request, KEY_HASH_BYTES),
                                  .time_ms = r->started_ms};
    r->phase = PHASE_ACCEPTING;
    store_write(r->runs->env.store, accept_work, on_accepted, a);
}
