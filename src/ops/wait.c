/* wait.c — the operation `wait`: sleep, setTimeout, the block Wait, and the pause before another attempt. */
#include "ops/op.h"

#define WAIT_MAX_MS (366 * 24 * 3600 * INT64_C(1000))

struct wait {
    struct op *op;
    struct timer timer;
    int64_t ms;
    bool canceled;
};

static enum op_kind wait_kind(const json_t *args) {
    (void)args;
    return OP_READ;
}

static bool wait_check(struct op *op, struct error *err) {
    const json_t *ms = json_object_get(op->args, "ms");
    if (!json_is_number(ms) || !(json_number_value(ms) >= 0) || json_number_value(ms) > (double)WAIT_MAX_MS)
        return error_set(err, ERR_INVALID, "wait: ms must be a number from 0 to %lld", (long long)WAIT_MAX_MS);
    struct wait *w = op->own = arena_alloc(&op->arena, sizeof *w);
    w->op = op;
    w->ms = (int64_t)json_number_value(ms);
    return true;
}

static void on_due(struct timer *t) {
    struct wait *w = container_of(t, struct wait, timer);
    if (!w->canceled) {
        op_succeed(w->op, json_null());
        return;
    }
    struct error err;
    error_set(&err, ERR_CANCELED, "the wait was canceled");
    op_fail(w->op, &err, NULL);
}

static void wait_start(struct op *op) {
    struct wait *w = op->own;
    timer_init(&w->timer, op->env->loop, on_due);
    timer_start(&w->timer, w->ms);
}

static void wait_cancel(struct op *op) {
    struct wait *w = op->own;
    w->canceled = true;
    timer_start(&w->timer, 0);
}

const struct op_type op_wait = {
    .name = "wait", .kind = wait_kind, .check = wait_check, .start = wait_start, .cancel = wait_cancel};
