/* A workspace's secrets: in practice there is always one, live only what was set; sealed in the store. */
#include <criterion/criterion.h>

#include "run/ops_state.h"
#include "run/secrets.h"

static struct loop *l;
static struct store *s;
static struct seal_key key;
static struct vault *practice, *live;
static struct release release;
static char dir[64];
static struct error err;

static struct release_secret declared[] = {
    {.name = STR("token"), .type = SECRET_PASSWORD}, {.name = STR("fixed"), .type = SECRET_PASSWORD},
    {.name = STR("login"), .type = SECRET_BASIC},    {.name = STR("hook"), .type = SECRET_SIGNING_KEY},
    {.name = STR("mail"), .type = SECRET_SMTP},
};

static void must_open(void) {
    s = store_open(l, dir, &err);
    practice = vault_new();
    live = vault_new();
    cr_assert(s && seal_key_open(&key, dir, &err), "%s", err.text);
}
static void must_close(void) {
    store_close(s);
    vault_free(practice);
    vault_free(live);
}
static void setup(void) {
    snprintf(dir, sizeof dir, "/tmp/flowlet-secrets-XXXXXX");
    cr_assert(mkdtemp(dir));
    l = loop_new();
    must_open();
    declared[1].practice = json_string("practice");
    release.secrets = declared;
    release.secret_count = ARRAY_LEN(declared);
}
static void teardown(void) {
    char command[128];
    must_close();
    loop_free(l);
    json_decref((json_t *)(uintptr_t)declared[1].practice);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    cr_assert_eq(system(command), 0);
}
static void load(void) { cr_assert(secrets_load(s, &key, 3, &release, practice, live, &err), "%s", err.text); }
static struct str text(const struct vault *v, const char *name) { return jsonx_string_value(vault_get(v, str_from(name))); }

Test(secrets, practice_values_are_declared_or_generated_once, .init = setup, .fini = teardown) {
    load();
    char *first = str_dup(text(practice, "token"));
    cr_assert_eq(strlen(first), 32);
    cr_assert(str_is(text(practice, "fixed"), "practice"));
    cr_assert_neq(strcmp(first, text(practice, "hook").ptr), 0);
    cr_assert(str_starts(text(practice, "mail"), STR("smtps://")));
    cr_assert(jsonx_str(vault_get(practice, STR("login")), "password").len == 32);
    cr_assert(!vault_get(live, STR("token")) && !vault_get(live, STR("fixed")));
    must_close();
    must_open();
    load();
    cr_assert(str_is(text(practice, "token"), first), "kept");
    free(first);
}

static bool set(const char *name, const char *json) {
    json_t *value = json ? jsonx_parse(str_from(json), &err) : NULL;
    bool ok = secrets_set(s, &key, 3, &release, str_from(name), value, live, &err);
    json_decref(value);
    return ok;
}

Test(secrets, values_are_checked_by_their_type, .init = setup, .fini = teardown) {
    static const struct {
        const char *name, *json;
        bool ok;
    } cases[] = {
        {"token", "\"abc\"", true},
        {"token", "\"\"", false},
        {"token", "\"a\\r\\nX-Header: 1\"", false},
        {"token", "{\"username\":\"a\",\"password\":\"b\"}", false},
        {"token", "5", false},
        {"login", "{\"username\":\"a\",\"password\":\"b\"}", true},
        {"login", "{\"username\":\"a:b\",\"password\":\"b\"}", false},
        {"login", "{\"username\":\"a\"}", false},
        {"login", "{\"username\":\"a\",\"password\":\"b\",\"more\":1}", false},
        {"login", "\"a:b\"", false},
        {"hook", "\"k\"", true},
        {"mail", "\"smtps://bob%40x.org:pw@smtp.x.org\"", true},
        {"mail", "\"smtp://bob:pw@smtp.x.org:587\"", true},
        {"mail", "\"https://smtp.x.org\"", false},
        {"mail", "\"smtp.x.org\"", false},
        {"mail", "\"smtps://\"", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool ok = set(cases[i].name, cases[i].json);
        cr_expect_eq(ok, cases[i].ok, "%s %s", cases[i].name, cases[i].json);
        cr_expect(ok || (err.code == ERR_INVALID && strstr(err.text, cases[i].name)), "%s", err.text);
    }
    cr_assert(!set("other", "\"x\"") && err.code == ERR_NOT_FOUND);
}

Test(secrets, live_values_last_sealed_until_removed, .init = setup, .fini = teardown) {
    struct buf file;
    char path[128];
    cr_assert(set("token", "\"hunter22hunter22\""));
    cr_assert(str_is(text(live, "token"), "hunter22hunter22"));
    must_close();
    buf_init(&file, 10000000);
    snprintf(path, sizeof path, "%s/flowlet.db", dir);
    cr_assert(file_read(path, &file, &err));
    cr_assert_eq(str_find(buf_str(&file), STR("hunter22")), SIZE_MAX, "not to be read on the disk");
    buf_release(&file);
    must_open();
    load();
    cr_assert(str_is(text(live, "token"), "hunter22hunter22"));
    cr_assert(set("token", NULL));
    cr_assert(!vault_get(live, STR("token")));
    must_close();
    must_open();
    load();
    cr_assert(!vault_get(live, STR("token")));
}

static bool swap(struct store_tx *tx, void *arg, struct error *e) {
    return tx_secret_put(tx, 3, 'l', STR("hook"), *(struct str *)arg, 1, e);
}
static bool keep_sealed(void *arg, struct str name, struct str sealed, int64_t changed_ms) {
    (void)name;
    (void)changed_ms;
    return buf_add(arg, sealed);
}
static bool read_sealed(struct store_tx *tx, void *arg, struct error *e) {
    return tx_secret_list(tx, 3, 'l', keep_sealed, arg, e);
}

Test(secrets, one_in_another_ones_place_is_refused, .init = setup, .fini = teardown) {
    struct buf sealed;
    buf_init(&sealed, 1000);
    cr_assert(set("token", "\"hunter22\""));
    cr_assert(store_write_now(s, read_sealed, &sealed, &err));
    struct str bytes = buf_str(&sealed);
    cr_assert(store_write_now(s, swap, &bytes, &err));
    cr_assert(!secrets_load(s, &key, 3, &release, practice, live, &err));
    cr_assert(err.code == ERR_CORRUPT && strstr(err.text, "hook"), "%s", err.text);
    buf_release(&sealed);
}

/* ---- state operations ---- */

struct call {
    const char *op, *args;
    json_t *value;
};
static bool work(struct store_tx *tx, void *arg, struct error *e) {
    struct call *c = arg;
    json_t *args = jsonx_parse(str_from(c->args), e);
    c->value = state_op_work(tx, 3, 'l', c->op, args, 1000, e);
    json_decref(args);
    return c->value;
}
/* The value's JSON, or the error's name. */
static const char *ask(const char *op, const char *args) {
    static char said[400];
    struct call c = {op, args, NULL};
    json_t *parsed = jsonx_parse(str_from(args), &err);
    bool ok = state_op_check(op, parsed, &err);
    json_decref(parsed);
    if (!ok || !store_write_now(s, work, &c, &err)) {
        snprintf(said, sizeof said, "%s", error_name(err.code));
        return said;
    }
    char *json = json_dumps(c.value, JSON_ENCODE_ANY | JSON_COMPACT);
    snprintf(said, sizeof said, "%s", json);
    free(json);
    json_decref(c.value);
    return said;
}

Test(secrets, state_operations, .init = setup, .fini = teardown) {
    cr_expect_str_eq(ask("state.get", "{\"key\":\"a\"}"), "null");
    cr_expect_str_eq(ask("state.put", "{\"key\":\"a\",\"value\":{\"n\":[1]},\"if_version\":0}"), "{\"version\":1}");
    cr_expect_str_eq(ask("state.put", "{\"key\":\"a\",\"value\":2,\"if_version\":0}"), "conflict");
    cr_expect_str_eq(ask("state.get", "{\"key\":\"a\"}"), "{\"value\":{\"n\":[1]},\"version\":1}");
    cr_expect_str_eq(ask("state.put", "{\"key\":\"b\",\"value\":null,\"ttl_ms\":5}"), "{\"version\":2}");
    cr_expect_str_eq(ask("state.list", "{}"),
                     "[{\"key\":\"a\",\"value\":{\"n\":[1]},\"version\":1},{\"key\":\"b\",\"value\":null,\"version\":2}]");
    cr_expect_str_eq(ask("state.list", "{\"prefix\":\"b\",\"limit\":1}"), "[{\"key\":\"b\",\"value\":null,\"version\":2}]");
    cr_expect_str_eq(ask("state.delete", "{\"key\":\"a\"}"), "true");
    cr_expect_str_eq(ask("state.delete", "{\"key\":\"a\"}"), "false");
    cr_expect(state_op_is_read("state.get") && state_op_is_read("state.list") && !state_op_is_read("state.put"));
}

Test(secrets, state_operations_refuse_hostile_arguments, .init = setup, .fini = teardown) {
    static const char *const bad[][2] = {
        {"state.get", "{}"},
        {"state.get", "[]"},
        {"state.get", "{\"key\":5}"},
        {"state.get", "{\"key\":\"\"}"},
        {"state.put", "{\"key\":\"a\"}"},
        {"state.put", "{\"key\":\"a\",\"value\":1,\"ttl_ms\":0}"},
        {"state.put", "{\"key\":\"a\",\"value\":1,\"ttl_ms\":1e300}"},
        {"state.put", "{\"key\":\"a\",\"value\":1,\"if_version\":-1}"},
        {"state.put", "{\"key\":\"a\",\"value\":1,\"if_version\":0.5}"},
        {"state.list", "{\"limit\":1001}"},
        {"state.list", "{\"prefix\":{}}"},
        {"state.drop", "{}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        cr_expect_str_eq(ask(bad[i][0], bad[i][1]), "invalid", "%s %s", bad[i][0], bad[i][1]);
    struct buf args;
    buf_init(&args, 1000000);
    buf_adds(&args, "{\"value\":1,\"key\":\"");
    for (int i = 0; i < 255; i++)
        buf_addc(&args, 'k');
    size_t end = args.len;
    buf_adds(&args, "\"}");
    cr_expect_str_eq(ask("state.put", args.ptr), "{\"version\":1}");
    args.len = end;
    buf_adds(&args, "k\"}");
    cr_expect_str_eq(ask("state.put", args.ptr), "invalid");
    buf_clear(&args);
    buf_adds(&args, "{\"key\":\"a\",\"value\":\"");
    for (int i = 0; i < STATE_VALUE_MAX - 1; i++)
        buf_addc(&args, 'v');
    buf_adds(&args, "\"}");
    cr_expect_str_eq(ask("state.put", args.ptr), "too_large");
    buf_release(&args);
}
