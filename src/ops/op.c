/* op.c — see op.h. The types stand in types.def, each in a file of its own. */
#include "ops/op.h"

#include "base/clock.h"

#define X(type) extern const struct op_type type;
#include "ops/types.def"
#undef X

static const struct op_type *const types[] = {
#define X(type) &type,
#include "ops/types.def"
#undef X
};

const struct op_type *op_type_find(struct str name) {
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_is(name, types[i]->name))
            return types[i];
    return NULL;
}

struct op *op_new(const struct op_env *env, const struct op_type *type, json_t *args, struct error *err) {
    struct op *op = mem_alloc(sizeof *op);
    *op = (struct op){.type = type, .env = env, .args = args};
    arena_init(&op->arena);
    if (type->check && !type->check(op, err)) {
        op_free(op);
        return NULL;
    }
    return op;
}

void op_start(struct op *op) {
    op->started_us = clock_monotonic_us();
    op->type->start(op);
}

void op_cancel(struct op *op) { op->type->cancel(op); }

void op_free(struct op *op) {
    if (!op)
        return;
    arena_release(&op->arena);
    json_decref(op->args);
    json_decref(op->value);
    json_decref(op->details);
    free(op);
}

bool op_fails_when_unknown(const json_t *args) { return str_is(jsonx_str(args, "unknown"), "fail"); }

void op_succeed(struct op *op, json_t *value) {
    op->ended_us = clock_monotonic_us();
    op->value = value;
    op->done(op);
}

void op_fail(struct op *op, const struct error *err, json_t *details) {
    op->ended_us = clock_monotonic_us();
    op->err = *err;
    op->details = details;
    op->done(op);
}
