/* What a test run has of its own: given answers, state that is forgotten; and what history allows to be run again. */
#include <criterion/criterion.h>

#include "run/again.h"
#include "run/trial.h"

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

static int64_t answer(const struct trial *t, const char *id, const char *name, const char *about) {
    json_t *given = trial_answer(t, id, name, about);
    return given ? json_integer_value(given) : -1;
}

Test(trial, an_answer_is_found_from_the_narrowest_name_to_the_widest) {
    struct trial *t = trial_new(true);
    cr_expect_eq(answer(t, "a#1", "http.request", "GET x"), -1);
    t->answers =
        parse("{'scan[2].http~2#1': 1, 'GET https://x/': 2, 'scan[1].http': 3, 'scan.http': 4, 'p>q': 5, 'nap': 6, 'nap#2': 7}");
    cr_expect_eq(answer(t, "scan[2].http~2#1", "http.request", "GET https://x/"), 1);
    cr_expect_eq(answer(t, "scan[2].http#1", "http.request", "GET https://x/"), 2);
    cr_expect_eq(answer(t, "scan[1].http#9", "http.request", NULL), 3);
    cr_expect_eq(answer(t, "scan[10].http~3#1", "http.request", "GET y"), 4);
    cr_expect_eq(answer(t, "p~2>q#1", "mail.send", NULL), 5);
    cr_expect_eq(answer(t, "nap#1", "wait", NULL), -1, "a path does not answer its block's own time limit");
    cr_expect_eq(answer(t, "nap#2", "wait", NULL), 7);
    trial_unref(t);
}

Test(trial, writes_are_counted) {
    struct trial *t = trial_new(true);
    struct error err;
    unsigned sees;
    json_t *args = parse("{'key': 'a', 'value': 1}");
    cr_assert(trial_state_add(t, "state.get", args, 1, &sees, &err) && sees == 0);
    for (unsigned i = 0; i < TRIAL_WRITES_MAX; i++)
        cr_assert(trial_state_add(t, "state.put", args, 1, &sees, &err) && sees == i);
    cr_assert(trial_state_add(t, "state.list", args, 1, &sees, &err) && sees == TRIAL_WRITES_MAX);
    cr_assert(!trial_state_add(t, "state.delete", args, 1, &sees, &err) && err.code == ERR_LIMIT);
    json_decref(args);
    trial_unref(t);
}

#define FLOW                                                                                                                     \
    "{'blocks': [{'id': 'a', 'type': 'script'}, {'id': 'b', 'type': 'http'}, {'id': 'l', 'type': 'loop'}, "                      \
    "{'id': 'i', 'type': 'script', 'in': 'l'}, {'id': 'c', 'type': 'script'}, {'id': 'e', 'type': 'end'}], "                     \
    "'connections': [{'from': 'start.out', 'to': 'a'}, {'from': 'start.out', 'to': 'c'}, {'from': 'a.out', 'to': 'b'}, "         \
    "{'from': 'b.out', 'to': 'l'}, {'from': 'l.each', 'to': 'i'}, {'from': 'l.done', 'to': 'e'}]}"
#define START "{'path': 'start', 'pin': 'out', 'output': {'x': 1}}"

/* NULL: from there it is possible. Else the reason. */
static const char *why_not(const char *history, const char *from, unsigned needs, json_t **repeated) {
    static struct error err;
    static struct release release;
    struct release_flow flow = {.needs = needs};
    struct again a = {.history = parse(history), .before = parse(FLOW), .now = parse(FLOW), .release = &release, .flow = &flow};
    json_t *input;
    bool ok = again_take(&a, str_from(from), &input, repeated, &err);
    json_decref(input);
    json_decref((json_t *)(uintptr_t)a.history);
    json_decref((json_t *)(uintptr_t)a.before);
    json_decref((json_t *)(uintptr_t)a.now);
    return ok ? NULL : err.text;
}

static bool says(const char *history, const char *from, unsigned needs, const char *word) {
    json_t *repeated = NULL;
    const char *why = why_not(history, from, needs, &repeated);
    json_decref(repeated);
    return why && strstr(why, word);
}

Test(again, what_lies_beside_a_block_is_repeated_and_what_follows_it_is_not) {
    json_t *repeated = NULL;
    cr_assert(!why_not("{'blocks': [" START
                       ", {'path': 'a', 'pin': 'out', 'output': {}}, {'path': 'c', 'pin': 'out', 'output': {'y': 2}}, "
                       "{'path': 'b', 'pin': 'out', 'output': {}}, {'path': 'l[0].i', 'pin': 'out', 'output': {}}, "
                       "{'path': 'l', 'pin': 'done', 'output': {}}, {'path': 'e', 'pin': 'out', 'output': {}}]}",
                       "b", 0, &repeated));
    cr_expect_eq(json_object_size(repeated), 2);
    cr_expect(json_object_get(repeated, "a") && json_object_get(json_object_get(json_object_get(repeated, "c"), "output"), "y"));
    json_decref(repeated);
}

Test(again, values_that_are_not_whole_are_not_repeated) {
    cr_expect(says("{'blocks': []}", "", 0, "ended before it began"));
    cr_expect(says("{'blocks': [" START "]}", "", NEED_RAW_BODY, "raw body"));
    cr_expect(says("{'blocks': [{'path': 'start', 'output': {'$cut': 'x', 'length': 9}}]}", "", 0, "too long"));
    cr_expect(says("{'blocks': [{'path': 'start', 'output': {'a': [{'b': '\xC2\xABsecret:t:00\xC2\xBB'}]}}]}", "", 0, "secret"));
    cr_expect(says("{'blocks': [" START ", {'path': 'b', 'pin': 'out', 'output': {}}], 'omitted': 2, 'full': true}", "b", 0, "does not list"));
    cr_expect(says("{'blocks': [" START ", {'path': 'a', 'pin': 'out'}, {'path': 'b', 'pin': 'out', 'output': {}}]}", "b", 0,
                   "not kept"));
    cr_expect(says("{'blocks': [" START
                   ", {'path': 'a', 'pin': 'error', 'error': {'status': 500}}, {'path': 'b', 'output': {}}]}",
                   "b", 0, "service's answer"));
    cr_expect(says("{'blocks': [" START "]}", "b", 0, "not reached"));
    cr_expect(says("{'blocks': [" START "]}", "i", 0, "outside of its loops"));
}
