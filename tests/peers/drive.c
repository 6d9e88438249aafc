/* drive.c — carries out operations without a server around them, for tests against real peers.
 *
 *     drive [--allow-address RANGE] [--resolve RULE] [--ca-file FILE] < LINES
 *
 * Each line is {"op", "args", "key"?, "cancel_ms"?, "capture"?}; all are started at once. For each, one line
 * comes out: {"n": line number from 0, "value"} or {"n", "error": {"code", "message"}, "details"?}, or what was captured. */
#include "base/clock.h"
#include "net/names.h"
#include "net/transfer.h"
#include "ops/op.h"

static struct loop *l;
static struct op_env env;
static size_t under_way;

struct job {
    size_t n;
    struct op *op;
    struct timer cancel;
};

static void print(struct job *j, json_t *out) {
    json_object_set_new(out, "n", json_integer((json_int_t)j->n));
    char *text = json_dumps(out, JSON_COMPACT);
    puts(text);
    free(text);
    json_decref(out);
}

static json_t *error_json(const struct error *err) {
    return json_pack("{s{ss ss}}", "error", "code", error_name(err->code), "message", err->text);
}

static void on_done(struct op *op) {
    struct job *j = op->arg;
    json_t *out = op->err.code == ERR_NONE ? json_pack("{sO}", "value", op->value) : error_json(&op->err);
    if (op->details)
        json_object_set(out, "details", op->details);
    print(j, out);
    timer_stop(&j->cancel);
    op_free(op);
    free(j);
    if (!--under_way)
        loop_stop(l);
}

static void on_cancel(struct timer *t) { op_cancel(container_of(t, struct job, cancel)->op); }

static void capture(struct job *j) {
    struct op_captured c;
    struct error err;
    if (j->op->type->capture(j->op, &c, &err))
        print(j, json_pack("{ss ss so so}", "kind", c.kind, "to", c.to, "content", jsonx_from_str(c.content), "value", c.value));
    else
        print(j, error_json(&err));
    op_free(j->op);
    free(j);
}

static void start(const json_t *line, size_t n) {
    struct error err;
    struct job *j = mem_alloc(sizeof *j);
    const struct op_type *type = op_type_find(jsonx_str(line, "op"));
    ENSURE(type);
    j->n = n;
    j->op = op_new(&env, type, json_incref(json_object_get(line, "args")), &err);
    if (!j->op) {
        print(j, error_json(&err));
        free(j);
        return;
    }
    j->op->time_ms = clock_now_ms();
    j->op->arg = j;
    j->op->done = on_done;
    snprintf(j->op->key, sizeof j->op->key, STR_FMT, STR_ARG(jsonx_str(line, "key")));
    if (jsonx_bool(line, "capture", false)) {
        capture(j);
        return;
    }
    under_way++;
    timer_init(&j->cancel, l, on_cancel);
    if (json_object_get(line, "cancel_ms"))
        timer_start(&j->cancel, jsonx_int(line, "cancel_ms", 0));
    op_start(j->op);
}

static void set(struct outgoing *o, const char *option, const char *value) {
    struct error err;
    bool ok = !strcmp(option, "--allow-address") ? outgoing_allow(o, value, &err)
              : !strcmp(option, "--resolve")     ? outgoing_resolve_add(o, value, &err)
                                                 : outgoing_set_ca_file(o, value, &err);
    if (!ok) {
        fprintf(stderr, "%s %s: %s\n", option, value, err.text);
        exit(2);
    }
}

int main(int argc, char **argv) {
    struct outgoing *o = outgoing_new();
    for (int i = 1; i + 1 < argc; i += 2)
        set(o, argv[i], argv[i + 1]);
    l = loop_new();
    struct transfers *ts = transfers_new(l, o);
    struct names *n = names_new(l, o);
    env = (struct op_env){.loop = l, .transfers = ts, .names = n};
    char *text = NULL;
    size_t cap = 0;
    ssize_t len;
    for (size_t i = 0; (len = getline(&text, &cap, stdin)) > 0; i++) {
        struct error err;
        json_t *line = jsonx_parse((struct str){text, (size_t)len}, &err);
        ENSURE(line);
        start(line, i);
        json_decref(line);
    }
    free(text);
    if (under_way)
        loop_run(l);
    names_free(n);
    transfers_free(ts);
    loop_free(l);
    outgoing_free(o);
    return 0;
}
