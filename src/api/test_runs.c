/* test_runs.c — running a draft: documents and scripts laid over what is published, with an input, without publishing
 * (docs/semantics.md, rule 27). */
#include <openssl/evp.h>

#include "api/call.h"
#include "trigger/router.h"

#define INPUT_MAX ((size_t)16 * 1024 * 1024) /* of a request's body, and its query */
#define HEADERS_MAX 100

/* What is tested: from c->body, in the call's arena. */
struct test {
    struct release *release; /* borrowed of the workspace */
    const struct release_flow *flow;
    struct run_request request;
    struct router_match match;
    char trigger[256];
    uint8_t seed[32];
};

static void free_buf(void *arg) { buf_release(arg); }

/* In the call's arena. */
static struct buf *new_buf(struct api_call *c) {
    struct buf *b = arena_alloc(c->arena, sizeof *b);
    buf_init(b, INPUT_MAX);
    arena_defer(c->arena, free_buf, b);
    return b;
}

/* ---- the request ---- */

static void add_encoded(struct buf *out, struct str text) {
    for (size_t i = 0; i < text.len; i++) {
        char ch = text.ptr[i];
        bool plain =
            (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || (ch && strchr("-._~", ch));
        buf_addf(out, plain ? "%c" : "%%%02X", plain ? ch : (uint8_t)ch);
    }
}

static void add_pair(struct buf *out, const char *name, const json_t *value) {
    struct str text = jsonx_string_value(value);
    struct buf written;
    buf_init(&written, INPUT_MAX);
    if (!text.ptr && jsonx_write(value, &written))
        text = buf_str(&written);
    buf_adds(out, out->len ? "&" : "");
    add_encoded(out, str_from(name));
    buf_addc(out, '=');
    add_encoded(out, text);
    buf_release(&written);
}

/* {"a": 1, "b": ["x", "y"]} as a=1&b=x&b=y; text stays as it is. */
static struct str form_text(struct api_call *c, const json_t *given) {
    struct str text = jsonx_string_value(given);
    struct buf *out = new_buf(c);
    const char *name;
    json_t *value, *one;
    size_t i;
    if (text.ptr)
        return text;
    json_object_foreach((json_t *)(uintptr_t)given, name, value) {
        if (json_is_array(value))
            json_array_foreach(value, i, one) add_pair(out, name, one);
        else
            add_pair(out, name, value);
    }
    return buf_str(out);
}

static void read_headers(struct api_call *c, struct run_request *q, const json_t *headers) {
    struct httpd_field *fields = arena_alloc(c->arena, (HEADERS_MAX + 1) * sizeof *fields);
    const char *name;
    json_t *value;
    q->headers = fields;
    json_object_foreach((json_t *)(uintptr_t)headers, name, value) {
        if (q->header_count == HEADERS_MAX)
            break;
        fields[q->header_count++] = (struct httpd_field){str_from(name), jsonx_string_value(value)};
        if (str_eq_nocase(str_from(name), STR("content-type")))
            q->content_type = jsonx_string_value(value);
    }
}

/* Text and bytes as they are; anything else as a form where the headers say so, else as JSON. */
static void read_body(struct api_call *c, struct run_request *q, const json_t *body) {
    bool is_form = str_starts(q->content_type, STR("application/x-www-form-urlencoded"));
    struct buf *out = new_buf(c);
    if (!body)
        return;
    if (json_is_string(body) || (is_form && json_is_object(body))) {
        q->body = form_text(c, body);
        return;
    }
    if (!jsonx_to_bytes(body, out)) {
        jsonx_write(body, out);
        if (!q->content_type.len)
            q->content_type = STR("application/json");
    }
    q->body = buf_str(out);
}

/* The path as a caller would write it, without what follows '?'. */
static bool read_path(struct api_call *c, struct test *t, struct str path, struct error *err) {
    struct router *router = router_new(t->release);
    enum router_result found = router_find(router, t->request.method, path, c->arena, &t->match);
    router_free(router);
    if (found != ROUTER_FOUND)
        return error_set(err, ERR_INVALID, "request: no flow answers " STR_FMT " " STR_FMT, STR_ARG(t->request.method),
                         STR_ARG(path));
    if (t->flow && t->match.flow != t->flow)
        return error_set(err, ERR_INVALID, "request: the flow `" STR_FMT "` answers " STR_FMT " " STR_FMT ", not `" STR_FMT "`",
                         STR_ARG(t->match.flow->id), STR_ARG(t->request.method), STR_ARG(path), STR_ARG(t->flow->id));
    t->flow = t->match.flow;
    t->request.parameters = t->match.parameter;
    t->request.parameter_count = t->match.parameters;
    return true;
}

static bool read_request(struct api_call *c, struct test *t, const json_t *given, struct error *err) {
    struct run_request *q = &t->request;
    struct str path = jsonx_str(given, "path"), query = {NULL, 0};
    q->method = jsonx_str(given, "method");
    q->client = jsonx_str(given, "client");
    if (!q->method.len)
        q->method = t->flow ? t->flow->method : STR("GET");
    if (!q->client.len)
        q->client = STR("127.0.0.1");
    if (!path.len && t->flow)
        path = t->flow->path;
    const char *mark = path.len ? memchr(path.ptr, '?', path.len) : NULL;
    if (mark) {
        query = str_of(mark + 1, path.len - (size_t)(mark + 1 - path.ptr));
        path.len = (size_t)(mark - path.ptr);
    }
    if (!read_path(c, t, path, err))
        return false;
    q->query = json_object_get(given, "query") ? form_text(c, json_object_get(given, "query")) : query;
    read_headers(c, q, json_object_get(given, "headers"));
    read_body(c, q, json_object_get(given, "body"));
    snprintf(t->trigger, sizeof t->trigger, "test " STR_FMT " " STR_FMT, STR_ARG(q->method), STR_ARG(path));
    return true;
}

/* ---- starting ---- */

/* Exactly what this kind of flow is started by. */
static bool read_start(struct api_call *c, struct test *t, json_t **input, struct error *err) {
    const json_t *request = json_object_get(c->body, "request"), *at = json_object_get(c->body, "at");
    json_t *given = json_object_get(c->body, "input");
    struct str id = jsonx_str(c->body, "flow");
    t->flow = id.len ? release_find_flow(t->release, id) : NULL;
    if (id.len && !t->flow)
        return error_set(err, ERR_NOT_FOUND, "there is no flow `" STR_FMT "` in this draft", STR_ARG(id));
    if ((request != NULL) + (given != NULL) + (at != NULL) > 1)
        return error_set(err, ERR_INVALID, "one of `request`, `input` and `at` is enough");
    snprintf(t->trigger, sizeof t->trigger, "test");
    if (request && (!t->flow || t->flow->type == FLOW_ENDPOINT))
        return read_request(c, t, request, err);
    if (!t->flow)
        return error_set(err, ERR_INVALID, "`flow` is missing: which one is to be tested");
    if (request || (at && t->flow->type != FLOW_CRON))
        return error_set(err, ERR_INVALID,
                         "the flow `" STR_FMT "` is of type %s: `request` is for endpoints, `at` for cron, `input` for all",
                         STR_ARG(t->flow->id), flow_type_name(t->flow->type));
    *input = at ? json_pack("{s:O}", "scheduledAt", at) : given ? json_incref(given) : json_object();
    return true;
}

static void start(struct api_call *c, struct release *release) {
    struct test *t = arena_alloc(c->arena, sizeof *t);
    struct str seed = jsonx_str(c->body, "seed");
    struct error err;
    json_t *input = NULL;
    *t = (struct test){.release = release};
    if (!read_start(c, t, &input, &err)) {
        api_fail(c, &err);
        return;
    }
    struct trial *trial = trial_new(!str_is(jsonx_str(c->body, "effects"), "real"));
    const json_t *state = json_object_get(c->body, "state");
    trial->answers = json_deep_copy(json_object_get(c->body, "answers"));
    trial->now_ms = jsonx_int(c->body, "now_ms", 0);
    if (state && !(trial->capture ? trial_set_state(trial, state, &err)
                                  : error_set(&err, ERR_INVALID, "`state` is for tests whose effects are captured"))) {
        trial_unref(trial);
        json_decref(input);
        api_fail(c, &err);
        return;
    }
    struct run_start begin = {.workspace = c->workspace,
                              .release = release,
                              .flow = t->flow,
                              .request = input ? NULL : &t->request,
                              .input = input,
                              .trigger = t->trigger,
                              .trial = trial};
    if (seed.len) {
        ENSURE(EVP_Digest(seed.ptr, seed.len, t->seed, NULL, EVP_sha256(), NULL) == 1);
        begin.seed = t->seed;
    }
    api_start(c, &begin);
}

/* ---- the draft ---- */

static bool lay_over(struct folder *folder, const json_t *files, struct error *err) {
    const char *path;
    json_t *text;
    json_object_foreach((json_t *)(uintptr_t)files, path, text) {
        if (json_is_null(text))
            folder_remove(folder, str_from(path));
        else if (!json_is_string(text))
            return error_set(err, ERR_INVALID, "files: %.200s: text, or null where the draft has no such file", path);
        else if (!folder_set(folder, str_from(path), jsonx_string_value(text), err))
            return false;
    }
    return true;
}

static void digest_of(const struct folder *folder, char out[65]) {
    uint8_t hash[32];
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    ENSURE(md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1);
    for (size_t i = 0; i < folder->count; i++) {
        EVP_DigestUpdate(md, folder->files[i].path, strlen(folder->files[i].path) + 1);
        EVP_DigestUpdate(md, folder->files[i].text, folder->files[i].len + 1); /* its NUL ends it */
    }
    EVP_DigestFinal_ex(md, hash, NULL);
    EVP_MD_CTX_free(md);
    hex_write(hash, sizeof hash, out);
}

static void on_built(void *arg, struct release *release, const struct findings *findings, const struct error *err) {
    struct api_call *c = arg;
    struct workspace *w = c->workspace;
    if (err) {
        api_fail(c, err);
    } else if (!release) {
        api_fail_findings(c, findings, "nothing was run");
    } else {
        release_unref(w->draft);
        w->draft = release_ref(release);
        memcpy(w->draft_of, c->own, sizeof w->draft_of);
        start(c, release);
    }
}

/* The draft that was tested last is tested again and again: it is built once. */
static void build(struct api_call *c, const struct folder *folder) {
    struct workspace *w = c->workspace;
    char *digest = arena_alloc(c->arena, sizeof w->draft_of);
    digest_of(folder, digest);
    c->own = digest;
    if (w->draft && strcmp(digest, w->draft_of) == 0)
        start(c, w->draft);
    else
        workspaces_check(c->api->env.workspaces, folder, on_built, c);
}

static void run(struct api_call *c) {
    struct workspace *w = api_workspace(c);
    const json_t *files = json_object_get(c->body, "files");
    bool drafts = jsonx_bool(c->body, "drafts", false);
    struct error err;
    if (!w)
        return;
    if (!drafts && !json_object_size(files)) {
        if (api_published(c))
            start(c, w->release);
        return;
    }
    struct folder *folder = folder_new();
    if ((drafts ? workspace_newest_folder : workspace_published_folder)(w, folder, &err) && lay_over(folder, files, &err))
        build(c, folder);
    else
        api_fail(c, &err);
    folder_free(folder);
}

/* ---- the row ---- */

static const struct shape any_object = {.kind = SHAPE_MAP, .item = &shape_json};
static const struct shape texts = {.kind = SHAPE_MAP, .item = &shape_text};
static const struct shape request_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"method", &shape_text, false, "the flow's own"}, {"path", &shape_text, false, "/orders/7?urgent=true"},
                       {"query", &shape_json, false, "text, or an object"}, {"headers", &texts, false, "by their names"},
                       {"body", &shape_json, false, "text; JSON; {\"$bytes\": BASE64}; an object for a form, by Content-Type"},
                       {"client", &shape_text, false, "the caller's address"}),
};
static const struct shape body_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS(
        {"flow", &shape_text, false, "its id; of a request it may follow from the path"},
        {"drafts", &shape_bool, false, "true: of each flow its newest version, as it was saved; else what is published"},
        {"files", &any_object, false, "laid over that: {PATH: TEXT}, null where there is none"},
        {"request", &request_shape, false, "what an endpoint gets; access is not asked for"},
        {"input", &any_object, false, "what the Start gives, as it is"},
        {"at", &shape_text, false, "the instant that a cron flow is due at: 2027-01-31T18:00:00.000Z"},
        {"effects", &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("captured", "real")}, false,
         "captured (default): mails and calls that change something are not sent, state is forgotten"},
        {"answers", &any_object, false, "what operations give: {BLOCK or OPERATION: VALUE or {\"$error\": {code, message}}}"},
        {"state", &any_object, false, "{KEY: VALUE}: what state holds before, instead of what it really holds"},
        {"now_ms", &api_time, false, "what its clock shows from start to end"},
        {"seed", &shape_text, false, "the same random numbers and keys each time"}),
};
static const struct api_route routes[] = {
    {.method = "POST",
     .path = API_WORKSPACE "/test-runs",
     .permission = PERMISSION_FLOWS_WRITE, /* a draft can do what a published flow can */
     .name = "startTestRun",
     .about = "Runs a flow of a draft without publishing it, as a run that is marked as a test. It is not durable, whatever the "
              "flow says, "
              "and tells of its blocks as it goes. A draft with errors answers 400 with `findings`.",
     .query = SHAPE_KEYS({"wait", &shape_bool, false, "true: answered when the run is over, with its history"}),
     .body = &body_shape,
     .body_max = (size_t)40 * 1024 * 1024,
     .answers =
         API_ANSWERS({200, &api_started_shape, "with wait=true: it is over"}, {202, &api_started_shape, "it is under way"}),
     .run = run},
};
const struct api_resource api_resource_test_runs = API_RESOURCE("Test runs", routes);
