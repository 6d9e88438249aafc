/* dns.c — the operations `dns.resolve`, `dns.lookup` and `dns.reverse`: one question, three ways to put it. */
#include "net/names.h"
#include "ops/args.h"
#include "ops/op.h"

struct question {
    struct op *op;
    struct names_call *call;
    struct loop_flush failed; /* op_fail must not come from inside start */
    struct error err;
    struct names_question asked;
};

static enum op_kind dns_kind(const json_t *args) {
    (void)args;
    return OP_READ;
}

static bool check(struct op *op, const char *name_key, bool has_type, struct error *err) {
    struct question *q = op->own = arena_alloc(&op->arena, sizeof *q);
    int64_t timeout_ms = 0, tries = 0;
    q->op = op;
    q->asked.type = STR("A");
    if (!args_needed_str(op->args, name_key, &q->asked.name, err) ||
        (has_type && !args_str(op->args, "type", &q->asked.type, err)) || !args_str(op->args, "server", &q->asked.server, err) ||
        !args_int(op->args, "timeout_ms", 1, NAMES_TIMEOUT_MAX_MS, &timeout_ms, err) ||
        !args_int(op->args, "tries", 1, NAMES_TRIES_MAX, &tries, err))
        return error_wrap(err, "%s", op->type->name);
    q->asked.timeout_ms = (int)timeout_ms;
    q->asked.tries = (int)tries;
    return true;
}

static bool resolve_check(struct op *op, struct error *err) { return check(op, "name", true, err); }
static bool lookup_check(struct op *op, struct error *err) { return check(op, "name", false, err); }
static bool reverse_check(struct op *op, struct error *err) { return check(op, "ip", false, err); }

static void on_failed(void *arg) {
    struct question *q = arg;
    op_fail(q->op, &q->err, NULL);
}

static void started(struct question *q, struct names_call *call) {
    q->call = call;
    if (call)
        return;
    error_wrap(&q->err, "%s", q->op->type->name);
    q->failed = (struct loop_flush){.fn = on_failed, .arg = q};
    loop_flush_add(q->op->env->loop, &q->failed);
}

static void dns_cancel(struct op *op) {
    struct question *q = op->own;
    if (q->call) /* else it ends at the end of this turn anyway */
        names_cancel(q->call);
}

static void on_resolved(void *arg, const struct names_answer *a, const struct error *err) {
    struct op *op = arg;
    if (err)
        op_fail(op, err, NULL);
    else
        op_succeed(op, json_pack("{sO ss sb ss sI}", "records", a->records, "server", a->server, "authoritative",
                                 a->authoritative, "rcode", a->rcode, "ms", (json_int_t)a->duration_ms));
}

static void on_looked_up(void *arg, const struct names_answer *a, const struct error *err) {
    struct op *op = arg;
    json_t *record;
    size_t i;
    if (err) {
        op_fail(op, err, NULL);
        return;
    }
    json_t *addresses = json_array();
    json_array_foreach(a->records, i, record)
        json_array_append_new(addresses, json_pack("{sO si}", "address", json_object_get(record, "address"), "family",
                                                   str_is(jsonx_str(record, "type"), "A") ? 4 : 6));
    op_succeed(op, json_pack("{so sI}", "addresses", addresses, "ms", (json_int_t)a->duration_ms));
}

/* An address without a name is no failure; a server that could not say is one. */
static void on_reversed(void *arg, const struct names_answer *a, const struct error *err) {
    struct op *op = arg;
    json_t *record;
    size_t i;
    struct error failed;
    if (!err && !str_is(str_from(a->rcode), "NOERROR") && !str_is(str_from(a->rcode), "NXDOMAIN")) {
        error_set(&failed, ERR_DNS_FAILED, "the name server %s answered %s", a->server, a->rcode);
        err = &failed;
    }
    if (err) {
        op_fail(op, err, NULL);
        return;
    }
    json_t *names = json_array();
    json_array_foreach(a->records, i, record) if (str_is(jsonx_str(record, "type"), "PTR"))
        json_array_append(names, json_object_get(record, "target"));
    op_succeed(op, json_pack("{so sI}", "names", names, "ms", (json_int_t)a->duration_ms));
}

static void resolve_start(struct op *op) {
    struct question *q = op->own;
    started(q, names_resolve(op->env->names, &q->asked, on_resolved, op, &q->err));
}

static void lookup_start(struct op *op) {
    struct question *q = op->own;
    started(q, names_lookup(op->env->names, q->asked.name, q->asked.timeout_ms, on_looked_up, op, &q->err));
}

static void reverse_start(struct op *op) {
    struct question *q = op->own;
    started(q, names_reverse(op->env->names, &q->asked, on_reversed, op, &q->err));
}

static void about(const char *what, const json_t *args, const char *key, struct buf *out) {
    struct str server = jsonx_str(args, "server");
    buf_adds(out, what);
    buf_addc(out, ' ');
    buf_add(out, jsonx_str(args, key));
    if (server.len) {
        buf_adds(out, " at ");
        buf_add(out, server);
    }
}

static void resolve_about(const json_t *args, struct buf *out) {
    struct str type = jsonx_str(args, "type");
    char what[32];
    snprintf(what, sizeof what, "DNS %.20s", type.len ? json_string_value(json_object_get(args, "type")) : "A");
    about(what, args, "name", out);
}
static void lookup_about(const json_t *args, struct buf *out) { about("addresses of", args, "name", out); }
static void reverse_about(const json_t *args, struct buf *out) { about("names of", args, "ip", out); }

const struct op_type op_dns_resolve = {.name = "dns.resolve",
                                       .kind = dns_kind,
                                       .check = resolve_check,
                                       .start = resolve_start,
                                       .cancel = dns_cancel,
                                       .about = resolve_about};
const struct op_type op_dns_lookup = {.name = "dns.lookup",
                                      .kind = dns_kind,
                                      .check = lookup_check,
                                      .start = lookup_start,
                                      .cancel = dns_cancel,
                                      .about = lookup_about};
const struct op_type op_dns_reverse = {.name = "dns.reverse",
                                       .kind = dns_kind,
                                       .check = reverse_check,
                                       .start = reverse_start,
                                       .cancel = dns_cancel,
                                       .about = reverse_about};
