/* spec/: cases that C and TypeScript both must pass, and the schemas that the shapes write. */
#include <criterion/criterion.h>

#include "flow/spec.h"
#include "flow_helper.h"

/* What stands around the flow of a case. */
static const char workspace[] =
    "{'name': 'w', 'settings': {'site': {}}, 'secrets': {'token': {'type': 'password'}, 'login': {'type': 'basic'}, "
    "'sign': {'type': 'signing-key'}}}";
static const char page[] = "{'name': 'Page', 'type': 'endpoint', 'start': {'method': 'GET', 'path': '/page/{id}'}, "
                           "'blocks': [{'id': 'e', 'type': 'end'}], 'connections': [{'from': 'start.out', 'to': 'e'}]}";
static const char given[] = "{'name': 'Given', 'type': 'reusable', 'start': {'inputs': {'type': 'object', 'required': ['text'], "
                            "'properties': {'text': {'type': 'string'}}}}, 'blocks': [{'id': 'e', 'type': 'end'}], "
                            "'connections': [{'from': 'start.out', 'to': 'e', 'map': {'length': {'value': 1}}}]}";
static const char a_script[] =
    "// output: {\"type\": \"object\", \"required\": [\"n\"], \"properties\": {\"n\": {\"type\": \"number\"}, "
    "\"maybe\": {\"type\": \"number\"}}}\n";
static const char takes_script[] =
    "// inputs: {\"type\": \"object\", \"required\": [\"v\"], \"properties\": {\"v\": {\"type\": \"number\"}, "
    "\"more\": {}}}\n";
static const char asks_script[] =
    "// uses: {\"secrets\": [\"token\", \"nobody\"], \"flows\": [\"given\", \"page\"], \"dynamic\": [\"secrets\"]}\n";

/* "error may_be_reached_twice flows/f.json /blocks/1" */
static void describe(const json_t *finding, struct buf *out) {
    const char *file = json_string_value(json_object_get(finding, "file")),
               *pointer = json_string_value(json_object_get(finding, "pointer"));
    buf_addf(out, "%s %s %s %s\n", json_string_value(json_object_get(finding, "severity")),
             json_string_value(json_object_get(finding, "code")), file ? file : "flows/f.json", pointer ? pointer : "");
}

static int compare_lines(const void *a, const void *b) { return str_compare(*(const struct str *)a, *(const struct str *)b); }

static void describe_all(const json_t *findings, struct buf *out) {
    struct str lines[100], rest, line;
    struct buf text;
    size_t n = 0, i;
    json_t *f;
    buf_init(&text, 1 << 20);
    json_array_foreach(findings, i, f) describe(f, &text);
    rest = buf_str(&text);
    while (n < 100 && str_cut(&rest, '\n', &line))
        if (line.len)
            lines[n++] = line;
    qsort(lines, n, sizeof *lines, compare_lines);
    for (i = 0; i < n; i++)
        buf_addf(out, STR_FMT "\n", STR_ARG(lines[i]));
    buf_release(&text);
}

static void run_case(const json_t *it) {
    static struct helper_build b;
    struct buf document, expected, found;
    struct error err;
    struct folder *folder =
        helper_folder("workspace.json", workspace, "flows/page.json", page, "flows/given.json", given, "flows/a.ts", a_script,
                      "flows/takes.ts", takes_script, "flows/bad.ts", "// @fault\n", "flows/asks.ts", asks_script, NULL);
    buf_init(&document, 1 << 20);
    buf_init(&expected, 1 << 20);
    buf_init(&found, 1 << 20);
    jsonx_write(json_object_get(it, "flow"), &document);
    cr_assert(folder_set(folder, STR("flows/f.json"), buf_str(&document), &err));
    helper_build(&b, folder);
    describe_all(json_object_get(it, "findings"), &expected);
    describe_all(b.findings, &found);
    cr_expect_str_eq(found.ptr, expected.ptr, "%s\nexpected:\n%sfound:\n%s%s", json_string_value(json_object_get(it, "about")),
                     expected.ptr, found.ptr, b.printed.ptr);
    cr_expect(!b.release == (str_find(buf_str(&expected), STR("error ")) != SIZE_MAX));
    buf_release(&document);
    buf_release(&expected);
    buf_release(&found);
    folder_free(folder);
    helper_build_release(&b);
    b = (struct helper_build){0};
}

static void run_cases(const char *path) {
    struct buf text;
    struct error err;
    size_t i;
    json_t *it;
    buf_init(&text, 1 << 20);
    cr_assert(file_read(path, &text, &err), "%s", err.text);
    json_t *json = jsonx_parse(buf_str(&text), &err);
    cr_assert(json, "%s: %s", path, err.text);
    cr_assert(json_array_size(json_object_get(json, "cases")) > 0);
    json_array_foreach(json_object_get(json, "cases"), i, it) run_case(it);
    json_decref(json);
    buf_release(&text);
}

Test(spec, ways) { run_cases("spec/cases/ways.json"); }
Test(spec, names) { run_cases("spec/cases/names.json"); }
Test(spec, mappings) { run_cases("spec/cases/mappings.json"); }
Test(spec, blocks) { run_cases("spec/cases/blocks.json"); }
Test(spec, starts) { run_cases("spec/cases/starts.json"); }

static void same_as_file(json_t *schema, const char *path) {
    struct buf text, file;
    struct error err;
    buf_init(&text, 1 << 20);
    buf_init(&file, 1 << 20);
    cr_assert(jsonx_write_pretty(schema, &text) && file_read(path, &file, &err));
    cr_assert(str_eq(buf_str(&text), buf_str(&file)), "a shape has changed: `make spec` writes %s anew", path);
    json_decref(schema);
    buf_release(&text);
    buf_release(&file);
}

Test(spec, schemas_are_those_of_the_shapes) {
    same_as_file(spec_flow(), "spec/flow.schema.json");
    same_as_file(spec_workspace(), "spec/workspace.schema.json");
    same_as_file(spec_example(), "spec/example.schema.json");
}
