/* operation.c — what a run asks for: checked, journaled, carried out, delivered in order.
 *
 *     ASK --> kinds:  read     start ------------------------> done: record, deliver
 *                     effect   asked is committed, start ----> done: record, deliver
 *                     store    asked, work, done in one commit ----> deliver
 *                     secret   at once; recorded without its value
 *
 * A run that is not durable skips the records. In practice mode a captured effect becomes a
 * store operation that writes to the outbox. Delivery is first recorded, first delivered:
 * an operation enters the run's queue when its place in the journal is fixed. */
#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"
#include "run/operation.h"

#define RESULT_MAX (FRAME_JOINED_MAX - 4096) /* bytes of JSON: it fits into a frame, and into a record of the journal */

static void operation_free(struct operation *o) {
    if (o->use)
        operation_link_lost(o->use);
    op_free(o->op);
    json_decref(o->args);
    json_decref(o->value);
    json_decref(o->details);
    json_decref(o->captured.value);
    trial_unref(o->trial);
    buf_release(&o->sealed);
    buf_release(&o->result);
    free(o->about);
    free(o->id);
    free(o->name);
    free(o);
}

static struct operation *operation_new(struct run *r, struct str id, struct str name) {
    struct operation *o = mem_alloc(sizeof *o);
    *o = (struct operation){.run = r,
                            .runs = r->runs,
                            .run_id = r->id,
                            .workspace = r->workspace->id,
                            .mode = r->mode,
                            .durable = r->durable,
                            .trial = trial_ref(r->trial),
                            .flow = r->flow->id,
                            .id = str_dup(id),
                            .name = str_dup(name),
                            .asked_ms = run_now_ms(r),
                            .next = r->operations};
    buf_init(&o->sealed, RUN_TEXT_MAX + 1024);
    buf_init(&o->result, RESULT_MAX);
    r->operations = o;
    r->operation_count++;
    return o;
}

static void unlink_from_run(struct operation *o) {
    struct run *r = o->run;
    for (struct operation **at = &r->operations; *at; at = &(*at)->next)
        if (*at == o) {
            *at = o->next;
            break;
        }
    r->operation_count--;
    if (o->parks)
        r->parked--;
    o->run = NULL;
}

void operations_cancel(struct run *r) {
    while (r->operations) {
        struct operation *o = r->operations;
        unlink_from_run(o);
        if (o->ready)
            operation_free(o);
        else if (o->under_way)
            op_cancel(o->op); /* done still comes, and frees it; as does the commit that others wait for */
    }
    r->deliveries = NULL;
    r->deliver = &r->deliveries;
}

/* ---- history ---- */

static void add_effect(struct run *r, json_t *effect) {
    if (!r->effects)
        r->effects = json_array();
    if (json_array_size(r->effects) < RUN_EFFECTS_MAX)
        json_array_append(r->effects, effect);
    json_decref(effect);
}

static json_t *shortened(struct str content) {
    if (content.len <= RUN_CONTENT_MAX)
        return jsonx_from_str(content);
    return json_pack("{s:o, s:I}", "$cut", jsonx_from_str(str_of(content.ptr, RUN_CONTENT_MAX)), "length",
                     (json_int_t)content.len);
}

static void note_effect(struct run *r, const struct operation *o) {
    if (!o->about)
        return;
    json_t *e = json_pack("{s:s,s:s,s:o,s:I,s:I}", "id", o->id, "op", o->name, "about", jsonx_from_str(str_from(o->about)), "t",
                          (json_int_t)o->asked_ms, "ms", (json_int_t)(run_now_ms(r) - o->asked_ms));
    if (o->captured.kind)
        json_object_set_new(e, "captured", json_string(o->captured.kind));
    if (o->err.code)
        json_object_set_new(e, "error", jsonx_from_str(str_from(o->err.text)));
    if (r->watched)
        events_tell(r, "effect", json_copy(e));
    if (o->captured.kind && o->trial) {
        json_object_set_new(e, "to", jsonx_from_str(str_from(o->captured.to)));
        json_object_set_new(e, "content", shortened(o->captured.content));
    }
    add_effect(r, e);
}

void effect_from_journal(struct run *r, const json_t *asked, const json_t *done) {
    struct str about = jsonx_str(asked, "about");
    if (!about.len)
        return;
    int64_t t = jsonx_int(asked, "t", 0);
    json_t *e =
        json_pack("{s:O,s:O,s:O,s:I,s:I}", "id", json_object_get(asked, "id"), "op", json_object_get(asked, "op"), "about",
                  json_object_get(asked, "about"), "t", (json_int_t)t, "ms", (json_int_t)(jsonx_int(done, "t", t) - t));
    const json_t *captured = json_object_get(asked, "captured"), *error = json_object_get(done, "error");
    if (captured)
        json_object_set(e, "captured", (json_t *)(uintptr_t)captured);
    if (error)
        json_object_set(e, "error", json_object_get(error, "message"));
    add_effect(r, e);
}

/* ---- delivery ---- */

static json_t *error_json(const struct error *err, const json_t *details) {
    json_t *e = json_pack("{s:s,s:o,s:b}", "code", error_name(err->code), "message", jsonx_from_str(str_from(err->text)), "retry",
                          (int)error_may_retry(err->code));
    json_object_update_missing(e, (json_t *)(uintptr_t)details);
    return e;
}

/* {"id", "t", "value" | "error"}: what the worker gets, and, with "r", what the journal keeps. */
static json_t *result_json(const struct operation *o) {
    json_t *result = json_pack("{s:s,s:I}", "id", o->id, "t", (json_int_t)o->done_ms);
    if (o->err.code)
        json_object_set_new(result, "error", error_json(&o->err, o->details));
    else
        json_object_set_new(result, "value", o->value ? json_incref(o->value) : json_null());
    return result;
}

json_t *operation_done_record(const struct operation *o) {
    json_t *record = result_json(o);
    json_object_set_new(record, "r", json_string("done"));
    if (o->kind == OP_SECRET && !o->err.code) {
        json_object_del(record, "value");
        json_object_set(record, "secret", json_object_get(o->args, "name"));
        json_object_set_new(record, "as", json_string(o->secret_as));
    }
    return record;
}

/* What does not fit becomes an error, before anything of it is recorded. */
static void write_result(struct operation *o) {
    json_t *result = result_json(o);
    if (!jsonx_write(result, &o->result)) {
        buf_clear(&o->result);
        json_decref(o->value);
        json_decref(o->details);
        o->value = o->details = NULL;
        error_set(&o->err, ERR_TOO_LARGE, "%s: the result is larger than %d bytes", o->name, RESULT_MAX);
        json_decref(result);
        result = result_json(o);
        bool ok = jsonx_write(result, &o->result);
        ENSURE(ok);
    }
    json_decref(result);
}

static void deliver(struct operation *o) {
    struct run *r = o->run;
    struct frame_writer f = worker_frame(r->worker, FRAME_RESULT, r->id);
    frame_section(&f, buf_str(&o->result));
    if (!worker_send(r->worker, &f))
        worker_kill(r->worker, r->id, ERR_RUN_MEMORY,
                    "the run was given more at once than its worker takes in: ask for less at a time");
    note_effect(r, o);
    unlink_from_run(o);
    operation_free(o);
}

static void pump(struct run *r) {
    while (r->deliveries && r->deliveries->ready) {
        struct operation *o = r->deliveries;
        r->deliveries = o->next_delivery;
        if (!r->deliveries)
            r->deliver = &r->deliveries;
        deliver(o);
    }
    run_limit_update(r);
    run_park_if_idle(r);
}

void operation_queue_delivery(struct operation *o) {
    o->next_delivery = NULL;
    *o->run->deliver = o;
    o->run->deliver = &o->next_delivery;
    o->queued = true;
    o->done_ms = run_now_ms(o->run);
}

/* The result is there and, where need be, recorded. */
void operation_complete(struct operation *o) {
    struct run *r = o->run;
    if (!r) {
        operation_free(o);
        return;
    }
    if (o->err.code) { /* whatever it quotes, no secret gets into the worker by it */
        struct buf masked;
        buf_init(&masked, 4096);
        if (vault_mask(workspace_vault(r->workspace, r->mode), str_from(o->err.text), &masked))
            snprintf(o->err.text, sizeof o->err.text, "%s", masked.ptr);
        buf_release(&masked);
    }
    bool recorded = o->queued; /* with its work */
    if (!recorded)
        operation_queue_delivery(o);
    write_result(o);
    if (r->durable && !recorded) {
        json_t *record = operation_done_record(o);
        journal_record(r, record);
        json_decref(record);
    }
    o->ready = true;
    pump(r);
}

void operation_fail(struct operation *o, enum error_code code, const char *text) {
    error_set(&o->err, code, "%s", text);
    operation_complete(o);
}

/* ---- records ---- */

static void digest_of(const struct run *r, const struct operation *o, struct str args, char out[33]) {
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state s;
    struct buf masked;
    buf_init(&masked, args.len * 2 + 4096);
    if (vault_mask(workspace_vault(r->workspace, r->mode), args, &masked))
        args = buf_str(&masked);
    crypto_hash_sha256_init(&s);
    crypto_hash_sha256_update(&s, (const uint8_t *)o->name, strlen(o->name) + 1);
    crypto_hash_sha256_update(&s, (const uint8_t *)args.ptr, args.len);
    crypto_hash_sha256_final(&s, hash);
    hex_write(hash, 16, out);
    buf_release(&masked);
}

/* False: the journal has another request under this id, which fails the block (semantics 22). */
static bool record_asked(struct run *r, struct operation *o, struct str args) {
    char digest[33];
    digest_of(r, o, args, digest);
    const json_t *before = map_find(&r->asked, str_from(o->id));
    if (before) {
        o->asked_ms = jsonx_int(before, "t", o->asked_ms);
        return str_is(jsonx_str(before, "digest"), digest);
    }
    json_t *record = json_pack("{s:s,s:s,s:s,s:s,s:I}", "r", "asked", "id", o->id, "op", o->name, "digest", digest, "t",
                               (json_int_t)o->asked_ms);
    if (o->about)
        json_object_set_new(record, "about", jsonx_from_str(str_from(o->about)));
    if (o->captured.kind)
        json_object_set_new(record, "captured", json_string(o->captured.kind));
    journal_record(r, record);
    json_decref(record);
    return true;
}

/* HMAC of the path and number with the accepted bytes (semantics 24). */
static void make_key(const struct run *r, struct str text, char out[65]) {
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256(mac, (const uint8_t *)text.ptr, text.len, r->seed);
    hex_write(mac, sizeof mac, out);
}

/* ---- secrets ---- */

static void ask_secret(struct operation *o, bool check) {
    struct run *r = o->run;
    struct str name = jsonx_str(o->args, "name");
    if (!secret_check(r, name, &o->err)) {
        operation_complete(o);
        return;
    }
    if (check) {
        o->value = json_boolean(vault_equals(workspace_vault(r->workspace, r->mode), name, jsonx_str(o->args, "given")));
    } else {
        o->kind = OP_SECRET;
        o->secret_as = str_is(jsonx_str(o->args, "as"), "basic") ? "basic" : "password";
        o->value = secret_value(r, name, str_from(o->secret_as));
    }
    operation_complete(o);
}

/* ---- reads and effects ---- */

static void on_op_done(struct op *op) {
    struct operation *o = op->arg;
    o->op = NULL;
    if (o->use && o->run) {
        op_free(op);
        operation_use_link(o);
        return;
    }
    o->value = op->value;
    o->err = op->err;
    o->details = op->details;
    op->value = op->details = NULL;
    op_free(op);
    operation_complete(o);
}

static void start_op(struct operation *o) {
    if (o->kind == OP_EFFECT)
        o->run->effect_begun = true;
    o->under_way = true;
    op_start(o->op);
}

static void on_asked_committed(struct journal_work *w, const struct error *err) {
    struct operation *o = container_of(w, struct operation, work);
    if (!o->run) {
        operation_free(o);
        return;
    }
    ENSURE(!err); /* a failed commit stalls the run, which lets go of its operations */
    start_op(o);
}

/* ---- asking ---- */

static bool is_captured(const struct operation *o) {
    bool captures = o->trial ? o->trial->capture : o->mode == 'p';
    return o->given || (captures && o->kind == OP_EFFECT && o->type->capture);
}

static void make_about(struct operation *o, const json_t *args) {
    struct buf b;
    buf_init(&b, 1000);
    if (o->type && o->type->about) {
        o->type->about(args, &b);
        o->about = buf_take(&b);
    } else if (!o->type && strcmp(o->name, "flows.start") == 0) {
        buf_addf(&b, "start " STR_FMT, STR_ARG(jsonx_str(args, "flow")));
        o->about = buf_take(&b);
    }
    buf_release(&b);
}

/* The wait that a restart cut short goes on where it would be by now. */
static void shorten_wait(const struct operation *o, json_t *args) {
    int64_t waited = clock_now_ms() - o->asked_ms;
    double ms = json_number_value(json_object_get(args, "ms"));
    if (waited > 0)
        json_object_set_new(args, "ms", json_integer(ms > (double)waited ? (json_int_t)(ms - (double)waited) : 0));
}

static void ask_type(struct operation *o, json_t *args, struct str key) {
    struct run *r = o->run;
    bool waits = strcmp(o->name, "wait") == 0;
    if (waits && map_find(&r->asked, str_from(o->id)))
        shorten_wait(o, args);
    o->op = op_new(&r->runs->env.ops, o->type, json_incref(args), &o->err);
    if (!o->op) {
        operation_complete(o);
        return;
    }
    if (waits)
        o->due_ms = clock_now_ms() + (int64_t)json_number_value(json_object_get(args, "ms"));
    o->op->done = on_op_done;
    o->op->arg = o;
    o->op->time_ms = o->asked_ms;
    if (o->kind != OP_READ || jsonx_bool(args, "idempotency_key", false))
        make_key(r, key, o->op->key);
    const json_t *page = waits ? json_object_get(args, "link") : NULL;
    if (page && !operation_open_link(o, page)) {
        operation_complete(o);
    } else if (o->kind == OP_EFFECT && !is_captured(o) && op_fails_when_unknown(args) && map_find(&r->asked, str_from(o->id))) {
        operation_fail(o, ERR_UNKNOWN_OUTCOME,
                       "it was under way when the server stopped: it may have been carried out, and is not repeated");
    } else if (is_captured(o)) {
        if (o->type->capture(o->op, &o->captured, &o->err))
            operation_capture(o);
        else
            operation_complete(o);
    } else if (o->kind == OP_EFFECT && o->durable) {
        o->work = (struct journal_work){.done = on_asked_committed};
        journal_commit(r, &o->work);
    } else {
        start_op(o);
    }
}

/* The wait ends with ERR_CANCELED, unless it has ended already. */
static void ask_wait_cancel(struct operation *o) {
    struct str id = jsonx_str(o->args, "id");
    for (struct operation *other = o->run->operations; other; other = other->next)
        if (str_is(id, other->id) && strcmp(other->name, "wait") == 0 && other->under_way && !other->ready)
            op_cancel(other->op);
    o->value = json_null();
    operation_complete(o);
}

/* A test says what this operation gives. False: what a service answers; the operation is then captured with that as its sample.
 */
static bool take_given(struct operation *o, json_t *args, const json_t *given) {
    const json_t *error = json_object_get(given, "$error");
    if (error) {
        char *code = str_dup(jsonx_str(error, "code"));
        o->details = json_deep_copy(error);
        error_set(&o->err, error_from_name(code), STR_FMT, STR_ARG(jsonx_str(error, "message")));
        free(code);
    } else if (o->type->capture) {
        json_object_set_new(args, "sample", json_deep_copy(given));
        o->given = true;
        return false;
    } else {
        o->value = json_deep_copy(given);
    }
    operation_complete(o);
    return true;
}

static void carry_out(struct operation *o, json_t *args, struct str key) {
    struct run *r = o->run;
    json_t *replaced = secrets_in_place(r, args, &o->err);
    if (!replaced) {
        operation_complete(o);
        return;
    }
    if (o->type) {
        const json_t *given = o->trial ? trial_answer(o->trial, o->id, o->name, o->about) : NULL;
        if (!given || !take_given(o, replaced, given))
            ask_type(o, replaced, key);
        json_decref(replaced);
        return;
    }
    o->args = replaced;
    const json_t *given = o->trial && strncmp(o->name, "secrets.", 8) == 0 ? trial_answer(o->trial, o->id, o->name, NULL) : NULL;
    if (given) {
        o->value = json_deep_copy(given);
        operation_complete(o);
        return;
    }
    if (strcmp(o->name, "secrets.get") == 0)
        ask_secret(o, false);
    else if (strcmp(o->name, "secrets.check") == 0)
        ask_secret(o, true);
    else if (strcmp(o->name, "wait.cancel") == 0)
        ask_wait_cancel(o);
    else if (strcmp(o->name, "flows.start") == 0)
        operation_ask_start(o);
    else if (strncmp(o->name, "state.", 6) == 0)
        operation_ask_state(o);
    else
        operation_fail(o, ERR_INVALID, "there is no such operation");
}

/* One that repeats an id would be answered twice. */
static bool is_open(const struct run *r, struct str id) {
    for (const struct operation *o = r->operations; o; o = o->next)
        if (str_is(id, o->id))
            return true;
    return false;
}

void run_asked(struct run *r, struct str payload) {
    struct str text;
    struct error err;
    json_t *ask = frame_take_section(&payload, &text) ? jsonx_parse(text, &err) : NULL;
    struct str id = jsonx_str(ask, "id"), name = jsonx_str(ask, "op"), key = jsonx_str(ask, "key");
    json_t *args = json_object_get(ask, "args");
    if (!id.len || id.len > 1000 || !name.len || name.len > 40 || !json_is_object(args) || is_open(r, id) ||
        r->operation_count >= RUN_OPERATIONS_MAX) {
        worker_kill(r->worker, r->id, ERR_PROTOCOL, "the worker asked for what is no operation");
        json_decref(ask);
        return;
    }
    struct operation *o = operation_new(r, id, name);
    o->type = op_type_find(name);
    o->kind = o->type ? o->type->kind(args) : OP_READ;
    o->parks = o->type && str_is(name, "wait") && jsonx_bool(args, "park", false);
    r->parked += o->parks;
    make_about(o, args);
    bool same = true;
    if (r->durable) {
        struct buf plain;
        buf_init(&plain, FRAME_JOINED_MAX);
        jsonx_write(args, &plain);
        same = record_asked(r, o, buf_str(&plain));
        buf_release(&plain);
    }
    if (same)
        carry_out(o, args, key.len ? key : id);
    else
        operation_fail(o, ERR_JOURNAL_MISMATCH,
                       "the flow asked for something else than before the restart; it is not deterministic");
    json_decref(ask);
    run_limit_update(r);
    run_park_if_idle(r);
}
