/* What a run gave beside what its example expects. */
#include <criterion/criterion.h>

#include "cli/compare.h"

static json_t *parse(const char *text) {
    struct error err;
    char *quoted = mem_strdup(text);
    for (char *c = quoted; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *value = jsonx_parse(str_from(quoted), &err);
    cr_assert(value, "%s: %s", text, err.text);
    free(quoted);
    return value;
}

/* How many differences; said: NULL or a part of what is told. */
static size_t differences(const char *expected, const char *got, const char *volatiles, const char *said) {
    json_t *a = parse(expected), *b = parse(got), *v = parse(volatiles);
    struct buf out;
    buf_init(&out, 100000);
    compare_drop(a, v);
    compare_drop(b, v);
    size_t n = compare(a, b, &out);
    cr_expect(!said || strstr(out.ptr, said), "\"%s\" is not in\n%s", said, out.ptr);
    cr_expect((n > 0) == (out.len > 0));
    buf_release(&out);
    json_decref(a);
    json_decref(b);
    json_decref(v);
    return n;
}

Test(compare, only_what_is_expected_is_compared) {
    cr_expect_eq(differences("{'state': 'done'}", "{'state': 'done', 'effects': [1]}", "[]", NULL), 0);
    cr_expect_eq(differences("{'answer': {'headers': {'A': 'x'}}}",
                             "{'answer': {'status': 200, 'headers': {'A': 'x', 'B': 'y'}}}", "[]", NULL),
                 0);
    cr_expect_eq(differences("{'answer': {'body': {'a': 1}}}", "{'answer': {'body': {'a': 1, 'b': 2}}}", "[]", "/answer/body/b"),
                 1);
    cr_expect_eq(differences("{'output': {'headers': {}}}", "{'output': {'headers': {'b': 2}}}", "[]", "/output/headers/b"), 1);
}

Test(compare, differences_have_their_place) {
    cr_expect_eq(differences("{'effects': [{'id': 'a'}, {'id': 'b'}]}", "{'effects': [{'id': 'a'}]}", "[]", "/effects/1"), 1);
    cr_expect_eq(differences("{'output': {'a/b': 1}}", "{'output': {'a/b': 2}}", "[]",
                             "/output/a~1b\n      expected 1\n      got      2\n"),
                 1);
    cr_expect_eq(differences("{'output': 1}", "{'output': 1.0}", "[]", NULL), 0);
    cr_expect_eq(differences("{'output': null}", "{}", "[]", "got      nothing"), 1);
    cr_expect_eq(differences("{'output': '1'}", "{'output': 1}", "[]", NULL), 1);
}

Test(compare, texts_differ_by_lines) {
    cr_expect_eq(differences("{'output': 'a\\nb\\nc'}", "{'output': 'a\\nx\\ny\\nc'}", "[]",
                             "line 2 (- expected, + got)\n        a\n      - b\n      + x\n      + y\n"),
                 1);
    cr_expect_eq(differences("{'output': 'a\\n'}", "{'output': ''}", "[]", "- a"), 1);
}

Test(compare, what_is_volatile_is_not_compared) {
    cr_expect_eq(differences("{'output': {'at': 1, 'x': 2}}", "{'output': {'at': 5, 'x': 2}}", "['/output/at']", NULL), 0);
    cr_expect_eq(
        differences("{'effects': [{'to': 1}, {'to': 2}]}", "{'effects': [{'to': 3}, {'to': 4}]}", "['/effects/*/to']", NULL), 0);
    cr_expect_eq(differences("{'effects': [1, 2]}", "{'effects': [1, 3]}", "['/effects/1']", NULL), 0);
    cr_expect_eq(
        differences("{'output': {'a/b': 1}}", "{'output': {'a/b': 2}}", "['/output/a~1b', '', 'x', '/output/none/deeper']", NULL),
        0);
    cr_expect_eq(differences("{'output': {'x': 1}}", "{'output': {'x': 2}}", "['/output/*/y']", NULL), 1);
}

Test(compare, many_differences_are_counted) {
    char a[2000] = "{'output': [0", b[2000] = "{'output': [1";
    for (int i = 0; i < 40; i++) {
        size_t n = strlen(a);
        snprintf(a + n, sizeof a - n, ", 0");
        snprintf(b + n, sizeof b - n, ", 1");
    }
    snprintf(a + strlen(a), 3, "]}");
    snprintf(b + strlen(b), 3, "]}");
    cr_expect_eq(differences(a, b, "[]", "and 21 differences more"), 41);
}
