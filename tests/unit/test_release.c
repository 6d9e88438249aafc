/* From a folder to a release: what it says, its plan, its blob. */
#include <criterion/criterion.h>

#include "flow_helper.h"

#define WORKSPACE                                                                                                                \
    "{'name': 'w', 'secrets': {'key': {'type': 'password'}, 'sign': {'type': 'signing-key'}}, 'settings': {'site': {}}}"
#define HELLO                                                                                                                    \
    "{'name': 'Hello', 'type': 'endpoint', 'start': {'method': 'GET', 'path': '/hello'}, 'blocks': ["                            \
    "{'id': 'greet', 'type': 'script', 'script': 'greet.ts'}, {'id': 'answer', 'type': 'end'}], 'connections': ["                \
    "{'from': 'start.out', 'to': 'greet', 'map': {'name': {'from': 'query.name'}}}, "                                            \
    "{'from': 'greet.out', 'to': 'answer', 'map': {'body': {'object': {'message': {'from': 'message'}}}}}]}"
#define GREET                                                                                                                    \
    "// inputs: {\"type\": \"object\", \"properties\": {\"name\": {\"type\": \"string\"}}}\n"                                    \
    "// output: {\"type\": \"object\", \"required\": [\"message\"], \"properties\": {\"message\": {\"type\": \"string\"}}}\n"

static struct helper_build b;

static const struct release *build(struct folder *folder) {
    helper_build(&b, folder);
    folder_free(folder);
    cr_assert(b.release, "%s", b.printed.ptr);
    return b.release;
}

static bool has(struct str text, const char *part) { return str_find(text, str_from(part)) != SIZE_MAX; }

Test(release, hello_is_compiled) {
    const struct release *r =
        build(helper_folder("workspace.json", WORKSPACE, "flows/hello.json", HELLO, "flows/greet.ts", GREET, NULL));
    const struct release_flow *f = release_find_flow(r, STR("hello"));
    cr_assert(f && str_is(f->method, "GET") && str_is(f->path, "/hello") && !f->durable && f->needs == NEED_QUERY);
    cr_assert(f->body_max_bytes == 1024 * 1024 && f->run_ms == 30000 && f->cpu_ms == 10000 && f->memory_mb == 64);
    cr_assert_eq(f->unit_count, 1);
    cr_assert(str_is(f->units[0].key, "greet.ts"));
    cr_assert(has(f->plan, "map: function (input, $) { return {\"name\": input.query?.[\"name\"]}; }"));
    cr_assert(has(f->plan, "ins: [{from: 1, pin: \"out\""));
    cr_assert(has(f->plan, "needs: [\"query\"]"));
    cr_assert_eq(b.jobs, 1);
    helper_build_release(&b);
}

Test(release, the_toolbox_is_asked_once_for_a_text) {
    struct folder *f = helper_folder("workspace.json", WORKSPACE, "flows/hello.json", HELLO, "flows/greet.ts", GREET, NULL);
    helper_build(&b, f);
    helper_build(&b, f);
    cr_assert_eq(b.jobs, 1);
    struct error err;
    cr_assert(folder_set(f, STR("flows/greet.ts"), STR(GREET "// changed\n"), &err));
    build(f);
    cr_assert_eq(b.jobs, 2);
    helper_build_release(&b);
}

Test(release, expressions_keep_to_their_lines_and_names) {
    const struct release *r = build(helper_folder(
        "workspace.json", WORKSPACE, "flows/a.json",
        "{'name': 'A', 'type': 'endpoint', 'start': {'method': 'POST', 'path': '/a/{id}/{n}', 'parameters': {'n': {'type': "
        "'integer'}}, "
        "'answer': 'at once', 'deduplicate': {'code': 'input.requestBody.id // twice'}}, "
        "'blocks': [{'id': 'end', 'type': 'end'}], 'connections': [{'from': 'start.out', 'to': 'end', 'map': {"
        "'body': {'object': {'__proto__': {'value': {'__proto__': 1}}, 'x': {'code': 'Math.max(input.n, await 1)'}}}, "
        "'status': {'setting': 'site'}, 'headers': {'object': {'a': {'secret': 'key'}, 'b': {'from': "
        "'headers[\\'x-b\\'][0]'}}}}}]}",
        NULL));
    const struct release_flow *f = &r->flows[0];
    cr_assert(has(f->plan, "async function (input, $) { const Math = $.Math; return {"));
    cr_assert(has(f->plan, "($.at = \"body\", (\nMath.max(input.n, await 1)\n))"));
    cr_assert(has(f->plan, "[\"__proto__\"]: {[\"__proto__\"]: 1}"));
    cr_assert(has(f->plan, "$.setting(\"site\")") && has(f->plan, "$.secret(\"key\")"));
    cr_assert(has(f->plan, "input.headers?.[\"x-b\"]?.[0]"));
    cr_assert(has(f->plan, ", code: [\"n\"]"));
    cr_assert(
        has(f->plan,
            "deduplicate: function (input, $) { return {\"value\": ($.at = \"value\", (\ninput.requestBody.id // twice\n))}; }"));
    cr_assert(f->at_once && f->durable && f->deduplicate && f->needs == (NEED_REQUEST_BODY | NEED_HEADERS));
    cr_assert(f->parameter_count == 2 && !f->parameters[0].is_integer && f->parameters[1].is_integer);
    cr_assert(f->setting_count == 1 && f->secret_count == 1 && str_is(f->secrets[0], "key"));
    helper_build_release(&b);
}

#define CALLER(id)                                                                                                               \
    "{'name': 'x', 'type': 'reusable', 'blocks': [{'id': 'c', 'type': 'call', 'flow': '" id "'}], "                              \
    "'connections': [{'from': 'start.out', 'to': 'c'}]}"

Test(release, calls_bring_their_flows_and_names) {
    const struct release *r =
        build(helper_folder("workspace.json", WORKSPACE, "flows/a.json", CALLER("b"), "flows/a-b.json", CALLER("a"),
                            "flows/b.json", CALLER("c"), "flows/c.json",
                            "{'name': 'c', 'type': 'reusable', 'blocks': [{'id': 's', 'type': 'script', 'script': 's.ts'}, "
                            "{'id': 'h', 'type': 'http', 'auth': 'key'}], "
                            "'connections': [{'from': 'start.out', 'to': 's'}, {'from': 'start.out', 'to': 'h', 'map': {'url': "
                            "{'setting': 'site'}}}]}",
                            "flows/s.ts", "// uses: {\"flows\": [\"a\"], \"secrets\": [\"sign\"]}\n", NULL));
    const struct release_flow *a = release_find_flow(r, STR("a")), *ab = release_find_flow(r, STR("a-b"));
    cr_assert_eq(a->call_count, 2);
    cr_assert_eq(ab->call_count, 3);
    cr_assert(a->secret_count == 2 && ab->secret_count == 2 && ab->setting_count == 1);
    cr_assert(a->durable && a->number >> 16 == ab->number >> 16 && a->number != ab->number);
    helper_build_release(&b);
}

Test(release, what_is_started_brings_its_own) {
    const struct release *r = build(helper_folder(
        "workspace.json", WORKSPACE, "flows/a.json",
        "{'name': 'a', 'type': 'cron', 'start': {'every': '1 hour'}, 'blocks': [{'id': 'c', 'type': 'call', 'flow': 'b', "
        "'mode': 'start'}], 'connections': [{'from': 'start.out', 'to': 'c'}]}",
        "flows/b.json",
        "{'name': 'b', 'type': 'reusable', 'blocks': [{'id': 'h', 'type': 'http', 'auth': 'key'}], 'connections': ["
        "{'from': 'start.out', 'to': 'h', 'map': {'url': {'setting': 'site'}}}]}",
        NULL));
    const struct release_flow *a = release_find_flow(r, STR("a")), *called = release_find_flow(r, STR("b"));
    cr_assert(a->call_count == 0 && a->secret_count == 0 && a->setting_count == 0);
    cr_assert(called->secret_count == 1 && called->setting_count == 1);
    helper_build_release(&b);
}

Test(release, loops_hold_their_blocks) {
    const struct release *r =
        build(helper_folder("workspace.json", WORKSPACE, "flows/l.json",
                            "{'name': 'l', 'type': 'reusable', 'start': {'inputs': {'type': 'object', 'required': ['urls'], "
                            "'properties': {'urls': {}}}}, "
                            "'blocks': [{'id': 'turn', 'type': 'end', 'in': 'all'}, {'id': 'get', 'type': 'http', 'in': 'all', "
                            "'retry': {'times': 2}}, "
                            "{'id': 'done', 'type': 'end'}, {'id': 'all', 'type': 'loop', 'at_once': 5}], 'connections': ["
                            "{'from': 'start.out', 'to': 'all', 'map': {'list': {'from': 'urls'}}}, "
                            "{'from': 'all.each', 'to': 'get', 'map': {'url': {'from': 'item'}}}, "
                            "{'from': 'get.out', 'to': 'turn', 'map': {'value': {'from': 'response.status'}}}, "
                            "{'from': 'all.done', 'to': 'done', 'map': {'statuses': {'from': 'results'}}}]}",
                            NULL));
    struct str plan = r->flows[0].plan;
    cr_assert(has(plan, "{id: \"all\", type: \"loop\", order: 3"));
    cr_assert(has(plan, "blocks: [{id: \"each\", type: \"turn\"},\n    {id: \"get\", type: \"http\", order: 1,\n     ins: "
                        "[{from: 0, pin: \"out\""));
    cr_assert(has(plan, "retry: {\"times\": 2}, timeout_ms: 10000"));
    cr_assert(has(plan, "config: {at_once: 5}"));
    helper_build_release(&b);
}

Test(release, the_blob_needs_no_toolbox) {
    build(helper_folder(
        "workspace.json", WORKSPACE, "settings.json", "{'site': 'example.com'}", "flows/hello.json", HELLO, "flows/greet.ts",
        GREET, "flows/tick.json",
        "{'name': 't', 'type': 'cron', 'start': {'line': '*/5 * * * *', 'zone': 'UTC'}, 'blocks': [], 'connections': []}", NULL));
    struct buf blob, again;
    struct error err;
    buf_init(&blob, RELEASE_BLOB_MAX);
    buf_init(&again, RELEASE_BLOB_MAX);
    cr_assert(release_write(b.release, &blob));
    struct release *r = release_load(buf_str(&blob), &err);
    cr_assert(r, "%s", err.text);
    cr_assert(release_write(r, &again) && str_eq(buf_str(&blob), buf_str(&again)));
    cr_assert(r->flows[0].number != b.release->flows[0].number);
    cr_assert(str_is(r->flows[1].line, "*/5 * * * *") && r->flows[1].type == FLOW_CRON && r->flows[1].durable);
    cr_assert(str_is(jsonx_str(r->values, "site"), "example.com"));
    cr_assert(release_find_secret(r, STR("sign"))->type == SECRET_SIGNING_KEY);
    cr_assert(str_is(jsonx_str(release_find_setting(r, STR("site"))->schema, "type"), "string"));
    release_unref(r);
    cr_assert(!release_load(STR("{\"format\": 99}"), &err) && err.code == ERR_NEWER);
    cr_assert(!release_load(STR("{\"format\": 2}"), &err) && err.code == ERR_CORRUPT);
    buf_release(&blob);
    buf_release(&again);
    helper_build_release(&b);
}

Test(release, a_toolbox_that_fails_is_told) {
    struct folder *f =
        helper_folder("workspace.json", WORKSPACE, "flows/hello.json", HELLO, "flows/greet.ts", "// @fault\nx", NULL);
    helper_build(&b, f);
    cr_assert(!b.release);
    cr_assert_str_eq(b.printed.ptr, "flows/greet.ts:2:5: error: this script: unexpected token [bad_code]\n");
    folder_free(f);
    helper_build_release(&b);
}

Test(release, the_example_workspace_is_sound) {
    struct folder *f = folder_new();
    struct error err;
    cr_assert(folder_read(f, "tests/workspaces/hello", &err), "%s", err.text);
    cr_assert(folder_find(f, STR("flows/hello.ts")));
    folder_free(f);
}

#define SWITCH(cases, connections)                                                                                               \
    "{'name': 'S', 'type': 'reusable', 'start': {'inputs': {'type': 'object', 'required': ['v'], 'properties': {'v': {}}}}, "    \
    "'blocks': [{'id': 's', 'type': 'switch', 'cases': [" cases "]}, {'id': 'end', 'type': 'end'}], 'connections': ["            \
    "{'from': 'start.out', 'to': 's', 'map': {'value': {'from': 'v'}}}" connections "]}"

static bool finds(const char *flow, const char *code) {
    struct folder *f = helper_folder("workspace.json", WORKSPACE, "flows/s.json", flow, NULL);
    helper_build(&b, f);
    folder_free(f);
    bool found = helper_found(&b, code);
    helper_build_release(&b);
    b = (struct helper_build){0};
    return found;
}

Test(release, a_switch_has_the_pins_of_its_cases) {
    const struct release *r = build(helper_folder("workspace.json", WORKSPACE, "flows/s.json",
                                                  SWITCH("{'id': 'a', 'value': 1}, {'id': 'b', 'value': '1'}",
                                                         ", {'from': 's.a', 'to': 'end'}, {'from': 's.b', 'to': 'end'}, "
                                                         "{'from': 's.default', 'to': 'end'}"),
                                                  NULL));
    const struct release_flow *f = release_find_flow(r, STR("s"));
    cr_assert(has(f->plan, "type: \"switch\"") && has(f->plan, "cases: [{\"id\": \"a\", \"value\": 1}, "));
    cr_assert(has(f->plan, "{from: 1, pin: \"b\"}") && has(f->plan, "{from: 1, pin: \"default\"}"));
    cr_assert_eq(json_array_size(b.findings), 0, "%s", b.printed.ptr);
    cr_assert(finds(SWITCH("{'id': 'a', 'value': 1}", ", {'from': 's.b', 'to': 'end'}"), "unknown_pin"));
    cr_assert(finds(SWITCH("{'id': 'a', 'value': 1}", ", {'from': 's.a', 'to': 'end'}"), "no_end") == false);
}

Test(release, cases_of_a_switch_differ) {
    cr_assert(finds(SWITCH("{'id': 'default', 'value': 1}", ""), "bad_case"));
    cr_assert(finds(SWITCH("{'id': 'a', 'value': [1]}", ""), "bad_case"));
    cr_assert(finds(SWITCH("{'id': 'a', 'value': 1}, {'id': 'a', 'value': 2}", ""), "bad_case"));
    cr_assert(finds(SWITCH("{'id': 'a', 'value': 1}, {'id': 'b', 'value': 1}", ""), "bad_case"));
}

Test(release, a_mail_takes_its_server_from_a_secret_of_its_type) {
#define MAIL(secret)                                                                                                             \
    "{'name': 'M', 'type': 'reusable', 'blocks': [{'id': 'm', 'type': 'mail'}], 'connections': [{'from': 'start.out', 'to': "    \
    "'m', 'map': {'server': {'secret': '" secret "'}, 'from': {'value': 'a@b'}, 'to': {'value': ['c@d']}}}]}"
    cr_assert(finds(MAIL("key"), "wrong_secret"));
    cr_assert(!finds(MAIL("mail"), "wrong_secret") && finds(MAIL("mail"), "not_declared"));
}

#define WHILE(own, condition)                                                                                                    \
    "{'name': 'W', 'type': 'reusable', 'start': {'inputs': {'type': 'object', 'required': ['v'], 'properties': {'v': {}}}}, "    \
    "'blocks': [{'id': 'l', 'type': 'loop', " own "'while': " condition "}, {'id': 'e', 'type': 'end', 'in': 'l'}], "            \
    "'connections': [{'from': 'start.out', 'to': 'l'}, {'from': 'l.each', 'to': 'e', 'map': {'value': {'from': 'last'}}}]}"

Test(release, a_loop_may_go_on_while_an_expression_holds) {
    const struct release *r = build(helper_folder("workspace.json", WORKSPACE, "flows/s.json",
                                                  WHILE("'at_most': 7, ", "{'code': 'input.last < input.v'}"), NULL));
    const struct release_flow *f = release_find_flow(r, STR("s"));
    cr_assert(has(f->plan, "config: {at_most: 7}"));
    cr_assert(
        has(f->plan,
            "while: function (input, $) { return {\"while\": ($.at = \"while\", (\ninput.last < input.v\n))}; }, code: [\""));
    cr_assert(finds(WHILE("", "{'code': 'input.item'}"), "unknown_name"));
    cr_assert(finds(WHILE("", "{'code': '1\\n@fault'}"), "bad_code"));
    cr_assert(finds(WHILE("", "{'setting': 'none'}"), "not_declared"));
    cr_assert(finds(WHILE("'at_once': 2, ", "{'value': true}"), "not_in_this_mode"));
}

#define WAIT(start, map)                                                                                                         \
    "{'name': 'W', 'type': 'endpoint', 'start': {'method': 'POST', 'path': '/w'" start "}, 'blocks': [{'id': 'w', 'type': "      \
    "'wait'}, {'id': 'e', 'type': 'end'}], 'connections': [{'from': 'start.out', 'to': 'w', 'map': {" map "}}, "                 \
    "{'from': 'w.out', 'to': 'e'}]}"

Test(release, a_wait_has_one_measure_and_a_stored_run) {
    cr_assert(finds(WAIT("", "'ms': {'value': 5}"), "wait_not_stored"));
    cr_assert(!finds(WAIT(", 'durable': true", "'ms': {'value': 5}"), "wait_not_stored"));
    cr_assert(!finds(WAIT("", "'ms': {'value': 5}"), "no_duration") && finds(WAIT("", ""), "no_duration"));
    cr_assert(finds(WAIT("", "'ms': {'value': 5}, 'until': {'value': 'x'}"), "no_duration"));
}

#define LINKED(start, link, body)                                                                                                \
    "{'name': 'W', 'type': 'endpoint', 'start': {'method': 'POST', 'path': '/w'" start "}, 'blocks': [{'id': 'w', 'type': "      \
    "'wait', 'link': {" link "}}, {'id': 'e', 'type': 'end'}], 'connections': [{'from': 'start.out', 'to': 'w'}, "               \
    "{'from': 'w.out', 'to': 'e', 'map': {'body': " body "}}, {'from': 'w.timeout', 'to': 'e'}]}"

Test(release, a_wait_for_a_link_is_stored_and_its_link_is_found) {
    cr_assert(!finds(LINKED(", 'durable': true", "", "{'from': 'answer'}"), "no_duration"));
    cr_assert(!finds(LINKED(", 'durable': true", "", "{'link': 'w'}"), "no_link"));
    cr_assert(finds(LINKED(", 'durable': true", "", "{'link': 'e'}"), "no_link"));
    cr_assert(finds(LINKED(", 'durable': true", "", "{'link': '?'}"), "bad_name"));
    cr_assert(finds(LINKED("", "", "{'from': 'answer'}"), "wait_not_stored"));
    cr_assert(finds(LINKED(", 'durable': true", "'fields': [{'name': 'a', 'type': 'choice'}]", "{'value': 1}"), "bad_field"));
    cr_assert(finds(LINKED(", 'durable': true", "'fields': [{'name': 'a'}, {'name': 'a'}]", "{'value': 1}"), "bad_field"));
    cr_assert(finds(WAIT(", 'durable': true", "'ms': {'value': 5}, 'title': {'value': 'x'}"), "unknown_input"));
}

#define HTTP(own, map)                                                                                                           \
    "{'name': 'H', 'type': 'reusable', 'blocks': [{'id': 'h', 'type': 'http'" own                                                \
    "}, {'id': 'e', 'type': 'end'}], 'connections': [{'from': 'start.out', 'to': 'h', 'map': {'url': {'value': 'http://x/'}" map \
    "}}, {'from': 'h.out', 'to': 'e'}]}"

Test(release, a_probe_has_an_address_and_codes_to_try_again_after_are_known) {
    cr_assert(!finds(HTTP(", 'unknown': 'probe'", ", 'probe': {'value': 'http://x/1'}"), "bad_probe"));
    cr_assert(finds(HTTP(", 'unknown': 'probe'", ""), "bad_probe") && finds(HTTP("", ", 'probe': {'value': 'x'}"), "bad_probe"));
    cr_assert(finds(HTTP(", 'unknown': 'probe', 'probe_finds': 'body;x'", ", 'probe': {'value': 'x'}"), "bad_probe"));
    cr_assert(!finds(HTTP(", 'retry': {'times': 1, 'on': ['timeout', 'internal']}", ""), "unknown_code"));
    cr_assert(finds(HTTP(", 'retry': {'times': 1, 'on': ['time_out']}", ""), "unknown_code"));
}
