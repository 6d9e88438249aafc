/* password.hash and password.verify: off the loop, two at once, and no hash may ask for too much. */
#include <criterion/criterion.h>

#include "ops/op.h"

static struct loop *l;
static struct op_env env;
static struct error err;
static int ended, canceled;
static char last[300];

static void on_done(struct op *op) {
    char *json = op->value ? json_dumps(op->value, JSON_ENCODE_ANY) : NULL;
    snprintf(last, sizeof last, "%s", json ? json : error_name(op->err.code));
    canceled += op->err.code == ERR_CANCELED;
    free(json);
    op_free(op);
    ended--;
    if (!ended)
        loop_stop(l);
}
static struct op *start(const char *name, json_t *args) {
    struct op *op = op_new(&env, op_type_find(str_from(name)), args, &err);
    if (!op)
        return NULL;
    op->done = on_done;
    ended++;
    op_start(op);
    return op;
}
static void setup(void) {
    l = loop_new();
    env.loop = l;
}
static void teardown(void) { loop_free(l); }

Test(password, verifies_what_it_hashed, .init = setup, .fini = teardown) {
    cr_assert(start("password.hash", json_pack("{ss}", "password", "open sesame")));
    loop_run(l);
    cr_assert(strncmp(last, "\"$argon2id$v=19$m=19456,t=2,p=1$", 32) == 0, "%s", last);
    char hash[300];
    snprintf(hash, sizeof hash, "%.*s", (int)strlen(last) - 2, last + 1);
    cr_assert(start("password.verify", json_pack("{ss ss}", "password", "open sesame", "hash", hash)));
    loop_run(l);
    cr_assert_str_eq(last, "true");
    cr_assert(start("password.verify", json_pack("{ss ss}", "password", "open sesam", "hash", hash)));
    loop_run(l);
    cr_assert_str_eq(last, "false");
}

Test(password, refuses_hostile_arguments, .init = setup, .fini = teardown) {
    static const char *const bad[] = {
        "{}",
        "{\"password\":5,\"hash\":\"x\"}",
        "{\"password\":\"a\",\"hash\":\"\"}",
        "{\"password\":\"a\",\"hash\":\"$2b$12$abc\"}",
        "{\"password\":\"a\",\"hash\":\"$argon2id$v=19$m=4194304,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA\"}",
        "{\"password\":\"a\",\"hash\":\"$argon2id$v=19$m=19456,t=4000000,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA\"}",
        "{\"password\":\"a\",\"hash\":\"$argon2id$v=19$m=4294967297,t=1,p=1$AAAA$AAAA\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        cr_expect(!start("password.verify", jsonx_parse(str_from(bad[i]), &err)) && err.code == ERR_INVALID, "%s", bad[i]);
    char *long_one = mem_alloc(2000);
    memset(long_one, 'x', 1999);
    cr_expect(!start("password.hash", json_pack("{ss}", "password", long_one)) && err.code == ERR_INVALID);
    free(long_one);
}

Test(password, canceled_ones_end_too, .init = setup, .fini = teardown) {
    struct op *ops[6];
    for (int i = 0; i < 6; i++)
        ops[i] = start("password.hash", json_pack("{ss}", "password", "x"));
    op_cancel(ops[0]); /* computed already */
    op_cancel(ops[3]); /* still waiting */
    op_cancel(ops[5]);
    op_cancel(ops[5]);
    cr_assert_eq(canceled, 0, "later");
    loop_run(l);
    cr_assert_eq(ended, 0);
    cr_assert_eq(canceled, 3);
}
