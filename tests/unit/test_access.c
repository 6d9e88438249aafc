/* Rules of access.h. */
#include <criterion/criterion.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "trigger/access.h"

#define BASIC                                                                                                                    \
    { .type = ACCESS_BASIC, .secret = STR("login") }
#define BEARER                                                                                                                   \
    { .type = ACCESS_BEARER, .secret = STR("token") }
#define SIGNED                                                                                                                   \
    { .type = ACCESS_PAGERDUTY_V3, .secret = STR("signing") }

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

/* A request's Authorization, its signature for PagerDuty and its body. */
struct sent {
    struct str authorization, signature, body;
};

static struct access_verdict check_sent(struct release_access *rules, size_t n, struct sent sent) {
    struct httpd_field headers[2];
    struct access_parts parts = {.headers = headers, .body = sent.body};
    if (sent.authorization.ptr)
        headers[parts.header_count++] = (struct httpd_field){STR("authorization"), sent.authorization};
    if (sent.signature.ptr)
        headers[parts.header_count++] = (struct httpd_field){STR(ACCESS_PAGERDUTY_HEADER), sent.signature};
    return check(rules, n, parts);
}

#define CHECK(rules, ...) check_sent(rules, ARRAY_LEN(rules), (struct sent){__VA_ARGS__})

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

Test(access, github) {
    struct release_access rules[] = {{.type = ACCESS_GITHUB_HMAC, .secret = STR("signing")}};
    struct str body = STR("{\"zen\":1}");
    char header[8 + 65];
    snprintf(header, sizeof header, "sha256=%s", sign(body).ptr + 3);
    struct httpd_field signature = {STR(ACCESS_GITHUB_HEADER), str_from(header)};
    struct access_parts parts = {.headers = &signature, .header_count = 1, .body = body};
    cr_assert(check(rules, 1, parts).allowed);
    parts.body = STR("{\"zen\":2}");
    cr_assert_eq(check(rules, 1, parts).status, 403);
    signature.value = sign(body);
    struct access_verdict v = check(rules, 1, parts);
    cr_assert(v.status == 400 && strstr(v.reason, "sha256="));
    parts.header_count = 0;
    v = check(rules, 1, parts);
    cr_assert(v.status == 400 && strstr(v.reason, ACCESS_GITHUB_HEADER " is missing"));
}

Test(access, a_shared_token_stands_in_a_header_or_in_the_query) {
    struct release_access by_header[] = {{.type = ACCESS_SHARED_TOKEN, .secret = STR("token"), .header = STR("X-Gitlab-Token")}};
    struct release_access by_query[] = {{.type = ACCESS_SHARED_TOKEN, .secret = STR("token"), .query = STR("key")}};
    struct httpd_field field = {STR("x-gitlab-token"), STR("t0ken")};
    struct access_parts parts = {.headers = &field, .header_count = 1};
    cr_assert(check(by_header, 1, parts).allowed);
    struct access_verdict v = check(by_query, 1, parts);
    cr_assert(v.status == 403 && strstr(v.reason, "key is missing"));
    field.value = STR("t0keN");
    v = check(by_header, 1, parts);
    cr_assert(v.status == 403 && strstr(v.reason, "X-Gitlab-Token is wrong"));
    parts.query = STR("a=1&k%65y=t%30ken&key=other");
    cr_assert(check(by_query, 1, parts).allowed, "the first of that name counts");
    parts.query = STR("key=");
    cr_assert_eq(check(by_query, 1, parts).status, 403);
    parts.query = STR("key");
    cr_assert_eq(check(by_query, 1, parts).status, 403);
    parts.query = STR("key=t0ken%");
    cr_assert_eq(check(by_query, 1, parts).status, 403);
}
