/* probe.c — the operations `tcp.check` and `tls.certificate`. */
#include "net/probe.h"

#include <math.h>

#include "ops/args.h"
#include "ops/certificate.h"
#include "ops/op.h"

#define TIMEOUT_MAX_MS 60000

struct check {
    struct str host;
    int64_t port, timeout_ms;
    struct probe *probe;
};

static enum op_kind probe_kind(const json_t *args) {
    (void)args;
    return OP_READ;
}

static bool probe_check(struct op *op, struct error *err) {
    struct check *c = op->own = arena_alloc(&op->arena, sizeof *c);
    c->port = str_is(str_from(op->type->name), "tls.certificate") ? 443 : 0;
    if (!args_needed_str(op->args, "host", &c->host, err) || !args_int(op->args, "port", 1, 65535, &c->port, err) ||
        !args_int(op->args, "timeout_ms", 1, TIMEOUT_MAX_MS, &c->timeout_ms, err))
        return error_wrap(err, "%s", op->type->name);
    return c->port || error_set(err, ERR_INVALID, "%s: port is missing", op->type->name);
}

static void probe_op_cancel(struct op *op) { probe_cancel(((struct check *)op->own)->probe); }

/* Nobody there is what was asked for; a check that could not be made is a failure. */
static void on_checked(void *arg, const struct probe_result *r, const struct error *err) {
    struct op *op = arg;
    if (err && err->code != ERR_CONNECT_FAILED && err->code != ERR_TIMEOUT && err->code != ERR_DNS_FAILED) {
        op_fail(op, err, NULL);
        return;
    }
    json_t *value = json_pack("{sb so sI}", "open", !err, "address", jsonx_from_str(r->peer), "ms",
                              (json_int_t)lround(err ? r->total_ms : r->connect_ms));
    if (err) {
        json_object_set_new(value, "code", json_string(error_name(err->code)));
        json_object_set_new(value, "reason", jsonx_from_str(str_from(err->text)));
    }
    op_succeed(op, value);
}

static void on_certificate(void *arg, const struct probe_result *r, const struct error *err) {
    struct op *op = arg;
    if (err) {
        op_fail(op, err, NULL);
        return;
    }
    json_t *value = certificate_json(r->certificate);
    json_object_set_new(value, "trusted", json_boolean(r->verified));
    if (r->why_not)
        json_object_set_new(value, "reason", jsonx_from_str(str_from(r->why_not)));
    op_succeed(op, value);
}

static void tcp_start(struct op *op) {
    struct check *c = op->own;
    c->probe = tcp_check(op->env->transfers, c->host, (uint16_t)c->port, c->timeout_ms, on_checked, op);
}

static void tls_start(struct op *op) {
    struct check *c = op->own;
    c->probe = tls_certificate(op->env->transfers, c->host, (uint16_t)c->port, c->timeout_ms, on_certificate, op);
}

static void about(const char *what, const json_t *args, struct buf *out) {
    buf_adds(out, what);
    buf_add(out, jsonx_str(args, "host"));
    if (json_object_get(args, "port"))
        buf_addf(out, ":%lld", (long long)json_number_value(json_object_get(args, "port")));
}
static void tcp_about(const json_t *args, struct buf *out) { about("TCP to ", args, out); }
static void tls_about(const json_t *args, struct buf *out) { about("certificate of ", args, out); }

const struct op_type op_tcp_check = {.name = "tcp.check",
                                     .kind = probe_kind,
                                     .check = probe_check,
                                     .start = tcp_start,
                                     .cancel = probe_op_cancel,
                                     .about = tcp_about};
const struct op_type op_tls_certificate = {.name = "tls.certificate",
                                           .kind = probe_kind,
                                           .check = probe_check,
                                           .start = tls_start,
                                           .cancel = probe_op_cancel,
                                           .about = tls_about};
