/* Folders: what they take, their canonical text, and where findings point. */
#include <criterion/criterion.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flow/flow.h"
#include "flow_helper.h"

#define MESSY                                                                                                                    \
    "{'connections': [{'map': {'b': {'value': [1.10, 1e21, 0.1]}, 'a': {'list': []}}, 'to': 'e', 'from': 'start.out'}], "        \
    "'type': 'reusable', 'blocks': [{'type': 'end', 'id': 'e', 'note': 'h\\u00e9'}], 'layout': {'e': [1, 2.5]}, "                \
    "'start': {'note': 'x', 'limits': {'memory_mb': 32, 'run_ms': 1000}, 'inputs': {'type': 'object', 'properties': {'z': {}, "  \
    "'a': {}}}}, "                                                                                                               \
    "'name': 'A name that is rather long, so that the line it would stand on is too long for one line of the canonical text'}"

static bool set(struct folder *f, const char *path, const char *text, struct error *err) {
    return folder_set(f, str_from(path), str_from(text), err);
}

Test(folder, takes_only_what_belongs_there) {
    static const char *const bad[] = {
        "",          "a",      "a.exe",     ".json",     "../a.json",   "flows/../a.json", "/a.json",      "x/a.json",
        "flows/x/a", "flows/", "flows/.ts", "a\\b.json", "flows//a.ts", "b c.json",        "\xC3\xBC.json"};
    struct folder *f = folder_new();
    struct error err;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        cr_expect(!set(f, bad[i], "{}", &err), "%s", bad[i]);
    cr_expect(set(f, "flows/Send_mail-2.x.ts", "", &err) && set(f, "README.md", "# x", &err));
    cr_expect(!set(f, "a.json", "\xFF", &err) && !folder_set(f, STR("a.json"), str_of("a\0b", 3), &err));
    cr_expect_eq(f->count, 2);
    folder_free(f);
}

Test(folder, is_limited) {
    struct folder *f = folder_new();
    struct error err;
    char *big = mem_alloc(FOLDER_FILE_MAX + 1), path[40];
    memset(big, ' ', FOLDER_FILE_MAX + 1);
    cr_assert(!folder_set(f, STR("a.json"), str_of(big, FOLDER_FILE_MAX + 1), &err) && err.code == ERR_TOO_LARGE);
    for (size_t i = 0; i < FOLDER_TOTAL_MAX / FOLDER_FILE_MAX; i++) {
        snprintf(path, sizeof path, "%zu.json", i);
        cr_assert(folder_set(f, str_from(path), str_of(big, FOLDER_FILE_MAX), &err));
    }
    cr_assert(!set(f, "a.json", " ", &err));
    cr_assert(set(f, "0.json", " ", &err) && set(f, "a.json", " ", &err), "what is replaced counts no more");
    for (int i = 0; f->count < FOLDER_FILES_MAX; i++) {
        snprintf(path, sizeof path, "x%d.json", i);
        cr_assert(set(f, path, "", &err));
    }
    cr_assert(!set(f, "one-more.json", "", &err));
    free(big);
    folder_free(f);
}

static void format(struct folder *f) {
    struct findings findings;
    struct buf printed;
    findings_init(&findings);
    buf_init(&printed, 10000);
    bool ok = folder_format(f, &findings);
    findings_print(&findings, &printed);
    cr_assert(ok && !findings.count, "%s", printed.ptr);
    findings_release(&findings);
    buf_release(&printed);
}

Test(folder, canonical_text) {
    struct folder *f = helper_folder("flows/a.json", MESSY, "workspace.json",
                                     "{'secrets': {'b': {'type': 'basic'}, 'a': {'practice': 'x', 'type': 'smtp'}}, 'name': 'w'}",
                                     "settings.json", "{'z': {'deep': [1, 2]}, 'a': 1}", "flows/x.ts", "a  \n", NULL);
    format(f);
    cr_expect_str_eq(
        folder_find(f, STR("flows/a.json"))->text,
        "{\n"
        "  \"name\": \"A name that is rather long, so that the line it would stand on is too long for one line of the canonical "
        "text\",\n"
        "  \"type\": \"reusable\",\n"
        "  \"start\": {\n"
        "    \"inputs\": {\"type\": \"object\", \"properties\": {\"z\": {}, \"a\": {}}},\n"
        "    \"limits\": {\"run_ms\": 1000, \"memory_mb\": 32},\n"
        "    \"note\": \"x\"\n"
        "  },\n"
        "  \"blocks\": [{\"id\": \"e\", \"type\": \"end\", \"note\": \"h\xC3\xA9\"}],\n"
        "  \"connections\": [\n"
        "    {\"from\": \"start.out\", \"to\": \"e\", \"map\": {\"b\": {\"value\": [1.1, 1e+21, 0.1]}, \"a\": {\"list\": []}}}\n"
        "  ],\n"
        "  \"layout\": {\"e\": [1, 2.5]}\n"
        "}\n");
    cr_expect_str_eq(folder_find(f, STR("workspace.json"))->text,
                     "{\n  \"name\": \"w\",\n  \"secrets\": {\"b\": {\"type\": \"basic\"}, \"a\": {\"type\": \"smtp\", "
                     "\"practice\": \"x\"}}\n}\n");
    cr_expect_str_eq(folder_find(f, STR("settings.json"))->text, "{\n  \"z\": {\"deep\": [1, 2]},\n  \"a\": 1\n}\n");
    cr_expect_str_eq(folder_find(f, STR("flows/x.ts"))->text, "a  \n");
    struct folder *once = folder_copy(f);
    format(f);
    json_t *a = folder_to_json(once), *b = folder_to_json(f);
    cr_expect(json_equal(a, b), "the canonical text of canonical text is the same");
    json_decref(a);
    json_decref(b);
    folder_free(once);
    folder_free(f);
}

Test(folder, there_and_back_are_the_same_bytes) {
    char dir[] = "/tmp/flowlet-test-XXXXXX", path[200];
    struct error err;
    cr_assert(mkdtemp(dir));
    struct folder *f =
        helper_folder("flows/a.json", MESSY, "workspace.json", "{'name': 'w'}", "flows/x.ts", "export const a = 1;\n", NULL);
    format(f);
    cr_assert(folder_write(f, dir, &err), "%s", err.text);
    snprintf(path, sizeof path, "%s/flows/old.ts", dir);
    cr_assert(file_write(path, STR("gone"), 0644, &err));
    snprintf(path, sizeof path, "%s/.git", dir);
    cr_assert(mkdir(path, 0755) == 0);
    cr_assert(folder_write(f, dir, &err), "%s", err.text);
    struct folder *back = folder_new(), *pulled = folder_new();
    cr_assert(folder_read(back, dir, &err), "%s", err.text);
    json_t *pushed = folder_to_json(f), *read = folder_to_json(back);
    cr_assert(json_equal(pushed, read));
    cr_assert(folder_from_json(pulled, read, &err) && pulled->total == f->total);
    json_decref(pushed);
    json_decref(read);
    snprintf(path, sizeof path, "%s/flows/link.ts", dir);
    cr_assert(symlink("/etc/passwd", path) == 0);
    cr_assert(!folder_read(pulled, dir, &err) && strstr(err.text, "flows/link.ts: this is a link"), "%s", err.text);
    snprintf(path, sizeof path, "rm -r %s", dir);
    cr_assert(system(path) == 0);
    folder_free(f);
    folder_free(back);
    folder_free(pulled);
}

Test(folder, what_cannot_be_formatted_stays_and_is_told) {
    struct folder *f = helper_folder(
        "flows/a.json", "{'name': 'x',\n 'typ': 'cron'}", "flows/b.json", "{\n  'name': 1,}", "flows/c.json",
        "{'name': 'x', 'type': 'cron', 'start': {'every': '1 hour', 'evry': 1}, 'blocks': [], 'connections': []}", NULL);
    struct findings findings;
    struct buf printed;
    findings_init(&findings);
    buf_init(&printed, 10000);
    cr_assert(!folder_format(f, &findings));
    findings_print(&findings, &printed);
    cr_expect_str_eq(
        printed.ptr,
        "flows/a.json:1:1: error: `type` is missing: add it, one of endpoint, cron, reusable [missing_key]\n"
        "flows/b.json:2:13: error: no valid JSON: string or '}' expected near '}' [bad_json]\n"
        "flows/c.json:1:60: error: there is no key `evry` here: remove it or use one of every, line, zone, overlap, missed, bodies, limits, note "
        "[unknown_key]\n");
    findings_release(&findings);
    buf_release(&printed);
    folder_free(f);
}

static void expect_place(const char *text, const char *pointer, unsigned line, unsigned column) {
    unsigned l, c;
    json_place(str_from(text), str_from(pointer), &l, &c);
    cr_expect(l == line && c == column, "%s in %s: %u:%u", pointer, text, l, c);
}

Test(folder, places_in_texts) {
    static const char text[] =
        "{\"a\": [1, {\"b\\u0041/~\": \"x\\\"]\", \"\": 2}],\n \"\xC3\xBC\xC3\xBC\": {\"c\": {}}, \"d\": true}";
    expect_place(text, "", 1, 1);
    expect_place(text, "/a", 1, 2);
    expect_place(text, "/a/1", 1, 11);
    expect_place(text, "/a/1/bA~1~0", 1, 12);
    expect_place(text, "/a/1/", 1, 33);
    expect_place(text, "/\xC3\xBC\xC3\xBC/c", 2, 9);
    expect_place(text, "/d", 2, 19);
    expect_place(text, "/d/x", 2, 19);
    expect_place(text, "/a/7", 1, 2);
    expect_place("[\"", "/0", 1, 2);
    expect_place("{\"a\"", "/a/b", 1, 2);
    expect_place("", "/a", 1, 1);
}

Test(folder, settings_keep_to_what_is_declared) {
    static struct helper_build b;
    struct folder *f = helper_folder("workspace.json",
                                     "{'name': 'W', 'settings': {'n': {'schema': {'type': 'integer'}, 'default': 'x'}, 's': "
                                     "{'schema': {'type': ['string', 'null']}}},"
                                     "\n 'secrets': {'p': {'type': 'password', 'practice': {}}, 'b': {'type': 'basic', "
                                     "'practice': 'x'}, 'c': {'type': 'oauth'}}}",
                                     "settings.json", "{'n': 1.5,\n's': null, 'x': 1, 'p-q': 2}", NULL);
    helper_build(&b, f);
    cr_expect(!b.release);
    cr_expect(helper_found(&b, "bad_id") && helper_found(&b, "bad_value") && helper_found(&b, "bad_name"), "%s", b.printed.ptr);
    folder_free(f);
    f = helper_folder("workspace.json",
                      "{'name': 'w', 'settings': {'n': {'schema': {'type': 'integer'}, 'default': 'x'}, 's': {'schema': {'type': "
                      "['string', 'null']}}},"
                      "\n 'secrets': {'p': {'type': 'password', 'practice': {}}, 'b': {'type': 'basic', 'practice': 'x'}}}",
                      "settings.json", "{'n': 1.5,\n's': null, 'x': 1}", NULL);
    helper_build(&b, f);
    cr_expect_str_eq(
        b.printed.ptr,
        "settings.json:1:2: error: the value of `n` is not of the type that its schema wants [bad_value]\n"
        "settings.json:2:12: error: workspace.json declares no setting `x`: add it there, or remove it here [not_declared]\n"
        "workspace.json:1:65: error: the `default` of `n` is not of the type that its schema wants [bad_default]\n"
        "workspace.json:2:40: error: `practice` of `p` must be a string [bad_practice]\n"
        "workspace.json:2:80: error: `practice` of `b` must be an object with username and password [bad_practice]\n");
    folder_free(f);
    helper_build_release(&b);
}
