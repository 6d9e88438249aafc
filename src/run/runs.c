/* runs.c — the table of runs, frames from workers, limits. */
#include "run/letter.h"
#include "run/run.h"

#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"

#define DRAIN_LOOK_MS 20
#define STOP_MS 500 /* for a worker to give the history of a run that is stopped */
#define APART_MS (10 * 60 * 1000)
#define RESTARTS_MAX 5  /* of one run whose workers go through no fault of its own */
#define CALLS_A_MS 4096 /* ids: milliseconds times this, plus a count; below 2^53 until 2039 */

static void on_mend(struct timer *t);
static void on_drain(struct timer *t);

/* ---- ids, random, the table ---- */

/* Past the year 100,000 it is all the same. */
uint64_t run_id_at(int64_t time_ms) {
    const int64_t max_ms = INT64_MAX / CALLS_A_MS;
    return (uint64_t)(time_ms < 0 ? 0 : time_ms > max_ms ? max_ms : time_ms) * CALLS_A_MS;
}

uint64_t runs_next_id(struct runs *rs) {
    uint64_t id = run_id_at(clock_now_ms());
    rs->last_id = id > rs->last_id ? id : rs->last_id + 1;
    return rs->last_id;
}

void runs_random(struct runs *rs, void *out, size_t size) {
    ENSURE(size <= sizeof rs->random);
    if (rs->random_left < size) {
        random_bytes(rs->random, sizeof rs->random);
        rs->random_left = sizeof rs->random;
    }
    rs->random_left -= size;
    memcpy(out, rs->random + rs->random_left, size);
    sodium_memzero(rs->random + rs->random_left, size);
}

void run_id_write(uint64_t id, char out[RUN_ID_TEXT]) { snprintf(out, RUN_ID_TEXT, "%014llx", (unsigned long long)id); }

bool run_id_parse(struct str text, uint64_t *id) {
    uint8_t bytes[7];
    if (text.len != 14 || !hex_parse(text, bytes))
        return false;
    *id = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        *id = *id << 8 | bytes[i];
    return *id != 0;
}

static const char *const state_names[] = {"accepted", "running", "waiting", "done", "failed", "canceled"};
const char *run_state_name(enum run_state s) { return state_names[s]; }

bool run_state_parse(struct str name, enum run_state *s) {
    for (size_t i = 0; i < ARRAY_LEN(state_names); i++)
        if (str_is(name, state_names[i])) {
            *s = (enum run_state)i;
            return true;
        }
    return false;
}

struct run *runs_find(const struct runs *rs, uint64_t id) {
    return map_find(&rs->open, map_key(&id));
}
bool runs_is_open(const struct runs *rs, uint64_t run) { return runs_find(rs, run) || waits_has(rs->waits, run); }
bool runs_are_open_in(const struct runs *rs, const struct workspace *w) {
    const struct map_entry *e;
    for (size_t at = 0; (e = map_next(&rs->open, &at));)
        if (((const struct run *)e->value)->workspace == w)
            return true;
    return false;
}

size_t runs_open_count(const struct runs *rs) { return rs->open.count; }
size_t runs_waiting_count(const struct runs *rs) { return waits_count(rs->waits); }
struct runs_counts runs_counts(const struct runs *rs) {
    return rs->counts;
}

int64_t run_now_ms(const struct run *r) { return r->trial && r->trial->now_ms ? r->trial->now_ms : clock_now_ms(); }

/* ---- a run's life ---- */

static bool send_cancel(struct run *r, struct str why) {
    struct frame_writer f = worker_frame(r->worker, FRAME_CANCEL, r->id);
    if (why.len)
        frame_section(&f, why);
    return worker_send(r->worker, &f);
}

/* Nothing of it goes on. Its worker has the history: it is asked for it, and not waited for when it is too busy to answer. */
static void stop(struct run *r, const struct error *because) {
    struct buf why;
    r->stopped = mem_alloc(sizeof *r->stopped);
    *r->stopped = *because;
    buf_init(&why, 4096);
    buf_addf(&why, "{\"code\":\"%s\",\"message\":", error_name(r->stopped->code));
    buf_add_json_string(&why, str_from(r->stopped->text));
    buf_addc(&why, '}');
    operations_cancel(r);
    timer_start(&r->limit, send_cancel(r, buf_str(&why)) ? STOP_MS : 0);
    buf_release(&why);
}

static void on_limit(struct timer *t) {
    struct run *r = container_of(t, struct run, limit);
    if (r->stopped) {
        run_fail(r, r->stopped);
        return;
    }
    struct error err;
    error_set(&err, ERR_RUN_TIME,
              "the run took longer than its %lld ms of run time; give the flow a larger limit or its blocks shorter time-outs",
              (long long)r->flow->run_ms);
    stop(r, &err);
}

static void on_flush(struct timer *t) { journal_flush(container_of(t, struct run, flush)); }

struct run *run_new(struct runs *rs, struct workspace *w, struct release *release, const struct release_flow *flow, char mode) {
    struct run *r = mem_alloc(sizeof *r);
    *r = (struct run){
        .runs = rs, .workspace = w, .release = release_ref(release), .flow = flow, .mode = mode, .left_ms = flow->run_ms};
    buf_init(&r->head, RUN_TEXT_MAX);
    buf_init(&r->body, FRAME_JOINED_MAX);
    buf_init(&r->replay, FRAME_JOINED_MAX);
    buf_init(&r->pending, 2 * RUN_TEXT_MAX);
    map_init(&r->asked);
    r->deliver = &r->deliveries;
    r->works_last = &r->works;
    timer_init(&r->limit, rs->env.loop, on_limit);
    timer_init(&r->flush, rs->env.loop, on_flush);
    return r;
}

static void unqueue(struct run *r) {
    struct runs *rs = r->runs;
    for (struct run **at = &rs->queued; *at; at = &(*at)->next_queued)
        if (*at == r) {
            *at = r->next_queued;
            if (!*at)
                rs->queue_last = at;
            r->in_queue = false;
            return;
        }
}

void run_detach(struct run *r, bool tell) {
    operations_cancel(r);
    timer_stop(&r->limit);
    timer_stop(&r->flush);
    free(r->stopped);
    r->stopped = NULL;
    r->park_asked = 0;
    if (r->in_queue)
        unqueue(r);
    if (!r->worker)
        return;
    if (tell && !send_cancel(r, (struct str){NULL, 0}))
        log_debug("run", "event=cancel_not_sent");
    worker_run_removed(r->worker);
    r->worker = NULL;
    if (r->runs->queued)
        loop_flush_add(r->runs->env.loop, &r->runs->give_now);
}

void run_free(struct run *r) {
    struct runs *rs = r->runs;
    run_detach(r, false);
    map_remove(&rs->open, map_key(&r->id));
    if (r->woken)
        waits_forget(rs->waits);
    journal_forget_replay(r);
    sodium_memzero(r->seed, sizeof r->seed);
    buf_release(&r->head);
    buf_release(&r->body);
    buf_release(&r->replay);
    journal_forget(r);
    buf_release(&r->pending);
    trial_unref(r->trial);
    free(r->trigger);
    free(r->key);
    if (r->letter && rs->env.store)
        letter_keep(r->letter, rs->env.store, NULL);
    else
        letter_free(r->letter);
    release_unref(r->release);
    free(r);
}

int64_t run_time_left(const struct run *r) {
    return timer_is_running(&r->limit) ? r->limit.due_ms - loop_now_ms(r->runs->env.loop) : r->left_ms;
}

/* Run time is counted while the run is with a worker and not only waiting for its next attempts (semantics 18). */
void run_limit_update(struct run *r) {
    if (r->stopped)
        return;
    bool counts = r->phase == PHASE_RUNNING && !(r->parked && r->parked == r->operation_count);
    if (counts && !timer_is_running(&r->limit)) {
        timer_start(&r->limit, r->left_ms > 0 ? r->left_ms : 1);
    } else if (!counts && timer_is_running(&r->limit)) {
        r->left_ms = run_time_left(r);
        timer_stop(&r->limit);
    }
}

/* ---- frames from workers ---- */

static void on_log(struct run *r, struct str payload) {
    struct str text;
    struct error err;
    json_t *line = frame_take_section(&payload, &text) ? jsonx_parse(text, &err) : NULL;
    struct str said = jsonx_str(line, "text");
    struct buf masked;
    buf_init(&masked, 64 * 1024);
    if (vault_mask(workspace_vault(r->workspace, r->mode), said, &masked))
        said = buf_str(&masked);
    events_add(r->runs->events, r, "log", jsonx_str(line, "level"), said);
    buf_release(&masked);
    json_decref(line);
}

/* A worker that sends what is not due is not to be trusted with anything else either. */
static void misbehaved(struct run *r, const char *what) {
    log_error("run", "run=%014llx event=worker_broke_the_rules what=%s", (unsigned long long)r->id, log_quote(str_from(what)));
    worker_kill(r->worker, r->id, ERR_PROTOCOL, what);
}

static void on_frame(void *arg, struct worker *w, const struct frame *frame) {
    struct runs *rs = *(struct runs **)arg;
    struct run *r = runs_find(rs, frame->run);
    if (!r || r->worker != w)
        return; /* of a run that was canceled meanwhile */
    if (r->stopped && frame->kind != FRAME_FINISH)
        return;
    r->heard = true;
    bool preparing = r->phase == PHASE_PREPARING;
    if (preparing != (frame->kind == FRAME_PREPARED) && frame->kind != FRAME_LOG && frame->kind != FRAME_FINISH) {
        misbehaved(r, "a frame that is not due");
        return;
    }
    switch (frame->kind) {
    case FRAME_PREPARED:
        run_prepared(r, frame->payload);
        return;
    case FRAME_ASK:
        run_asked(r, frame->payload);
        return;
    case FRAME_RECORD:
        if (!r->durable || !journal_take(r, frame->payload))
            misbehaved(r, "a record that is none");
        return;
    case FRAME_RESPOND:
        run_responded(r, frame->payload);
        return;
    case FRAME_FINISH:
        run_finished(r, frame->payload);
        return;
    case FRAME_LOG:
        on_log(r, frame->payload);
        return;
    case FRAME_EVENT:
        if (!run_told(r, frame->payload))
            misbehaved(r, "an event that is none");
        return;
    case FRAME_PARKED:
        if (!run_parked(r))
            misbehaved(r, "an answer to what was not asked");
        return;
    case FRAME_FLOW:
    case FRAME_PREPARE:
    case FRAME_START:
    case FRAME_RESULT:
    case FRAME_CANCEL:
    case FRAME_JOB:
    case FRAME_WATCH:
    case FRAME_PARK:
    case FRAME_READY:
    case FRAME_JOB_DONE:
        break;
    }
    misbehaved(r, "a frame of a kind that it may not send");
}

/* From its beginning or its journal, in another worker. */
static void begin_anew(struct run *r, bool tell) {
    run_detach(r, tell);
    r->heard = false;
    if (r->durable && r->phase != PHASE_PREPARING)
        run_reload(r);
    else
        run_give(r);
}

/* Its worker is gone through no fault of its own: again, where nothing can happen twice. */
static void start_again(struct run *r) {
    struct error err;
    if (++r->restarts > RESTARTS_MAX) {
        error_set(&err, ERR_WORKER_LOST, "%d processes that ran the flow ended, one after the other", RESTARTS_MAX);
        run_fail(r, &err);
    } else if ((r->durable && r->phase != PHASE_PREPARING) || !r->effect_begun) {
        begin_anew(r, false);
    } else {
        error_set(&err, ERR_WORKER_LOST,
                  "the process that ran the flow ended after the run had changed something, so it is not run again; make the "
                  "flow durable");
        run_fail(r, &err);
    }
}

/* The runs that a worker has; the caller frees the list. */
static struct run **runs_of(struct runs *rs, const struct worker *w, size_t *n) {
    struct run **had = mem_alloc((rs->open.count + 1) * sizeof(struct run *));
    struct map_entry *e;
    *n = 0;
    for (size_t at = 0; (e = map_next(&rs->open, &at));)
        if (((struct run *)e->value)->worker == w)
            had[(*n)++] = e->value;
    return had;
}

/* What a stuck worker has not begun (it would have said something, or it is the one) goes elsewhere: what it does of it later
 * is not listened to. */
static void on_stuck(void *arg, struct worker *w, uint64_t entered) {
    struct runs *rs = *(struct runs **)arg;
    size_t n;
    struct run **had = runs_of(rs, w, &n);
    for (size_t i = 0; i < n; i++)
        if (!had[i]->heard && !had[i]->stopped && had[i]->id != entered)
            begin_anew(had[i], true);
    free(had);
}

void run_set_apart(struct run *r) {
    map_set(&r->runs->apart, map_key(&r->flow->number), (void *)(intptr_t)(loop_now_ms(r->runs->env.loop) + APART_MS));
}

bool run_is_apart(const struct run *r) {
    const struct runs *rs = r->runs;
    return rs->apart.count && (intptr_t)map_find(&rs->apart, map_key(&r->flow->number)) > loop_now_ms(rs->env.loop);
}

static void on_gone(void *arg, struct worker *w, const struct worker_end *why) {
    struct runs *rs = *(struct runs **)arg;
    struct run *guilty = why->run ? runs_find(rs, why->run) : NULL;
    size_t n;
    struct run **had = runs_of(rs, w, &n);
    for (size_t i = 0; i < n; i++) {
        struct run *r = had[i];
        r->worker = NULL;
        if (r == guilty) {
            run_set_apart(r);
            struct error err;
            error_set(&err, why->code, "%s", why->text);
            run_fail(r, r->stopped ? r->stopped : &err);
        } else if (r->stopped) {
            run_fail(r, r->stopped);
        } else {
            start_again(r);
        }
    }
    free(had);
}

static void on_ready(void *arg, struct str workspace) {
    struct runs *rs = *(struct runs **)arg;
    (void)workspace;
    if (rs)
        runs_give_queued(rs);
}

static void on_give_now(void *arg) { runs_give_queued(arg); }
static void on_give(struct timer *t) { runs_give_queued(container_of(t, struct runs, give)); }

const struct pool_handler runs_pool_handler = {.frame = on_frame, .gone = on_gone, .stuck = on_stuck, .ready = on_ready};

/* ---- opening, resuming, closing ---- */

static bool newest_id(void *arg, const struct run_row *row) {
    struct runs *rs = arg;
    if ((uint64_t)row->id > rs->last_id)
        rs->last_id = (uint64_t)row->id;
    return true;
}

static bool read_newest_ids(struct store_tx *tx, void *arg, struct error *err) {
    struct runs *rs = arg;
    struct workspace *w;
    int64_t next;
    for (size_t i = 0; (w = workspaces_at(rs->env.workspaces, i)); i++) {
        struct run_filter newest = {.workspace = w->id, .state = -1, .limit = 1};
        if (!tx_run_list(tx, &newest, newest_id, rs, &next, err))
            return false;
    }
    return true;
}

struct runs *runs_open(const struct runs_env *env, struct error *err) {
    struct runs *rs = mem_alloc(sizeof *rs);
    rs->env = *env;
    rs->queue_last = &rs->queued;
    buf_init(&rs->said, RUN_SAID_MAX);
    map_init(&rs->open);
    map_init(&rs->apart);
    timer_init(&rs->give, env->loop, on_give);
    rs->give_now = (struct loop_flush){.fn = on_give_now, .arg = rs};
    rs->waits = waits_new(rs);
    timer_init(&rs->mend, env->loop, on_mend);
    timer_init(&rs->drain, env->loop, on_drain);
    rs->events = events_new(rs);
    if (store_write_now(env->store, read_newest_ids, rs, err))
        return rs;
    runs_close(rs);
    return NULL;
}

/* Only copied while the store lists them: resuming asks the store itself. */
struct open_run {
    struct open_run *next;
    struct run_row row;
};

struct open_runs {
    struct arena arena;
    struct open_run *first, **last;
};

static bool copy_row(void *arg, const struct run_row *row) {
    struct open_runs *found = arg;
    struct open_run *o = arena_alloc(&found->arena, sizeof *o);
    o->row = *row;
    o->row.flow = arena_str(&found->arena, row->flow);
    o->row.trigger = arena_str(&found->arena, row->trigger);
    *found->last = o;
    found->last = &o->next;
    return true;
}

static bool list_open(struct store_tx *tx, void *arg, struct error *err) { return tx_run_list_open(tx, copy_row, arg, err); }

struct run *run_resume(struct runs *rs, const struct run_row *row) {
    struct error err = {.text = "its workspace is gone"};
    struct workspace *w = workspaces_find_id(rs->env.workspaces, row->workspace);
    struct release *release = w ? workspace_find_release(w, row->release, &err) : NULL;
    const struct release_flow *flow = release ? release_find_flow(release, row->flow) : NULL;
    if (!flow) {
        log_error("run", "run=%014llx event=not_resumed why=%s", (unsigned long long)row->id, log_quote(str_from(err.text)));
        return NULL;
    }
    struct run *r = run_new(rs, w, release, flow, row->mode);
    r->id = (uint64_t)row->id;
    r->durable = true;
    r->answered = true; /* whoever asked has hung up with the old process */
    r->started_ms = row->started_ms;
    r->trigger = str_dup(row->trigger);
    map_set(&rs->open, map_key(&r->id), r);
    run_reload(r);
    return r;
}

bool runs_resume(struct runs *rs, struct error *err) {
    struct open_runs found = {.last = &found.first};
    arena_init(&found.arena);
    bool ok = store_write_now(rs->env.store, list_open, &found, err);
    for (struct open_run *o = found.first; ok && o; o = o->next)
        run_resume(rs, &o->row);
    arena_release(&found.arena);
    ok = ok && waits_load(rs->waits, err);
    if (rs->open.count || waits_count(rs->waits))
        log_info("run", "event=resumed runs=%zu waiting=%zu", rs->open.count, waits_count(rs->waits));
    return ok;
}

/* Stalled runs go on as soon as the store takes commits again. */
static void on_mend(struct timer *t) {
    struct runs *rs = container_of(t, struct runs, mend);
    struct error err;
    size_t n = 0;
    struct run **stalled = mem_alloc((rs->open.count + 1) * sizeof(struct run *));
    struct map_entry *e;
    for (size_t at = 0; (e = map_next(&rs->open, &at));)
        if (((struct run *)e->value)->phase == PHASE_STALLED)
            stalled[n++] = e->value;
    bool failing = store_is_failing(rs->env.store, &err);
    for (size_t i = 0; i < n && (!failing || i == 0); i++)
        run_reload(stalled[i]); /* while it fails one at a time: a commit is the only way to find out */
    if (n > 1 || (n && failing))
        timer_start(&rs->mend, 1000);
    free(stalled);
}

void run_stall(struct run *r) {
    struct error err;
    run_detach(r, true);
    journal_forget(r);
    r->phase = PHASE_STALLED;
    error_set(&err, ERR_DISK_FULL, "the run is accepted and goes on as soon as the server can store again");
    run_answer_problem(r, &err);
    if (!timer_is_running(&r->runs->mend))
        timer_start(&r->runs->mend, 1000);
}

/* Durable runs that nobody waits for go on at the next start. */
static bool is_awaited(const struct runs *rs) {
    struct map_entry *e;
    for (size_t at = 0; (e = map_next(&rs->open, &at));) {
        const struct run *r = e->value;
        if (!r->durable || r->on_answered || r->on_ended)
            return true;
    }
    return rs->followers != NULL;
}

static void answer_late(struct runs *rs) {
    struct map_entry *e;
    struct error err;
    error_set(&err, ERR_BUSY, "the server is shutting down");
    for (size_t at = 0; (e = map_next(&rs->open, &at));)
        run_answer_problem(e->value, &err);
    json_t *headers = json_pack("[[ss]]", "Retry-After", "2");
    followers_tell(rs, &(struct run_answer){.status = 503, .headers = headers}, true);
    json_decref(headers);
}

static void on_drain(struct timer *t) {
    struct runs *rs = container_of(t, struct runs, drain);
    if (loop_now_ms(rs->env.loop) < rs->drain_until_ms && is_awaited(rs)) {
        timer_start(t, DRAIN_LOOK_MS);
        return;
    }
    answer_late(rs);
    rs->drained(rs->drained_arg);
}

void runs_drain(struct runs *rs, int64_t deadline_ms, loop_fn *drained, void *arg) {
    rs->draining = true;
    rs->drained = drained;
    rs->drained_arg = arg;
    rs->drain_until_ms = loop_now_ms(rs->env.loop) + deadline_ms;
    timer_start(&rs->drain, 0);
}

void runs_close(struct runs *rs) {
    if (!rs)
        return;
    struct map_entry *e;
    answer_late(rs);
    rs->env.store = NULL; /* it is closed */
    for (size_t at = 0; (e = map_next(&rs->open, &at)); at = 0)
        run_free(e->value);
    timer_stop(&rs->mend);
    timer_stop(&rs->drain);
    waits_free(rs->waits);
    followers_tell(rs, &(struct run_answer){.status = 503}, true);
    map_release(&rs->open);
    map_release(&rs->apart);
    timer_stop(&rs->give);
    loop_flush_remove(rs->env.loop, &rs->give_now);
    events_free(rs->events);
    json_decref(rs->said_json);
    buf_release(&rs->said);
    free(rs);
}

/* ---- from outside ---- */

void runs_forget_caller(struct runs *rs, uint64_t run) {
    struct run *r = runs_find(rs, run);
    followers_forget(rs, run);
    if (!r)
        return;
    r->on_answered = NULL;
    run_park_if_idle(r);
}

bool runs_cancel(struct runs *rs, uint64_t run, struct error *err) {
    struct run *r = runs_find(rs, run);
    if (!r && waits_cancel(rs->waits, run))
        return true;
    if (!r || r->phase == PHASE_ENDING)
        return error_set(err, ERR_NOT_FOUND, "this run is not under way");
    if (r->phase == PHASE_ACCEPTING || r->phase == PHASE_PARKING)
        return error_set(err, ERR_BUSY, "this run is just being stored: try again");
    if (r->stopped)
        return true;
    if (r->phase == PHASE_RUNNING && r->worker)
        stop(r, &(struct error){.code = ERR_CANCELED, .text = RUN_CANCELED_TEXT});
    else
        run_end_canceled(r);
    return true;
}
