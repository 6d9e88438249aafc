/* Rules of cors.h. */
#include <criterion/criterion.h>

#include "trigger/cors.h"

static struct httpd_field fields[CORS_FIELDS_MAX];
static size_t count;
static struct arena arena;

static void set_up(void) { arena_init(&arena); }
static void tear_down(void) { arena_release(&arena); }
TestSuite(cors, .init = set_up, .fini = tear_down);

/* What a field says, or "". */
static const char *field(const char *name) {
    for (size_t i = 0; i < count; i++)
        if (str_is(fields[i].name, name))
            return arena_printf(&arena, STR_FMT, STR_ARG(fields[i].value));
    return "";
}

static void answer(const char *cors, const char *origin) {
    json_t *json = json_loads(cors, 0, NULL);
    count = cors_answer(json, str_from(origin), fields);
    json_decref(json);
}

/* What the fields say does not need the document any more. */
static void preflight(const char *cors, const char *origin) {
    json_t *json = json_loads(cors, 0, NULL);
    count = cors_preflight(json, str_from(origin), STR("PUT"), STR("x-a, authorization"), &arena, fields);
    json_decref(json);
}

#define LISTED "\"origins\": [\"https://a.example\", \"http://b.example:8080\"]"

Test(cors, a_listed_origin_is_named) {
    answer("{" LISTED "}", "http://b.example:8080");
    cr_assert_str_eq(field("Access-Control-Allow-Origin"), "http://b.example:8080");
    cr_assert_str_eq(field("Access-Control-Allow-Credentials"), "");
    cr_assert_str_eq(field("Vary"), "Origin");
    answer("{" LISTED ", \"credentials\": true}", "https://a.example");
    cr_assert_str_eq(field("Access-Control-Allow-Credentials"), "true");
}

Test(cors, any_other_origin_is_told_nothing_but_that_it_matters) {
    static const char *const others[] = {NULL,
                                         "",
                                         "null",
                                         "https://A.example",
                                         "https://a.example.evil",
                                         "https://a.example:8080",
                                         "https://a.exampl",
                                         "*",
                                         "http://a.example"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        answer("{" LISTED ", \"credentials\": true}", others[i]);
        cr_assert(count == 1 && field("Vary")[0], "%s", others[i] ? others[i] : "none");
        preflight("{" LISTED "}", others[i]);
        cr_assert_eq(count, 1);
    }
    count = cors_answer(NULL, STR("https://a.example"), fields);
    cr_assert_eq(count, 0);
}

Test(cors, every_origin_never_has_credentials) {
    answer("{\"origins\": [\"*\"], \"credentials\": true}", "https://x.example");
    cr_assert_str_eq(field("Access-Control-Allow-Origin"), "*");
    cr_assert_eq(count, 1);
}

Test(cors, a_preflight_says_what_may_be_sent) {
    preflight("{" LISTED "}", "https://a.example");
    cr_assert_str_eq(field("Access-Control-Allow-Methods"), "PUT");
    cr_assert_str_eq(field("Access-Control-Allow-Headers"), "Content-Type");
    cr_assert_str_eq(field("Access-Control-Max-Age"), "600");
    preflight("{" LISTED ", \"credentials\": true, \"max_age_s\": 0, \"headers\": [\"X-A\", \"X-B\"]}", "https://a.example");
    cr_assert_str_eq(field("Access-Control-Allow-Headers"), "X-A, X-B");
    cr_assert_str_eq(field("Access-Control-Max-Age"), "0");
    cr_assert_eq(count, CORS_FIELDS_MAX);
    preflight("{" LISTED ", \"headers\": [\"*\"]}", "https://a.example");
    cr_assert_str_eq(field("Access-Control-Allow-Headers"), "x-a, authorization");
    preflight("{" LISTED ", \"headers\": []}", "https://a.example");
    cr_assert_eq(count, 4);
}
