/* Rules of router.h. */
#include <criterion/criterion.h>

#include "trigger/router.h"

/* Flows are written "METHOD /path"; their ids are their places. */
static struct release_flow flows[16];
static struct release release;
static struct arena arena;
static struct router_match match;

static struct router *router_of(const char *const *routes) {
    release = (struct release){.flows = flows};
    for (; *routes; routes++) {
        struct release_flow *f = &flows[release.flow_count++];
        struct str rest = str_from(*routes);
        str_cut(&rest, ' ', &f->method);
        f->path = rest;
        f->type = FLOW_ENDPOINT;
    }
    arena_init(&arena);
    return router_new(&release);
}

static void done(struct router *r) {
    router_free(r);
    arena_release(&arena);
}

#define ROUTES(...) router_of((const char *const[]){__VA_ARGS__, NULL})

/* The place of the flow that answers, or the result negated. */
static int find(const struct router *r, const char *method, const char *path) {
    enum router_result result = router_find(r, str_from(method), str_from(path), &arena, &match);
    return result == ROUTER_FOUND ? (int)(match.flow - flows) : -(int)result;
}

static bool parameter_is(size_t i, const char *name, const char *value) {
    return i < match.parameters && str_is(match.parameter[i].name, name) && str_is(match.parameter[i].value, value);
}

Test(router, paths_are_kept_as_written) {
    struct router *r = ROUTES("GET /API/button", "GET /API/button/", "GET /");
    cr_assert_eq(find(r, "GET", "/API/button"), 0);
    cr_assert_eq(find(r, "GET", "/API/button/"), 1);
    cr_assert_eq(find(r, "GET", "/"), 2);
    cr_assert_eq(find(r, "GET", "/api/button"), -ROUTER_NOT_FOUND);
    cr_assert_eq(find(r, "GET", "//API/button"), -ROUTER_NOT_FOUND);
    cr_assert_eq(find(r, "GET", "/API"), -ROUTER_NOT_FOUND);
    cr_assert_eq(find(r, "GET", "/API/%62utton"), 0, "an escape that need not be one");
    done(r);
}

Test(router, literals_go_before_parameters_with_a_way_back) {
    struct router *r = ROUTES("GET /user/me", "GET /user/{id}", "POST /user/{key}", "GET /{kind}/me/x", "GET /{a}/{b}/y");
    cr_assert_eq(find(r, "GET", "/user/me"), 0);
    cr_assert_eq(find(r, "GET", "/user/5"), 1);
    cr_assert(parameter_is(0, "id", "5") && match.parameters == 1);
    cr_assert_eq(find(r, "POST", "/user/me"), 2, "the literal has no POST");
    cr_assert(parameter_is(0, "key", "me"));
    cr_assert_eq(find(r, "GET", "/user/me/x"), 3, "the literal way ends before");
    cr_assert_eq(find(r, "GET", "/user/me/y"), 4);
    cr_assert(parameter_is(0, "a", "user") && parameter_is(1, "b", "me"));
    done(r);
}

Test(router, parameters_are_decoded_after_splitting) {
    struct router *r = ROUTES("GET /file/{name}");
    cr_assert_eq(find(r, "GET", "/file/a%2Fb%20c%C3%BC"), 0);
    cr_assert(parameter_is(0, "name", "a/b c\xC3\xBC"));
    cr_assert_eq(find(r, "GET", "/file/"), -ROUTER_NOT_FOUND, "empty");
    cr_assert_eq(find(r, "GET", "/file/a/b"), -ROUTER_NOT_FOUND);
    cr_assert_eq(find(r, "GET", "/file/{name}"), 0, "what looks like a parameter is a value here");
    cr_assert(parameter_is(0, "name", "{name}"));
    done(r);
}

Test(router, other_methods_are_told) {
    struct router *r = ROUTES("GET /a", "POST /a", "PUT /{x}", "DELETE /b");
    cr_assert_eq(find(r, "PATCH", "/a"), -ROUTER_METHOD);
    cr_assert_str_eq(match.allow, "GET, HEAD, OPTIONS, POST, PUT");
    cr_assert_eq(find(r, "BREW", "/b"), -ROUTER_METHOD);
    cr_assert_str_eq(match.allow, "DELETE, OPTIONS, PUT");
    cr_assert_eq(find(r, "PATCH", "/a/b"), -ROUTER_NOT_FOUND);
    done(r);
}

Test(router, head_is_answered_by_get) {
    struct router *r = ROUTES("GET /a", "GET /b", "HEAD /b");
    cr_assert_eq(find(r, "HEAD", "/a"), 0);
    cr_assert_eq(find(r, "HEAD", "/b"), 2);
    done(r);
}

Test(router, bad_paths_are_told_from_unknown_ones) {
    struct router *r = ROUTES("GET /{a}", "GET /{a}/{b}", "GET /.flowlet/x", "GET /a/../b");
    static const char *const bad[] = {"",      "*",    "a",    "/%",      "/%4",  "/%zz",   "/%00",      "/..",
                                      "/a/..", "/a/.", "/%2e", "/%2E%2e", "/%ff", "/a/%C3", "http://x/a"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        cr_assert_eq(find(r, "GET", bad[i]), -ROUTER_BAD_PATH, "%s", bad[i]);
    cr_assert_eq(find(r, "GET", "/a/../b"), -ROUTER_BAD_PATH);
    cr_assert_eq(find(r, "GET", "/.flowlet/x"), -ROUTER_NOT_FOUND);
    cr_assert_eq(find(r, "GET", "/%2eflowlet/x"), -ROUTER_NOT_FOUND);
    cr_assert_eq(find(r, "GET", "/..."), 0);
    done(r);
}

Test(router, long_and_deep_paths_are_only_unknown) {
    struct router *r = ROUTES("GET /{a}");
    char path[8192];
    memset(path, '/', sizeof path - 1);
    path[sizeof path - 1] = 0;
    cr_assert_eq(find(r, "GET", path), -ROUTER_NOT_FOUND);
    memset(path + 1, 'x', sizeof path - 2);
    cr_assert_eq(find(r, "GET", path), 0);
    done(r);
}

Test(router, of_two_flows_with_one_pattern_the_first_wins) {
    struct router *r = ROUTES("GET /{a}/x", "GET /{b}/x", "GET /y", "GET /y");
    cr_assert_eq(find(r, "GET", "/1/x"), 0);
    cr_assert(parameter_is(0, "a", "1"));
    cr_assert_eq(find(r, "GET", "/y"), 2);
    done(r);
}
