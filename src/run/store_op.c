/* store_op.c — operations that change our own store: asked, applied and done in one commit, and delivered after it
 * (semantics 21). In practice mode a captured effect is one of them: it writes to the outbox. */
#include "base/clock.h"
#include "run/operation.h"
#include "run/ops_state.h"

static bool add_to_outbox(struct store_tx *tx, struct operation *o, struct error *err) {
    struct outbox_row row = {.run = (int64_t)o->run_id,
                             .time_ms = o->asked_ms,
                             .flow = o->flow,
                             .operation = str_from(o->id),
                             .kind = str_from(o->captured.kind),
                             .to = str_from(o->captured.to),
                             .content = o->captured.content};
    return tx_outbox_add(tx, o->workspace, &row, err);
}

/* On the writer's thread. What the operation itself refuses is its result; only a store that fails, fails the work. */
static bool apply(struct store_tx *tx, struct operation *o, struct error *err) {
    if (o->captured.kind)
        return add_to_outbox(tx, o, err);
    if (o->started)
        return tx_run_put(tx, &o->started_row, err);
    struct error refused = {.code = ERR_NONE};
    json_t *value = state_op_work(tx, o->workspace, o->mode, o->name, o->args, o->asked_ms, &refused);
    if (value) {
        json_decref(o->value);
        o->value = value;
        return true;
    }
    if (refused.code == ERR_DISK_FULL || refused.code == ERR_IO || refused.code == ERR_CORRUPT) {
        *err = refused;
        return false;
    }
    o->err = refused;
    return true;
}

/* Of a captured test: it sees what the test wrote before, and nothing of it stays. */
static bool forgotten_work(struct store_tx *tx, void *arg, struct error *err) {
    struct operation *o = container_of((struct journal_work *)arg, struct operation, work);
    if (o->trial->blank)
        o->workspace = 0; /* nobody's: there is never anything */
    trial_state_repeat(o->trial, o->writes_seen, tx, o->workspace, o->mode);
    if (!apply(tx, o, err))
        return false;
    o->forgotten = true;
    return error_set(err, ERR_CANCELED, "a test leaves nothing behind");
}

static bool store_op_work(struct store_tx *tx, void *arg, struct error *err) {
    struct operation *o = container_of((struct journal_work *)arg, struct operation, work);
    if (!apply(tx, o, err))
        return false;
    if (!o->durable)
        return true;
    json_t *record = operation_done_record(o);
    bool ok = journal_add_sealed(tx, o->runs->env.key, o->run_id, record, err);
    json_decref(record);
    return ok;
}

static void on_store_op_submitted(struct journal_work *w) {
    struct operation *o = container_of(w, struct operation, work);
    if (o->run)
        operation_queue_delivery(o);
}

/* The flow that was started is a run of its own, whatever becomes of the one that started it. */
static void give_started(struct operation *o, const struct error *err) {
    struct run *started = o->started;
    if (!started)
        return;
    o->started = NULL;
    if (err) {
        run_free(started);
        return;
    }
    started->runs->counts.accepted++;
    map_set(&started->runs->open, map_key(&started->id), started);
    events_add(started->runs->events, started, "accepted", (struct str){NULL, 0}, str_from(started->trigger));
    run_give(started);
}

static void on_store_op_done(struct journal_work *w, const struct error *err) {
    struct operation *o = container_of(w, struct operation, work);
    give_started(o, err);
    if (err && !o->err.code)
        o->err = *err;
    operation_complete(o);
}

static void on_store_op_committed(void *work, const struct error *err) { on_store_op_done(work, err); }

static void store_op(struct operation *o) {
    o->kind = OP_STORE;
    o->run->effect_begun = true;
    o->work = (struct journal_work){.work = store_op_work, .submitted = on_store_op_submitted, .done = on_store_op_done};
    if (o->durable)
        journal_commit(o->run, &o->work);
    else
        store_write(o->runs->env.store, store_op_work, on_store_op_committed, &o->work);
}

static void on_read(void *arg, const struct error *err) {
    struct operation *o = container_of((struct journal_work *)arg, struct operation, work);
    if (err && !o->err.code && !o->forgotten)
        o->err = *err;
    operation_complete(o);
}

static bool read_work(struct store_tx *tx, void *arg, struct error *err) {
    return apply(tx, container_of((struct journal_work *)arg, struct operation, work), err);
}

static void ask_forgotten(struct operation *o) {
    o->run->effect_begun |= !state_op_is_read(o->name); /* begun anew it would see its own writes */
    if (trial_state_add(o->trial, o->name, o->args, o->asked_ms, &o->writes_seen, &o->err))
        store_write(o->runs->env.store, forgotten_work, on_read, &o->work);
    else
        operation_complete(o);
}

void operation_ask_state(struct operation *o) {
    if (!state_op_check(o->name, o->args, &o->err))
        operation_complete(o);
    else if (o->trial && o->trial->capture)
        ask_forgotten(o);
    else if (state_op_is_read(o->name)) /* by the writer's thread: it sees what this run wrote before */
        store_write(o->runs->env.store, read_work, on_read, &o->work);
    else
        store_op(o);
}

void operation_ask_start(struct operation *o) {
    struct run *r = o->run;
    const struct release_flow *flow = release_find_flow(r->release, jsonx_str(o->args, "flow"));
    json_t *input = json_object_get(o->args, "input");
    if (!flow || flow->type != FLOW_REUSABLE) {
        error_set(&o->err, ERR_NOT_FOUND, "there is no reusable flow \"" STR_FMT "\" to start",
                  STR_ARG(jsonx_str(o->args, "flow")));
        operation_complete(o);
        return;
    }
    if (r->runs->open.count >= r->runs->env.max_runs / 2) { /* the other half is for those whose callers wait */
        operation_fail(o, ERR_BUSY, "as many runs are under way as may be");
        return;
    }
    struct run *started = run_new(r->runs, r->workspace, r->release, flow, r->mode);
    char trigger[40], id[RUN_ID_TEXT];
    run_id_write(r->id, id);
    snprintf(trigger, sizeof trigger, r->trial ? "test run %s" : "run %s", id);
    started->id = runs_next_id(r->runs);
    started->started_ms = clock_now_ms();
    started->durable = !r->trial;
    started->answered = true;
    started->trial = trial_ref(r->trial);
    started->watched = r->trial != NULL;
    started->trigger = mem_strdup(trigger);
    started->phase = PHASE_ACCEPTING;
    runs_random(r->runs, started->seed, sizeof started->seed);
    json_t *none = json_object();
    bool ok = run_build_head(started, NULL, json_is_object(input) ? input : none, &o->err);
    json_decref(none);
    if (!ok) {
        run_free(started);
        operation_complete(o);
        return;
    }
    run_id_write(started->id, id);
    o->value = json_pack("{s:s}", "run", id);
    o->started = started;
    if (r->trial) { /* a test run too, and not stored before its end either */
        r->effect_begun = true;
        give_started(o, NULL);
        operation_complete(o);
        return;
    }
    run_accepted_row(started, &o->started_row, &o->sealed);
    store_op(o);
}

/* The outbox shows what would have gone out, but for the secrets in it. */
static void mask_captured(struct operation *o) {
    struct buf masked;
    buf_init(&masked, RUN_TEXT_MAX);
    if (vault_mask(workspace_vault(o->run->workspace, o->mode), o->captured.content, &masked))
        o->captured.content = arena_str(&o->op->arena, buf_str(&masked));
    buf_release(&masked);
}

void operation_capture(struct operation *o) {
    o->value = json_incref(o->captured.value);
    mask_captured(o);
    if (!o->trial) {
        store_op(o);
        return;
    }
    if (o->kind == OP_READ) /* its answer was given, and nobody would have got anything */
        o->captured.kind = NULL;
    operation_complete(o); /* the run's own record has what was captured */
}
