/* The operations http.request, tcp.check and tls.certificate, against nginx. */
#include <criterion/criterion.h>

#include "net/transfer.h"
#include "ops/op.h"
#include "peers.h"

static struct peers peers;
static struct loop *l;
static struct outgoing *o;
static struct op_env env;
static struct error err;
static json_t *value; /* of the last operation; NULL: failed with err */

static void setup(void) {
    char rule[64];
    l = loop_new();
    o = outgoing_new();
    peers_start(&peers);
    snprintf(rule, sizeof rule, "good.test:443=127.0.0.1:%u", peers.tls);
    cr_assert(outgoing_set_ca_file(o, peers.ca, &err) && outgoing_allow(o, "127.0.0.1", &err) &&
              outgoing_resolve_add(o, rule, &err));
    env = (struct op_env){.loop = l, .transfers = transfers_new(l, o)};
}

static void teardown(void) {
    json_decref(value);
    transfers_free(env.transfers);
    outgoing_free(o);
    loop_free(l);
    peers_stop(&peers);
}

TestSuite(ops_net, .init = setup, .fini = teardown, .timeout = 30);

static void on_done(struct op *op) {
    json_decref(value);
    value = json_incref(op->value);
    err = op->err;
    op_free(op);
    loop_stop(l);
}

static struct op *make(const char *name, json_t *args) {
    struct op *op = op_new(&env, op_type_find(str_from(name)), args, &err);
    if (op)
        op->done = on_done;
    return op;
}

static void run(const char *name, json_t *args) {
    struct op *op = make(name, args);
    cr_assert(op, "%s", err.text);
    op_start(op);
    loop_run(l);
}

static const char *text(const char *key) { return json_string_value(json_object_get(value, key)); }

static json_t *at(uint16_t port, const char *path) { return json_sprintf("http://127.0.0.1:%u%s", port, path); }

Test(ops_net, http_request_gives_the_answer) {
    run("http.request", json_pack("{ss ss s{ss} s{ss}}", "method", "post", "url", "https://good.test/see", "headers", "X-Test",
                                  "v", "body", "$bytes", "AAEC"));
    cr_assert(value, "%s", err.text);
    cr_expect_str_eq(text("body"), "POST|good.test|||v||3|HTTP/2.0|Flowlet", "%s", text("body"));
    cr_expect_eq(json_integer_value(json_object_get(value, "status")), 200);
    json_t *headers = json_object_get(value, "headers"), *certificate = json_object_get(value, "certificate");
    cr_expect_str_eq(jsonx_str(headers, "x-twice").ptr, "one, two");
    cr_expect_str_eq(jsonx_str(certificate, "issuer").ptr, "CN=ca");
    cr_expect_eq(jsonx_int(certificate, "days_left", 0), 8);
    cr_expect_eq(json_object_size(json_object_get(value, "timing")), 5);
    run("http.request", json_pack("{so}", "url", at(peers.http, "/here")));
    cr_expect_eq(json_array_size(json_object_get(value, "redirects")), 1);
    cr_expect(json_is_null(json_object_get(value, "certificate")));
    run("http.request", json_pack("{so sb}", "url", at(peers.http, "/here"), "follow_redirects", 0));
    cr_expect_eq(jsonx_int(value, "status", 0), 302);
    run("http.request", json_pack("{so}", "url", at(peers.http, "/missing")));
    cr_expect_eq(jsonx_int(value, "status", 0), 404);
    run("http.request", json_pack("{so}", "url", at(peers.closed, "/")));
    cr_expect(!value && err.code == ERR_CONNECT_FAILED);
}

Test(ops_net, wrong_arguments_are_refused) {
    const struct {
        const char *name, *args, *says;
    } cases[] = {
        {"http.request", "{}", "url is missing"},
        {"http.request", "{\"url\": 5}", "url is not a string"},
        {"http.request", "{\"url\": \"http://x\", \"method\": 1}", "method"},
        {"http.request", "{\"url\": \"http://x\", \"headers\": []}", "headers"},
        {"http.request", "{\"url\": \"http://x\", \"headers\": {\"A\": 1}}", "header A"},
        {"http.request", "{\"url\": \"http://x\", \"body\": {\"a\": 1}}", "body"},
        {"http.request", "{\"url\": \"http://x\", \"timeout_ms\": -1}", "timeout_ms"},
        {"tcp.check", "{\"host\": \"x\"}", "port is missing"},
        {"tcp.check", "{\"port\": 1}", "host is missing"},
        {"tcp.check", "{\"host\": \"x\", \"port\": 65536}", "port"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cr_expect(!make(cases[i].name, json_loads(cases[i].args, 0, NULL)), "%s", cases[i].args);
        cr_expect(err.code == ERR_INVALID && strstr(err.text, cases[i].says), "%s: %s", cases[i].args, err.text);
    }
    run("http.request", json_pack("{ss s{ss}}", "url", "http://127.0.0.1/", "headers", "A", "b\r\nC: d"));
    cr_expect(!value && err.code == ERR_INVALID);
}

Test(ops_net, what_changes_something_is_an_effect) {
    const struct {
        const char *args;
        enum op_kind kind;
    } cases[] = {{"{}", OP_READ},
                 {"{\"method\": \"GET\"}", OP_READ},
                 {"{\"method\": \"head\"}", OP_READ},
                 {"{\"method\": \"OPTIONS\"}", OP_READ},
                 {"{\"method\": \"GET\", \"changes\": true}", OP_EFFECT},
                 {"{\"changes\": true}", OP_EFFECT},
                 {"{\"method\": \"POST\"}", OP_EFFECT},
                 {"{\"method\": \"DELETE\"}", OP_EFFECT}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        json_t *args = json_loads(cases[i].args, 0, NULL);
        cr_expect_eq(op_type_find(STR("http.request"))->kind(args), cases[i].kind, "%s", cases[i].args);
        json_decref(args);
    }
}

Test(ops_net, practice_mode_keeps_the_request_and_gives_the_sample) {
    struct op_captured captured = {0};
    struct op *op = make("http.request",
                         json_pack("{ss ss ss ss s{si s{ss}}}", "method", "POST", "url", "https://api.pagerduty.com/incidents",
                                   "body", "{}", "counts_as", "page", "sample", "status", 201, "body", "id", "P1"));
    cr_assert(op && op->type->capture(op, &captured, &err));
    cr_expect_str_eq(captured.kind, "page");
    cr_expect_str_eq(captured.to, "api.pagerduty.com");
    cr_expect_str_eq(captured.content.ptr,
                     "{\"method\":\"POST\",\"url\":\"https://api.pagerduty.com/incidents\",\"body\":\"{}\"}");
    value = captured.value;
    cr_expect_eq(jsonx_int(value, "status", 0), 201);
    cr_expect_str_eq(text("body"), "{\"id\":\"P1\"}");
    cr_expect_str_eq(jsonx_str(json_object_get(value, "headers"), "content-type").ptr, "application/json");
    op_free(op);
    op = make("http.request", json_pack("{ss ss ss ss}", "method", "POST", "url", "x", "counts_as", "sms", "to", "+49"));
    captured = (struct op_captured){0};
    cr_assert(op && op->type->capture(op, &captured, &err));
    cr_expect(strcmp(captured.kind, "sms") == 0 && strcmp(captured.to, "+49") == 0);
    cr_expect(jsonx_int(captured.value, "status", 0) == 202 && jsonx_str(captured.value, "body").len == 0);
    json_decref(captured.value);
    op_free(op);
}

Test(ops_net, probes_give_what_they_saw) {
    run("tcp.check", json_pack("{ss si}", "host", "127.0.0.1", "port", peers.http));
    cr_assert(value && jsonx_bool(value, "open", false), "%s", err.text);
    run("tcp.check", json_pack("{ss si}", "host", "127.0.0.1", "port", peers.closed));
    cr_assert(value && !jsonx_bool(value, "open", true));
    cr_expect_str_eq(text("code"), "connect_failed", "%s", text("code"));
    run("tcp.check", json_pack("{ss si}", "host", "127.0.0.9", "port", peers.closed));
    cr_expect(!value && err.code == ERR_ADDRESS_REFUSED);
    run("tls.certificate", json_pack("{ss}", "host", "good.test"));
    cr_assert(value && jsonx_bool(value, "trusted", false), "%s", err.text);
    cr_expect(jsonx_int(value, "days_left", 0) == 8 && !text("reason"));
    run("tls.certificate", json_pack("{ss si}", "host", "127.0.0.1", "port", peers.expired));
    cr_expect(value && !jsonx_bool(value, "trusted", true) && text("reason"), "%s", err.text);
    cr_expect_str_eq(text("not_after"), "2020-02-01T00:00:00.000Z");
}

Test(ops_net, canceled_operations_end_once) {
    struct op *op = make("http.request", json_pack("{so}", "url", at(peers.http, "/see")));
    op_start(op);
    op_cancel(op);
    loop_run(l);
    cr_expect(!value && err.code == ERR_CANCELED);
    op = make("tcp.check", json_pack("{ss si}", "host", "127.0.0.1", "port", peers.http));
    op_start(op);
    op_cancel(op);
    loop_run(l);
    cr_expect(!value && err.code == ERR_CANCELED);
}
