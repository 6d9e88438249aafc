/* test_diff.c — what changed between two contents of a flow. */
#include <criterion/criterion.h>

#include "flow/diff.h"

static json_t *with_script(const char *text) { return json_pack("{s:{}, s:{s:s}}", "document", "scripts", "flows/a.ts", text); }

/* The one change of a script: "LINE|before|after". */
static void script(const char *before, const char *after, const char *expected) {
    json_t *x = with_script(before), *y = with_script(after), *changes = flow_diff(x, y);
    const json_t *it = json_array_get(changes, 0);
    char told[500];
    cr_assert_eq(json_array_size(changes), 1);
    snprintf(told, sizeof told, "%d|%s|%s", (int)jsonx_int(it, "line", 0), json_string_value(json_object_get(it, "before")),
             json_string_value(json_object_get(it, "after")));
    cr_assert_str_eq(told, expected);
    json_decref(changes);
    json_decref(x);
    json_decref(y);
}

Test(diff, scripts_tell_the_lines_that_differ) {
    script("a\nb\nc\n", "a\nx\nc\n", "2|b\n|x\n");
    script("a\nc\n", "a\nb\nc\n", "2||b\n");
    script("a\nb\nc\n", "a\nc\n", "2|b\n|");
    script("a\n", "a\nb\n", "2||b\n");
    script("b\n", "a\nb\n", "1||a\n");
    script("", "a", "1||a");
    script("aa\n", "a\n", "1|aa\n|a\n");
    script("a\na\n", "a\na\na\n", "3||a\n");
    script("same", "other", "1|same|other");
}

Test(diff, strange_documents_are_compared_too) {
    struct error err;
    json_t *x = jsonx_parse(
        STR("{\"document\": {\"blocks\": [1, {\"id\": \"a\"}, {\"id\": \"a\"}, {}], \"connections\": {\"x\": 1}}}"), &err);
    json_t *y = jsonx_parse(
        STR("{\"document\": {\"blocks\": \"none\", \"connections\": [{}, {\"from\": \"a.out\"}]}, \"scripts\": []}"), &err);
    json_t *changes = flow_diff(x, y), *none = flow_diff(x, x), *added = flow_diff(NULL, x);
    cr_assert_eq(json_array_size(none), 0);
    cr_assert_eq(json_array_size(changes), 6); /* four blocks gone, two connections new */
    cr_assert_eq(json_array_size(added), 4);
    json_decref(changes);
    json_decref(none);
    json_decref(added);
    json_decref(x);
    json_decref(y);
}
