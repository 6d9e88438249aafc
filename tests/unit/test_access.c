/* Rules of access.h. */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "trigger/access.h"

#define BASIC                                                                                                                    \
    { ACCESS_BASIC, STR("login") }
#define BEARER                                                                                                                   \
    { ACCESS_BEARER, STR("token") }
#define SIGNED                                                                                                                   \
    { ACCESS_PAGERDUTY_V3, STR("signing") }

static struct vault *vault;

static void set_up(void) {
    struct error err;
    vault = vault_new();
    json_t *login = json_pack("{s:s, s:s}", "username", "ann", "password", "pass:word"), *token = json_string("t0ken"),
           *key = json_string("sign+key/");
    cr_assert(vault_set(vault, STR("login"), login, &err) && vault_set(vault, STR("token"), token, &err) &&
              vault_set(vault, STR("signing"), key, &err));
    json_decref(login);
    json_decref(token);
    json_decref(key);
}

static void tear_down(void) { vault_free(vault); }

static struct access_verdict check(struct release_access *rules, size_t n, struct access_parts rq) {
    struct release_flow flow = {.access = rules, .access_count = n};
    struct access_verdict verdict;
    access_check_parts(&flow, vault, &rq, &verdict);
    return verdict;
}

#define CHECK(rules, ...) check(rules, ARRAY_LEN(rules), (struct access_parts){__VA_ARGS__})

static struct str sign(struct str body) {
    static char header[3 + 65];
    uint8_t digest[32];
    HMAC(EVP_sha256(), "sign+key/", 9, (const uint8_t *)body.ptr, body.len, digest, NULL);
    memcpy(header, "v1=", 3);
    hex_write(digest, sizeof digest, header + 3);
    return str_from(header);
}

TestSuite(access, .init = set_up, .fini = tear_down);

Test(access, no_rule_is_open) { cr_assert(check(NULL, 0, (struct access_parts){.body = STR("x")}).allowed); }

Test(access, basic) {
    struct release_access rules[] = {BASIC};
    cr_assert(CHECK(rules, .authorization = STR("Basic YW5uOnBhc3M6d29yZA==")).allowed);
    cr_assert(CHECK(rules, .authorization = STR("basic  YW5uOnBhc3M6d29yZA== ")).allowed);
    static const char *const wrong[] = {
        NULL, "", "Basic", "Basic YW5uOnBhc3M6d29yZQ==", "Basic YW5u", "Bearer YW5uOnBhc3M6d29yZA==", "Basic !", "ann:pass:word"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct access_verdict v = CHECK(rules, .authorization = str_from(wrong[i]));
        cr_assert(!v.allowed && v.status == 401 && strstr(v.challenge, "Basic"), "%s", wrong[i] ? wrong[i] : "none");
    }
}

Test(access, bearer) {
    struct release_access rules[] = {BEARER};
    cr_assert(CHECK(rules, .authorization = STR("Bearer t0ken")).allowed);
    cr_assert(!CHECK(rules, .authorization = STR("Bearer t0keN")).allowed);
    cr_assert(!CHECK(rules, .authorization = STR("Bearer t0ken x")).allowed);
    cr_assert_eq(CHECK(rules, .authorization = STR("Bearer")).status, 401);
}

Test(access, signature) {
    struct release_access rules[] = {SIGNED};
    struct str body = STR("{\"event\":1}");
    cr_assert(CHECK(rules, .signature = sign(body), .body = body).allowed);
    cr_assert_eq(CHECK(rules, .signature = sign(body), .body = STR("{\"event\":2}")).status, 403);
    cr_assert_eq(CHECK(rules, .signature = STR("v2=00"), .body = body).status, 400);
    cr_assert_eq(CHECK(rules, .body = body).status, 400);
}

Test(access, any_rule_is_enough) {
    struct release_access rules[] = {BASIC, BEARER, SIGNED};
    struct str body = STR("x");
    cr_assert(CHECK(rules, .authorization = STR("Bearer t0ken"), .body = body).allowed);
    cr_assert(CHECK(rules, .signature = sign(body), .body = body).allowed);
    struct access_verdict v = CHECK(rules, .body = body);
    cr_assert(v.status == 401 && strstr(v.challenge, "Basic") && strstr(v.challenge, "Bearer"));
    cr_assert_eq(CHECK(rules, .signature = sign(STR("y")), .body = body).status, 403);
}

Test(access, an_empty_secret_is_503_and_named) {
    struct release_access rules[] = {SIGNED};
    vault_remove(vault, STR("signing"));
    struct access_verdict v = CHECK(rules, .signature = sign(STR("x")), .body = STR("x"));
    cr_assert(!v.allowed && v.status == 503 && strstr(v.reason, "signing"));
    struct release_access both[] = {SIGNED, BEARER};
    cr_assert(CHECK(both, .authorization = STR("Bearer t0ken")).allowed, "the other rule is enough");
    cr_assert_eq(CHECK(both, .authorization = STR("Bearer wrong")).status, 503);
}
