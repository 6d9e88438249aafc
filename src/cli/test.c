/* test.c — `flowlet test`: replays the examples of a workspace's flows with captured effects, and compares. */
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "cli/captured.h"
#include "cli/client.h"
#include "cli/compare.h"
#include "cli/findings.h"
#include "cli/own_server.h"
#include "flow/example.h"

#define DIFFERENCES_BYTES ((size_t)256 * 1024) /* of one example */
#define STANDARD_NOW "2025-01-01T00:00:00Z"

struct options {
    struct client_options client;
    const char *filter, *junit;
    bool update;
};
static const struct arg args[] = {{.flag = "filter",
                                   .value = "TEXT",
                                   .type = ARG_TEXT,
                                   .offset = offsetof(struct options, filter),
                                   .help = "only examples with this in their name: hello, hello.in-german"},
                                  {.flag = "update",
                                   .type = ARG_SWITCH,
                                   .offset = offsetof(struct options, update),
                                   .help = "write what came as what is expected; then read the difference"},
                                  {.flag = "junit",
                                   .value = "FILE",
                                   .type = ARG_TEXT,
                                   .offset = offsetof(struct options, junit),
                                   .help = "the results as JUnit XML"},
                                  CLIENT_ARGS(struct options)};

struct result {
    struct str flow, name; /* in the folder */
    const char *path;
    struct buf said; /* what differs; empty: it passed */
    bool updated;
    int64_t ms;
    struct result *next;
};

struct testing {
    struct cli *c;
    const struct options *o;
    struct folder *folder;
    struct client k;
    struct client_options own_options;
    struct own_server own;
    json_t *draft; /* files that the server is to lay over what it has; NULL: none */
    struct result *results, **last;
    size_t passed, failed, updated;
};

/* ---- a server ---- */

/* One that runs and has the workspace. */
static bool find_server(struct testing *t, const char *workspace, struct error *err) {
    const char *path;
    if (!client_open(&t->k, t->c, &t->o->client, err))
        return false;
    t->k.workspace = workspace;
    path = client_path(&t->k, err, "/files");
    json_t *answer = client_ask(&t->k, "GET", path, NULL, NULL, err), *text;
    const char *name;
    if (!answer)
        return false;
    t->draft = folder_to_json(t->folder);
    json_object_foreach(json_object_get(answer, "files"), name, text) {
        if (!json_object_get(t->draft, name))
            json_object_set_new(t->draft, name, json_null());
    }
    json_decref(answer);
    return true;
}

static bool start_server(struct testing *t, const char *workspace, struct error *err) {
    fprintf(stderr, "No server has this workspace: starting one for the tests ...\n");
    if (!own_server_start(&t->own, cli_folder(t->c), &t->c->arena, err))
        return false;
    t->own_options = (struct client_options){.server = t->own.console, .data = t->own.data};
    t->own_options.token_file = arena_printf(&t->c->arena, "%s/token", t->own.data);
    bool ok = client_open(&t->k, t->c, &t->own_options, err);
    t->k.workspace = workspace;
    return ok;
}

static bool reach_server(struct testing *t, struct error *err) {
    const struct folder_file *file = folder_find(t->folder, STR("workspace.json"));
    json_t *document = jsonx_parse(folder_text(file), err);
    struct str name = jsonx_str(document, "name");
    const char *workspace = t->o->client.workspace ? t->o->client.workspace : arena_strdup(&t->c->arena, name);
    json_decref(document);
    if (!name.len)
        return error_set(err, ERR_INVALID, "%s/workspace.json has no `name`", cli_folder(t->c));
    return find_server(t, workspace, err) || (!t->o->client.server && start_server(t, workspace, err));
}

/* ---- one example ---- */

static bool parse_time(const char *text, int64_t *ms) {
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    *ms = end ? (int64_t)timegm(&tm) * 1000 : 0;
    if (end && *end == '.')
        *ms += (int64_t)(strtod(end, (char **)&end) * 1000 + 0.5);
    return end && strcmp(end, "Z") == 0;
}

static bool is_endpoint(const struct testing *t, struct str flow) {
    char path[200];
    struct error err;
    snprintf(path, sizeof path, "flows/" STR_FMT ".json", STR_ARG(flow));
    const struct folder_file *file = folder_find(t->folder, str_from(path));
    json_t *document = file ? jsonx_parse(folder_text(file), &err) : NULL;
    bool is = str_is(jsonx_str(document, "type"), "endpoint");
    json_decref(document);
    return is;
}

/* NULL: `now` is no time. */
static json_t *request_of(const struct testing *t, const struct result *r, const json_t *example, struct error *err) {
    static const char *const same[] = {"request", "input", "at", "answers"};
    int64_t now_ms;
    struct str now = jsonx_str(example, "now");
    if (!parse_time(now.len ? now.ptr : STANDARD_NOW, &now_ms)) {
        error_set(err, ERR_INVALID, "`now` is no time: write it as " STANDARD_NOW);
        return NULL;
    }
    json_t *body = json_pack("{s:o, s:s, s:I, s:s}", "flow", jsonx_from_str(r->flow), "seed", r->path, "now_ms",
                             (json_int_t)now_ms, "effects", "captured");
    json_t *state = json_object_get(example, "state");
    json_object_set_new(body, "state", state ? json_incref(state) : json_object());
    for (size_t i = 0; i < ARRAY_LEN(same); i++)
        if (json_object_get(example, same[i]))
            json_object_set(body, same[i], json_object_get(example, same[i]));
    if (!json_object_get(body, "request") && !json_object_get(body, "input") && is_endpoint(t, r->flow))
        json_object_set_new(body, "request", json_object());
    if (t->draft)
        json_object_set(body, "files", t->draft);
    return body;
}

static json_t *headers_of(const json_t *list) {
    json_t *headers = json_object(), *pair;
    size_t i;
    json_array_foreach(list, i, pair) {
        struct str name = jsonx_string_value(json_array_get(pair, 0));
        json_object_setn(headers, name.ptr, name.len, json_array_get(pair, 1));
    }
    return headers;
}

static json_t *answer_of(const json_t *answer) {
    struct error err;
    json_t *headers = headers_of(json_object_get(answer, "headers")), *body = NULL;
    struct str text = jsonx_str(answer, "body"), type = jsonx_str(headers, "Content-Type");
    if (str_find(type, STR("json")) != SIZE_MAX)
        body = jsonx_parse(text, &err);
    return json_pack("{s:O, s:o, s:o}", "status", json_object_get(answer, "status"), "headers", headers, "body",
                     body ? body : jsonx_from_str(text));
}

/* Those captured, and the flows that were started. */
static json_t *effects_of(const json_t *all) {
    json_t *effects = json_array(), *one;
    size_t i;
    json_array_foreach(all, i, one) {
        struct str kind = jsonx_str(one, "captured"), content = jsonx_str(one, "content"), about = jsonx_str(one, "about");
        bool started = str_is(jsonx_str(one, "op"), "flows.start");
        if (!kind.len && !started)
            continue;
        json_t *effect = json_pack("{s:O, s:o}", "id", json_object_get(one, "id"), "kind",
                                   started ? json_string("start") : jsonx_from_str(kind));
        json_object_set_new(effect, "to",
                            started ? jsonx_from_str(str_of(about.ptr + 6, about.len - 6))
                                    : json_incref(json_object_get(one, "to")));
        if (!started)
            json_object_set_new(effect, "content",
                                content.ptr ? captured_readable(kind, content) : json_incref(json_object_get(one, "content")));
        json_array_append_new(effects, effect);
    }
    return effects;
}

/* In the form of an example's `expect`. */
static json_t *outcome_of(const json_t *answer) {
    json_t *outcome = json_pack("{s:O}", "state", json_object_get(answer, "state"));
    const json_t *history = json_object_get(answer, "history");
    if (json_object_get(answer, "error"))
        json_object_set(outcome, "error", json_object_get(answer, "error"));
    if (json_object_get(answer, "answer"))
        json_object_set_new(outcome, "answer", answer_of(json_object_get(answer, "answer")));
    else if (json_object_get(answer, "output"))
        json_object_set(outcome, "output", json_object_get(answer, "output"));
    json_object_set_new(outcome, "effects", effects_of(json_object_get(history, "effects")));
    return outcome;
}

/* Only a file whose text becomes another one is written. */
static bool update(const struct testing *t, struct result *r, json_t *example, const json_t *outcome, struct error *err) {
    struct buf text;
    json_object_set(example, "expect", (json_t *)(uintptr_t)outcome);
    json_t *ordered = shape_order(&example_shape, example);
    buf_init(&text, FOLDER_FILE_MAX);
    bool ok = jsonx_write_pretty(ordered, &text) || error_set(err, ERR_TOO_LARGE, "what came is too large for an example");
    r->updated = ok && !str_eq(buf_str(&text), folder_text(folder_find(t->folder, str_from(r->path))));
    if (r->updated)
        ok = file_write(arena_printf(&t->c->arena, "%s/%s", cli_folder(t->c), r->path), buf_str(&text), 0644, err);
    json_decref(ordered);
    buf_release(&text);
    return ok;
}

static bool judge(const struct testing *t, struct result *r, json_t *example, json_t *outcome, struct error *err) {
    const json_t *volatiles = json_object_get(example, "volatile");
    json_t *expected = json_object_get(example, "expect");
    compare_drop(outcome, volatiles);
    if (t->o->update)
        return update(t, r, example, outcome, err);
    compare_drop(expected, volatiles);
    if (!expected)
        buf_adds(&r->said, "    it does not say what is expected: `flowlet test --update` writes what came\n");
    else
        compare(expected, outcome, &r->said);
    return true;
}

/* False: it could not be run, and why. */
static bool run_example(struct testing *t, struct result *r, json_t *example, struct error *err) {
    const char *path = client_path(&t->k, err, "/test-runs?wait=true");
    json_t *body = request_of(t, r, example, err), *refused = NULL, *answer = NULL;
    if (body)
        answer = client_ask(&t->k, "POST", path, body, &refused, err);
    if (json_array_size(json_object_get(refused, "findings")))
        cli_print_findings_json(json_object_get(refused, "findings"));
    json_decref(refused);
    if (!answer)
        return false;
    json_t *outcome = outcome_of(answer);
    bool ok = judge(t, r, example, outcome, err);
    json_decref(outcome);
    json_decref(answer);
    return ok;
}

static void show(const struct testing *t, const struct result *r) {
    const char *word = r->said.len ? "FAILED" : r->updated ? "updated" : "ok";
    if (t->o->client.json)
        return;
    printf("%-7s " STR_FMT "." STR_FMT "  (%lld ms)\n", word, STR_ARG(r->flow), STR_ARG(r->name), (long long)r->ms);
    cli_print_safe(buf_str(&r->said));
    fflush(stdout);
}

static void test_one(struct testing *t, const struct folder_file *file, struct str flow, struct str name) {
    struct result *r = arena_alloc(&t->c->arena, sizeof *r);
    struct error err;
    int64_t started_ms = clock_monotonic_ms();
    *r = (struct result){.flow = flow, .name = name, .path = file->path};
    buf_init(&r->said, DIFFERENCES_BYTES);
    *t->last = r;
    t->last = &r->next;
    json_t *example = jsonx_parse(folder_text(file), &err);
    if (!example || !run_example(t, r, example, &err))
        buf_addf(&r->said, "    %s\n", err.text);
    json_decref(example);
    r->ms = clock_monotonic_ms() - started_ms;
    t->failed += r->said.len > 0;
    t->updated += r->updated;
    t->passed += !r->said.len;
    show(t, r);
}

static bool is_wanted(const struct testing *t, const char *path) {
    return !t->o->filter || str_find(str_from(path + strlen("examples/")), str_from(t->o->filter)) != SIZE_MAX;
}

/* ---- results ---- */

static void add_xml(struct buf *out, struct str text) {
    for (size_t i = 0; i < text.len; i++) {
        char ch = text.ptr[i];
        if (ch == '<' || ch == '>' || ch == '&' || ch == '"')
            buf_addf(out, "&#%d;", ch);
        else
            buf_addc(out, (uint8_t)ch < 0x20 && ch != '\n' && ch != '\t' ? '?' : ch); /* XML 1.0, 2.2: no others there */
    }
}

static bool write_junit(const struct testing *t, struct error *err) {
    struct buf out;
    buf_init(&out, (size_t)64 * 1024 * 1024);
    buf_addf(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"");
    add_xml(&out, str_from(t->k.workspace));
    buf_addf(&out, "\" tests=\"%zu\" failures=\"%zu\">\n", t->passed + t->failed, t->failed);
    for (const struct result *r = t->results; r; r = r->next) {
        buf_addf(&out, "  <testcase classname=\"" STR_FMT "\" name=\"" STR_FMT "\" time=\"%lld.%03lld\"", STR_ARG(r->flow),
                 STR_ARG(r->name), (long long)r->ms / 1000, (long long)r->ms % 1000);
        buf_adds(&out, r->said.len ? "><failure message=\"it is not as expected\">" : "/>\n");
        if (!r->said.len)
            continue;
        add_xml(&out, buf_str(&r->said));
        buf_adds(&out, "</failure></testcase>\n");
    }
    buf_adds(&out, "</testsuite>\n");
    bool ok = file_write(t->o->junit, buf_str(&out), 0644, err);
    buf_release(&out);
    return ok;
}

static void print_json(const struct testing *t) {
    json_t *list = json_array();
    for (const struct result *r = t->results; r; r = r->next)
        json_array_append_new(list, json_pack("{s:o, s:o, s:b, s:b, s:I, s:o}", "flow", jsonx_from_str(r->flow), "example",
                                              jsonx_from_str(r->name), "ok", (int)!r->said.len, "updated", (int)r->updated, "ms",
                                              (json_int_t)r->ms, "differences", jsonx_from_str(buf_str(&r->said))));
    json_t *all = json_pack("{s:o, s:I, s:I, s:I}", "examples", list, "passed", (json_int_t)t->passed, "failed",
                            (json_int_t)t->failed, "updated", (json_int_t)t->updated);
    cli_print_json(all);
    json_decref(all);
}

static int sum_up(const struct testing *t, int64_t ms) {
    struct error err;
    if (t->o->client.json)
        print_json(t);
    else if (t->updated)
        printf("%zu updated, %zu as they were, %zu failed; now read the difference: git diff\n", t->updated,
               t->passed - t->updated, t->failed);
    else
        printf("%zu passed, %zu failed in %lld.%lld s\n", t->passed, t->failed, (long long)ms / 1000, (long long)ms / 100 % 10);
    if (t->o->junit && !write_junit(t, &err))
        return cli_fail(&err);
    return t->failed ? CLI_FAILED : CLI_OK;
}

static int test_all(struct testing *t) {
    struct str flow, name;
    int64_t started_ms = clock_monotonic_ms();
    for (size_t i = 0; i < t->folder->count; i++) {
        const struct folder_file *file = &t->folder->files[i];
        if (example_of(file->path, &flow, &name) && is_wanted(t, file->path))
            test_one(t, file, flow, name);
    }
    if (t->results)
        return sum_up(t, clock_monotonic_ms() - started_ms);
    fprintf(stderr, "flowlet: %s: write one as examples/FLOW.NAME.json, {\"request\": {...}}, and run `flowlet test --update`\n",
            t->o->filter ? "no example has this in its name" : "there are no examples");
    return CLI_FAILED;
}

static int run(struct cli *c) {
    struct testing t = {.c = c, .o = c->options, .folder = folder_new()};
    struct error err;
    int code;
    t.last = &t.results;
    if (folder_read(t.folder, cli_folder(c), &err) && reach_server(&t, &err))
        code = test_all(&t);
    else
        code = cli_fail(&err);
    for (struct result *r = t.results; r; r = r->next)
        buf_release(&r->said);
    own_server_stop(&t.own);
    json_decref(t.draft);
    folder_free(t.folder);
    return code;
}

const struct command command_test = {
    .name = "test",
    .usage = "[DIR] [--filter TEXT] [--update] [--junit FILE]",
    .summary = "Replays the saved examples of a workspace's flows and compares",
    .text = "An example is a file examples/FLOW.NAME.json: a request or an input, the answers of the services that the flow\n"
            "calls, and what must come of it. Effects are captured, nothing is published. It runs on the server that\n"
            "has the workspace, else on one of its own in a temporary folder.",
    .example = "    flowlet test shop\n    flowlet test shop --filter hello --update",
    .args = args,
    .arg_count = ARRAY_LEN(args),
    .options_size = sizeof(struct options),
    .words_max = 1,
    .run = run,
};
