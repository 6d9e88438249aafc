/* build.c — from a folder to a release (release.h): parse all, ask the toolbox once, check all, compile. */
#include "flow/example.h"
#include "flow/compile.h"
#include "flow/graph.h"
#include "flow/release_own.h"
#include "flow/settings.h"
#include "flow/typing.h"

struct build {
    struct release_env env;
    release_done_fn *done;
    void *arg;
    struct folder *folder; /* a copy: findings are located in it at the end */
    struct findings findings;
    struct codes codes;
    struct catalog catalog;
    struct settings settings;
    struct flow_uses *uses; /* of each flow, once the toolbox has answered */
    json_t *typing;         /* the type checker's job; NULL: none */
};

static void build_free(struct build *b) {
    for (size_t i = 0; i < b->catalog.flow_count; i++) {
        flow_release(&b->catalog.flows[i]);
        flow_uses_release(&b->uses[i]);
    }
    free(b->catalog.flows);
    free(b->uses);
    catalog_release(&b->catalog);
    codes_release(&b->codes);
    json_decref(b->typing);
    settings_release(&b->settings);
    findings_release(&b->findings);
    folder_free(b->folder);
    free(b);
}

/* ---- what the toolbox found ---- */

static bool report_code(struct build *b, const struct code *code, const struct finding *where, const char *what) {
    const json_t *found = code_findings(code);
    json_t *it;
    size_t i;
    json_array_foreach(found, i, it) {
        struct finding f = *where;
        int64_t line = jsonx_int(it, "line", 0), column = jsonx_int(it, "column", 0);
        f.line = code->kind == CODE_SCRIPT && line > 0 ? (unsigned)line : 0;
        f.column = f.line && column > 0 ? (unsigned)column : f.line > 0;
        if (code->kind == CODE_EXPRESSION && line > 0)
            findings_add(&b->findings, &f, "%s, line %d, column %d: " STR_FMT, what, (int)line, (int)column,
                         STR_ARG(jsonx_str(it, "message")));
        else
            findings_add(&b->findings, &f, "%s: " STR_FMT, what, STR_ARG(jsonx_str(it, "message")));
    }
    return found == NULL;
}

struct reporting {
    struct build *build;
    const struct flow *flow;
    struct finding where;
    bool ok;
};

/* Where a script writes this name as a text in quotes, the first time. */
static void place_name(const struct code *code, const char *name, struct finding *f) {
    if (code->kind != CODE_SCRIPT)
        return;
    size_t len = strlen(name);
    f->line = f->column = 1;
    for (size_t i = 0; i + len + 2 <= code->text.len; i++) {
        const char *at = code->text.ptr + i;
        if (strchr("\"'`", *at) && *at && memcmp(at + 1, name, len) == 0 && at[len + 1] == *at)
            return;
        f->column = *at == '\n' ? 1 : f->column + 1;
        f->line += *at == '\n';
    }
    f->line = f->column = 0;
}

/* Names that the server has to know when it publishes are literals. */
static void report_names(struct reporting *r, const struct code *code, const struct finding *where) {
    const struct catalog *w = &r->build->catalog;
    struct finding f = *where;
    size_t i;
    json_t *name;
    f.code = "not_declared";
    json_array_foreach(code_uses(code, "secrets"), i, name) {
        place_name(code, json_string_value(name), &f);
        if (!json_object_get(w->secrets, json_string_value(name)))
            findings_add(&r->build->findings, &f, "workspace.json declares no secret `%.100s`: add it under `secrets`",
                         json_string_value(name));
    }
    f.code = "unknown_flow";
    json_array_foreach(code_uses(code, "flows"), i, name) {
        const struct flow *called = catalog_find_flow(w, jsonx_string_value(name));
        place_name(code, json_string_value(name), &f);
        if (!called || (called->is_sound && called->type != FLOW_REUSABLE))
            findings_add(&r->build->findings, &f,
                         "there is no reusable flow `%.100s` to call: make it, or call one that is there",
                         json_string_value(name));
    }
    f.code = "no_link";
    json_array_foreach(code_uses(code, "links"), i, name) {
        if (!flow_has_link(r->flow, jsonx_string_value(name)))
            findings_add(&r->build->findings, &f, "`%.100s` is no Wait with a `link` in this flow", json_string_value(name));
    }
    f.code = "dynamic_name";
    f.line = where->line;
    f.column = where->column;
    json_array_foreach(code_uses(code, "dynamic"), i, name)
        findings_add(&r->build->findings, &f,
                     "which of the %.50s is meant must be seen when the workspace is published: write the name as a "
                     "text in quotes",
                     json_string_value(name));
}

static void report_source(void *arg, const struct source *s) {
    struct reporting *r = arg;
    if (s->kind != SOURCE_CODE)
        return;
    struct finding f = r->where;
    f.pointer = s->pointer;
    r->ok &= report_code(r->build, s->code, &f, "this expression");
    report_names(r, s->code, &f);
}

static void report_script(struct reporting *r, const struct block *block) {
    char path[300];
    struct finding f = block_place(r->flow, block, "bad_code");
    if (!block->script)
        return;
    snprintf(path, sizeof path, "flows/" STR_FMT, STR_ARG(jsonx_str(block->json, "script")));
    f.file = str_from(path);
    f.pointer = (struct str){NULL, 0};
    r->ok &= report_code(r->build, block->script, &f, "this script");
    report_names(r, block->script, &f);
}

static void report_schema(struct reporting *r, const struct code *schema, const char *pointer) {
    struct finding f = flow_place(r->flow, "bad_schema");
    const json_t *found = schema ? code_findings(schema) : NULL;
    json_t *it;
    size_t i;
    json_array_foreach(found, i, it) {
        struct buf at;
        buf_init(&at, 2000);
        buf_addf(&at, "%s" STR_FMT, pointer, STR_ARG(jsonx_str(it, "pointer")));
        f.pointer = buf_str(&at);
        findings_add(&r->build->findings, &f, STR_FMT, STR_ARG(jsonx_str(it, "message")));
        buf_release(&at);
    }
    r->ok &= found == NULL;
}

/* Faults in what only the toolbox understands. */
static void report_codes(struct build *b, struct flow *flow) {
    struct reporting r = {.build = b, .flow = flow, .ok = true};
    for (size_t i = 0; i < flow->connection_count; i++) {
        r.where = connection_place(flow, &flow->connections[i], "bad_code");
        for (size_t k = 0; k < flow->connections[i].map_count; k++)
            source_walk(&flow->connections[i].map[k].source, report_source, &r);
    }
    r.where = flow_place(flow, "bad_code");
    if (flow->deduplicate)
        source_walk(flow->deduplicate, report_source, &r);
    for (size_t i = 0; i < flow->block_count; i++) {
        r.where = block_place(flow, &flow->blocks[i], "bad_code");
        if (flow->blocks[i].repeat)
            source_walk(flow->blocks[i].repeat, report_source, &r);
        report_script(&r, &flow->blocks[i]);
    }
    report_schema(&r, flow->body_schema, "/start/body/schema");
    report_schema(&r, flow->query_schema, "/start/query");
    report_schema(&r, flow->inputs_schema, "/start/inputs");
    flow->is_sound &= r.ok;
}

/* ---- what flows have to do with each other and with the workspace ---- */

static void check_access(struct build *b, const struct flow *flow) {
    static const struct {
        const char *access, *secret;
    } wants[] = {{"basic", "basic"},
                 {"bearer", "password"},
                 {"pagerduty-v3", "signing-key"},
                 {"github-hmac", "signing-key"},
                 {"shared-token", "password"}};
    size_t i;
    json_t *rule;
    json_array_foreach(json_object_get(flow->start, "access"), i, rule) {
        struct str name = jsonx_str(rule, "secret"), type = jsonx_str(rule, "type");
        const json_t *secret = json_object_getn(b->catalog.secrets, name.ptr, name.len);
        char pointer[60];
        snprintf(pointer, sizeof pointer, "/start/access/%zu/secret", i);
        struct finding f = flow_place(flow, "not_declared");
        f.pointer = str_from(pointer);
        if (!secret)
            findings_add(&b->findings, &f, "workspace.json declares no secret `" STR_FMT "`: add it under `secrets`",
                         STR_ARG(name));
        f.code = "wrong_secret";
        for (size_t k = 0; secret && k < ARRAY_LEN(wants); k++)
            if (str_is(type, wants[k].access) && !str_is(jsonx_str(secret, "type"), wants[k].secret))
                findings_add(&b->findings, &f,
                             "access by " STR_FMT " takes a secret of type %s, and `" STR_FMT "` is a " STR_FMT
                             ": name one of that type",
                             STR_ARG(type), wants[k].secret, STR_ARG(name), STR_ARG(jsonx_str(secret, "type")));
    }
}

static void check_auth(struct build *b, const struct flow *flow) {
    for (size_t i = 0; i < flow->block_count; i++) {
        struct str name = jsonx_str(flow->blocks[i].json, "auth");
        struct finding f = block_place(flow, &flow->blocks[i], "not_declared");
        if (name.len && !json_object_getn(b->catalog.secrets, name.ptr, name.len))
            findings_add(&b->findings, &f, "workspace.json declares no secret `" STR_FMT "`: add it under `secrets`",
                         STR_ARG(name));
    }
}

static void check_schedule(struct build *b, const struct flow *flow) {
    struct str every = jsonx_str(flow->start, "every"), line = jsonx_str(flow->start, "line"),
               zone = jsonx_str(flow->start, "zone");
    struct finding f = flow_place(flow, "bad_schedule");
    struct error err;
    f.pointer = every.len ? STR("/start/every") : STR("/start/line");
    bool complete = every.len ? !line.len : line.len > 0;
    if (flow->type == FLOW_CRON && complete && b->env.schedule_check && !b->env.schedule_check(every, line, zone, &err))
        findings_add(&b->findings, &f, "%s", err.text);
}

/* "GET /a/{}" */
static void route_of(const struct flow *flow, struct buf *out) {
    struct str path = jsonx_str(flow->start, "path"), rest = path, segment;
    buf_addf(out, STR_FMT " ", STR_ARG(jsonx_str(flow->start, "method")));
    while (str_cut(&rest, '/', &segment))
        buf_addf(out, "/" STR_FMT, STR_ARG(segment.len && segment.ptr[0] == '{' ? STR("{}") : segment));
}

static void check_routes(struct build *b) {
    struct map routes;
    map_init(&routes);
    for (size_t i = 0; i < b->catalog.flow_count; i++) {
        struct flow *flow = &b->catalog.flows[i];
        struct buf route;
        buf_init(&route, 2000);
        if (flow->is_sound && flow->type == FLOW_ENDPOINT) {
            route_of(flow, &route);
            const struct flow *other = map_set(&routes, buf_str(&route), flow);
            struct finding f = flow_place(flow, "same_route");
            f.pointer = STR("/start/path");
            if (other)
                findings_add(&b->findings, &f, STR_FMT " answers the same method and path: change one of them",
                             STR_ARG(other->file));
        }
        buf_release(&route);
    }
    map_release(&routes);
}

/* ---- recursion ---- */

/* The flow that a block calls, and waits for, in each run; NULL: none. */
static struct flow *certain_call(const struct catalog *w, const struct block *b) {
    if (!b->certain || strcmp(b->type->name, "call") != 0 || str_is(jsonx_str(b->json, "mode"), "start"))
        return NULL;
    return catalog_find_flow(w, jsonx_str(b->json, "flow"));
}

/* Whether each run of `from` comes to `to` by such calls. */
static bool always_calls(const struct catalog *w, const struct flow *from, const struct flow *to, bool *seen) {
    if (from == to)
        return true;
    if (seen[from - w->flows] || !from->is_sound)
        return false;
    seen[from - w->flows] = true;
    for (size_t i = 0; i < from->block_count; i++) {
        const struct flow *called = certain_call(w, &from->blocks[i]);
        if (called && always_calls(w, called, to, seen))
            return true;
    }
    return false;
}

static void check_recursion(struct build *b, const struct flow *flow) {
    const struct catalog *w = &b->catalog;
    for (size_t i = 0; i < flow->block_count; i++) {
        const struct flow *called = certain_call(w, &flow->blocks[i]);
        struct finding f = block_place(flow, &flow->blocks[i], "endless_recursion");
        bool *seen = mem_alloc(w->flow_count * sizeof *seen);
        if (called && always_calls(w, called, flow, seen))
            findings_add(
                &b->findings, &f,
                "`" STR_FMT "` calls " STR_FMT
                ", which comes back to this flow on every way, so it never ends: let a Condition decide whether to go on",
                STR_ARG(flow->blocks[i].id), STR_ARG(called->id));
        free(seen);
    }
}

static void check_all(struct build *b) {
    struct catalog *w = &b->catalog;
    settings_report(&b->settings, &b->findings);
    for (size_t i = 0; i < w->flow_count; i++)
        if (w->flows[i].is_sound)
            report_codes(b, &w->flows[i]);
    for (size_t i = 0; i < w->flow_count; i++)
        if (w->flows[i].is_sound)
            flow_bind_outputs(&w->flows[i]);
    for (size_t i = 0; i < w->flow_count; i++) {
        struct flow *flow = &w->flows[i];
        if (!flow->is_sound)
            continue;
        if (b->env.checker)
            flow->typing = json_array();
        flow_bind(flow, w, &b->findings);
        flow_check(flow, w, &b->findings);
        check_access(b, flow);
        check_auth(b, flow);
        check_schedule(b, flow);
    }
    for (size_t i = 0; i < w->flow_count; i++)
        if (w->flows[i].is_sound)
            check_recursion(b, &w->flows[i]);
    check_routes(b);
}

/* ---- the release ---- */

static size_t flow_index(const struct build *b, const char *id) {
    const struct flow *flow = catalog_find_flow(&b->catalog, str_from(id));
    return flow ? (size_t)(flow - b->catalog.flows) : SIZE_MAX;
}

static void add_set(json_t *to, const json_t *from) { json_object_update(to, (json_t *)(uintptr_t)from); }

/* Every flow that may run inside this one, and with each the settings and secrets it uses. */
static void close_over_calls(struct build *b, struct release *r, size_t first) {
    struct release_flow *f = &r->flows[first];
    size_t n = r->flow_count, count = 1;
    bool *seen = mem_alloc(n);
    size_t *list = arena_alloc(&r->arena, n * sizeof *list);
    json_t *settings = json_object(), *secrets = json_object(), *unused;
    list[0] = first;
    seen[first] = true;
    for (size_t i = 0; i < count; i++) {
        const struct flow_uses *uses = &b->uses[list[i]];
        const char *id;
        add_set(settings, uses->settings);
        add_set(secrets, uses->secrets);
        json_object_foreach(uses->flows, id, unused) {
            size_t at = flow_index(b, id);
            if (at < n && !seen[at]) {
                seen[at] = true;
                list[count++] = at;
            }
        }
    }
    f->calls = list + 1;
    f->call_count = count - 1;
    f->settings = release_names(&r->arena, settings, &f->setting_count);
    f->secrets = release_names(&r->arena, secrets, &f->secret_count);
    json_decref(settings);
    json_decref(secrets);
    free(seen);
}

static bool compile_flow(struct build *b, struct release *r, size_t i) {
    const struct flow *flow = &b->catalog.flows[i];
    struct release_flow *f = &r->flows[i];
    *f =
        (struct release_flow){.type = flow->type, .id = arena_str(&r->arena, flow->id), .name = arena_str(&r->arena, flow->name)};
    f->start = release_keep(r, flow->start ? json_incref((json_t *)(uintptr_t)flow->start) : json_object());
    f->needs = flow->type == FLOW_ENDPOINT ? b->uses[i].needs : 0;
    for (size_t k = 0; k < flow->block_count; k++)
        f->responds |= flow->blocks[k].type->responds;
    release_describe_flow(f, &r->arena);
    return flow_compile(flow, f, &r->arena, &b->findings);
}

static struct release *compile_all(struct build *b) {
    const struct catalog *w = &b->catalog;
    struct release *r = release_new();
    bool ok = true;
    r->json = release_keep(r, json_incref(w->json));
    r->values = release_keep(r, json_incref(w->values));
    r->workspace = arena_str(&r->arena, w->name);
    r->title = arena_str(&r->arena, w->title);
    r->hosts = json_object_get(r->json, "hosts");
    release_describe_declarations(r, w->settings, w->secrets);
    r->flow_count = w->flow_count;
    r->flows = arena_alloc(&r->arena, r->flow_count * sizeof *r->flows);
    for (size_t i = 0; i < r->flow_count; i++)
        flow_uses_gather(&w->flows[i], &b->uses[i]);
    for (size_t i = 0; i < r->flow_count; i++) {
        ok &= compile_flow(b, r, i);
        close_over_calls(b, r, i);
    }
    release_number(r);
    if (ok)
        return r;
    release_unref(r);
    return NULL;
}

static void finish(struct build *b) {
    struct release *r = NULL;
    if (b->findings.errors == 0)
        r = compile_all(b);
    for (size_t i = 0; i < b->folder->count; i++)
        findings_locate(&b->findings, str_from(b->folder->files[i].path), folder_text(&b->folder->files[i]));
    findings_sort(&b->findings);
    b->done(b->arg, r, &b->findings);
    build_free(b);
}

/* ---- types ---- */

static void types_key(const struct build *b, struct str job, char key[CODE_KEY_SIZE]) {
    struct buf text;
    buf_init(&text, SIZE_MAX);
    buf_addf(&text, "types " STR_FMT " ", STR_ARG(b->env.toolbox_version));
    buf_add(&text, job);
    code_digest(buf_str(&text), key);
    buf_release(&text);
}

static void on_types(void *arg, struct str answer, const struct error *failed) {
    struct build *b = arg;
    struct error err;
    struct finding f = {.code = "checker"};
    struct buf job;
    char key[CODE_KEY_SIZE];
    buf_init(&job, SIZE_MAX);
    if (failed || !typing_answer(b->typing, answer, &b->findings, &err)) {
        findings_add(&b->findings, &f, "types could not be checked, try again: %s", failed ? failed->text : err.text);
    } else if (b->env.cache_put && jsonx_write(b->typing, &job)) {
        types_key(b, buf_str(&job), key);
        b->env.cache_put(b->env.cache_arg, key, answer);
    }
    buf_release(&job);
    finish(b);
}

/* Everything is checked but types: they too, where that is wanted; the answer for the same workspace is kept. */
static void check_types(struct build *b) {
    struct buf job, kept;
    char key[CODE_KEY_SIZE];
    struct error err;
    if (!b->env.checker) {
        finish(b);
        return;
    }
    buf_init(&job, SIZE_MAX);
    buf_init(&kept, SIZE_MAX);
    b->typing = typing_job(&b->catalog);
    jsonx_write(b->typing, &job);
    types_key(b, buf_str(&job), key);
    if (b->env.cache_get && b->env.cache_get(b->env.cache_arg, key, &kept) &&
        typing_answer(b->typing, buf_str(&kept), &b->findings, &err))
        finish(b);
    else
        b->env.checker(b->env.toolbox_arg, buf_str(&job), on_types, b);
    buf_release(&job);
    buf_release(&kept);
}

/* ---- the toolbox ---- */

static void keep_answers(struct build *b, const struct code *first) {
    for (const struct code *c = first; c && b->env.cache_put; c = c->next) {
        struct buf text;
        buf_init(&text, SIZE_MAX);
        if (c->answer && !c->cached && jsonx_write(c->answer, &text))
            b->env.cache_put(b->env.cache_arg, c->key, buf_str(&text));
        buf_release(&text);
    }
}

static void on_answer(void *arg, struct str answer, const struct error *failed) {
    struct build *b = arg;
    struct error err;
    struct finding f = {.code = "toolbox"};
    bool ok = !failed && codes_answer(&b->codes, answer, &err);
    if (ok) {
        keep_answers(b, b->codes.first);
        check_all(b);
        check_types(b);
    } else {
        findings_add(&b->findings, &f, "scripts and expressions could not be looked at: %s", failed ? failed->text : err.text);
        finish(b);
    }
}

static void ask_toolbox(struct build *b) {
    struct buf text;
    buf_init(&text, SIZE_MAX);
    for (struct code *c = b->codes.first; c && b->env.cache_get; c = c->next) {
        buf_clear(&text);
        if (b->env.cache_get(b->env.cache_arg, c->key, &text))
            code_set_answer(c, buf_str(&text));
    }
    buf_clear(&text);
    if (codes_job(&b->codes, &text) > 0) {
        b->env.toolbox(b->env.toolbox_arg, buf_str(&text), on_answer, b);
    } else {
        check_all(b);
        check_types(b);
    }
    buf_release(&text);
}

/* ---- parsing ---- */

static int compare_flows(const void *a, const void *b) {
    return str_compare(((const struct flow *)a)->id, ((const struct flow *)b)->id);
}

static void parse_flows(struct build *b) {
    const struct folder *folder = b->folder;
    struct catalog *w = &b->catalog;
    struct str id;
    w->flows = mem_alloc((folder->count + 1) * sizeof *w->flows);
    b->uses = mem_alloc((folder->count + 1) * sizeof *b->uses);
    for (size_t i = 0; i < folder->count; i++)
        if (folder_flow_id(folder->files[i].path, &id))
            flow_parse(&w->flows[w->flow_count++], folder, &folder->files[i], &b->codes, &b->findings);
    qsort(w->flows, w->flow_count, sizeof *w->flows, compare_flows);
    examples_check(folder, &b->findings);
}

void release_build_start(const struct folder *folder, const struct release_env *env, release_done_fn *done, void *arg) {
    struct build *b = mem_alloc(sizeof *b);
    b->env = *env;
    b->done = done;
    b->arg = arg;
    b->folder = folder_copy(folder);
    findings_init(&b->findings);
    codes_init(&b->codes, env->toolbox_version);
    catalog_parse(&b->catalog, b->folder, &b->findings);
    settings_ask(&b->settings, &b->catalog, &b->codes);
    parse_flows(b);
    ask_toolbox(b);
}
