/* inbox.c — requests to stored endpoints as they came, and sending one through its flow once more. */
#include "api/call.h"
#include "run/letter.h"
#include "trigger/router.h"

#define LIMIT_MAX 1000
#define LIMIT_STANDARD 100
#define SHOWN_MAX ((size_t)64 * 1024 * 1024)
#define HEADERS_MAX 200

/* ---- listing ---- */

static json_t *run_json(int64_t run) {
    char id[RUN_ID_TEXT];
    run_id_write((uint64_t)run, id);
    return run ? json_string(id) : json_null();
}

static json_t *row_json(const struct inbox_row *row) {
    return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I}", "id", (json_int_t)row->id, "time_ms",
                     (json_int_t)row->time_ms, "flow", jsonx_from_str(row->flow), "method", jsonx_from_str(row->method), "path",
                     jsonx_from_str(row->path), "client", jsonx_from_str(row->client), "outcome", jsonx_from_str(row->outcome),
                     "run", run_json(row->run), "status", row->status ? json_integer(row->status) : json_null(), "reason",
                     api_text(row->reason), "bytes", (json_int_t)row->bytes);
}

/* Secrets of both modes: a request may have come in the other one. */
static json_t *masked(const struct workspace *w, json_t *value) {
    const struct vault *vaults[] = {w->practice, w->live};
    struct error err;
    for (size_t i = 0; i < ARRAY_LEN(vaults); i++) {
        struct buf text, clean;
        buf_init(&text, SHOWN_MAX);
        buf_init(&clean, SHOWN_MAX);
        json_t *other = NULL;
        if (jsonx_write(value, &text) && vault_mask_json(vaults[i], buf_str(&text), &clean))
            other = jsonx_parse(buf_str(&clean), &err);
        if (other) {
            json_decref(value);
            value = other;
        }
        buf_release(&text);
        buf_release(&clean);
    }
    return value;
}

static bool add_row(void *arg, const struct inbox_row *row) {
    json_array_append_new(arg, row_json(row));
    return true;
}

static bool list_work(struct store_tx *tx, void *arg, struct error *err) {
    struct api_call *c = arg;
    const struct inbox_filter *filter = c->own;
    json_t *rows = json_array();
    c->result = json_pack("{s:o}", "inbox", rows);
    if (!tx_inbox_list(tx, filter, add_row, rows, err))
        return false;
    size_t n = json_array_size(rows);
    if (n == (size_t)filter->limit)
        json_object_set(c->result, "next", json_object_get(json_array_get(rows, n - 1), "id"));
    return true;
}

static void on_listed(void *arg, const struct error *err) {
    struct api_call *c = arg;
    json_t *result = c->result;
    c->result = NULL;
    if (!err) {
        api_answer(c, 200, masked(c->workspace, result));
        return;
    }
    json_decref(result);
    api_fail(c, err);
}

static void list(struct api_call *c) {
    struct inbox_filter *filter = arena_alloc(c->arena, sizeof *filter);
    if (!api_workspace(c))
        return;
    *filter = (struct inbox_filter){.workspace = c->workspace->id,
                                    .flow = arena_str(c->arena, jsonx_str(c->query, "flow")),
                                    .outcome = arena_str(c->arena, jsonx_str(c->query, "outcome")),
                                    .before_id = jsonx_int(c->query, "before", 0),
                                    .limit = (int)jsonx_int(c->query, "limit", LIMIT_STANDARD)};
    c->own = filter;
    store_read(c->api->env.store, list_work, on_listed, c);
}

/* ---- one ---- */

struct one {
    struct api_call *call;
    struct arena arena;
    int64_t workspace, id;
    struct inbox_row row;
    void (*then)(struct api_call *c, const struct inbox_row *row, const struct letter_content *content);
};

static bool get_work(struct store_tx *tx, void *arg, struct error *err) {
    struct one *o = arg;
    return tx_inbox_get(tx, o->workspace, o->id, &o->row, &o->arena, err);
}

static void on_got(void *arg, const struct error *failed) {
    struct one *o = arg;
    struct letter_content content;
    struct error err;
    if (failed) {
        api_fail(o->call, failed);
    } else if (!letter_open(o->call->api->env.key, &o->row, &content, &err)) {
        api_fail(o->call, &err);
    } else {
        o->then(o->call, &o->row, &content);
        letter_content_release(&content);
    }
    arena_release(&o->arena);
    free(o);
}

static void with_one(struct api_call *c,
                     void (*then)(struct api_call *c, const struct inbox_row *row, const struct letter_content *content)) {
    struct error err;
    int64_t id;
    if (!api_workspace(c))
        return;
    if (!str_to_int64(c->parameters[1], &id)) {
        error_set(&err, ERR_NOT_FOUND, "`" STR_FMT "` is no number of the inbox", STR_ARG(c->parameters[1]));
        api_fail(c, &err);
        return;
    }
    struct one *o = mem_alloc(sizeof *o);
    *o = (struct one){.call = c, .workspace = c->workspace->id, .id = id, .then = then};
    arena_init(&o->arena);
    store_read(c->api->env.store, get_work, on_got, o);
}

/* What callers prove themselves with is a secret of theirs, also where it is none of ours. */
static bool is_secret(struct str name) {
    static const char *const names[] = {"authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(name, str_from(names[i])))
            return true;
    return false;
}

static json_t *headers_json(const json_t *headers) {
    json_t *out = json_array(), *pair;
    size_t i;
    json_array_foreach(headers, i, pair) {
        json_t *name = json_array_get(pair, 0), *value = json_array_get(pair, 1);
        if (is_secret(jsonx_string_value(name)))
            json_array_append_new(out, json_pack("[O, s]", name, "***"));
        else
            json_array_append_new(out, json_pack("[O, O]", name, value));
    }
    return out;
}

static void show(struct api_call *c, const struct inbox_row *row, const struct letter_content *content) {
    json_t *value = row_json(row);
    json_object_set(value, "query", json_object_get(content->head, "query"));
    json_object_set_new(value, "headers", headers_json(json_object_get(content->head, "headers")));
    json_object_set_new(value, "body",
                        str_is_utf8(content->body) ? jsonx_from_str(content->body) : jsonx_from_bytes(content->body));
    api_answer(c, 200, masked(c->workspace, value));
}

static void get(struct api_call *c) { with_one(c, show); }

/* ---- once more ---- */

static void start_again(struct api_call *c, const struct inbox_row *row, const struct letter_content *content) {
    const struct workspace *w = c->workspace;
    const json_t *headers = json_object_get(content->head, "headers"), *pair;
    struct httpd_field fields[HEADERS_MAX];
    struct router_match match;
    struct error err;
    struct run_request q = {.method = row->method,
                            .query = jsonx_str(content->head, "query"),
                            .client = row->client,
                            .content_type = jsonx_str(content->head, "type"),
                            .body = content->body,
                            .headers = fields};
    for (size_t i = 0; i < HEADERS_MAX && (pair = json_array_get(headers, i)); i++)
        fields[q.header_count++] =
            (struct httpd_field){jsonx_string_value(json_array_get(pair, 0)), jsonx_string_value(json_array_get(pair, 1))};
    if (!endpoints_match(c->api->env.endpoints, w, row->method, row->path, c->arena, &match)) {
        error_set(&err, ERR_CONFLICT, "no flow of this workspace answers " STR_FMT " " STR_FMT " any more", STR_ARG(row->method),
                  STR_ARG(row->path));
        api_fail(c, &err);
        return;
    }
    if (workspace_flow_is_disabled(w, match.flow->id)) {
        error_set(&err, ERR_CONFLICT, "the flow `" STR_FMT "` is switched off: switch it on first", STR_ARG(match.flow->id));
        api_fail(c, &err);
        return;
    }
    q.parameters = match.parameter;
    q.parameter_count = match.parameters;
    api_start(c, &(struct run_start){.workspace = c->workspace,
                                     .flow = match.flow,
                                     .request = &q,
                                     .replay = true,
                                     .trigger = arena_printf(c->arena, "inbox %lld", (long long)row->id)});
}

static void replay(struct api_call *c) { with_one(c, start_again); }

/* ---- switching flows off ---- */

static void enable(struct api_call *c) {
    struct workspace *w = api_published(c);
    struct error err;
    bool enabled = jsonx_bool(c->body, "enabled", true);
    if (!w)
        return;
    if (!release_find_flow(w->release, c->parameters[1])) {
        error_set(&err, ERR_NOT_FOUND, "there is no flow `" STR_FMT "` that is published", STR_ARG(c->parameters[1]));
        api_fail(c, &err);
    } else if (!workspace_disable_flow(w, c->parameters[1], !enabled, &err)) {
        api_fail(c, &err);
    } else {
        api_answer(c, 200, json_pack("{s:b}", "enabled", enabled));
    }
}

/* ---- the rows ---- */

static const struct shape outcome = {
    .kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("accepted", "duplicate", "repeated", "refused", "failed", "busy", "disabled")};
static const struct shape status = {.kind = SHAPE_JSON};
#define ROW_KEYS                                                                                                                 \
    {"id", &api_number, true, "ascending"}, {"time_ms", &api_time, true, "when it came"},                                        \
        {"flow", &shape_text, true, "that it was for"}, {"method", &shape_text, true, "of HTTP"},                                \
        {"path", &shape_text, true, "as sent"}, {"client", &shape_text, true, "the caller's address"},                           \
        {"outcome", &outcome, true, "accepted; duplicate or repeated: an earlier one was; all others became no run"},            \
        {"run", &api_text_or_null, true, "that it, or the earlier one, became"},                                                 \
        {"status", &status, true, "what its caller was answered where it became no run, else null"},                             \
        {"reason", &api_text_or_null, true, "why it became no run"}, {                                                           \
        "bytes", &api_number, true, "of its body"                                                                                \
    }
static const struct shape letter = {.kind = SHAPE_OBJECT, .ref = "InboxEntry", .keys = SHAPE_KEYS(ROW_KEYS)};
static const struct shape whole = {
    .kind = SHAPE_OBJECT,
    .ref = "InboxRequest",
    .keys = SHAPE_KEYS(ROW_KEYS, {"query", &shape_text, true, "as sent, without the question mark"},
                       {"headers", &shape_json, true, "[[name, value], ...]; what callers prove themselves with is masked"},
                       {"body", &shape_json, true, "as text; {\"$bytes\": BASE64} where it is none"}),
};
static const struct shape letters = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"inbox", &(const struct shape){.kind = SHAPE_LIST, .item = &letter, .max = LIMIT_MAX}, true, "a page"},
                       {"next", &api_number, false, "`before` of the next page; left out: there is none"}),
};
static const struct shape limit = {.kind = SHAPE_INT, .min = 1, .max = LIMIT_MAX};
static const struct shape enabling = {
    .kind = SHAPE_OBJECT, .ref = "Enabled", .keys = SHAPE_KEYS({"enabled", &shape_bool, true, "false: it is switched off"})};

static const struct api_route routes[] = {
    {.method = "GET",
     .path = API_WORKSPACE "/inbox",
     .permission = PERMISSION_RUNS_READ,
     .name = "listInbox",
     .about = "Every request to a stored endpoint and what became of it, the newest first.",
     .query =
         SHAPE_KEYS({"flow", &shape_text, false, "only those for this flow"}, {"outcome", &outcome, false, "only these"},
                    {"before", &api_number, false, "those before this id"}, {"limit", &limit, false, "how many at most (100)"}),
     .answers = API_ANSWERS({200, &letters, "a page"}),
     .run = list},
    {.method = "GET",
     .path = API_WORKSPACE "/inbox/{letter}",
     .permission = PERMISSION_RUNS_READ,
     .name = "getInboxRequest",
     .about = "One of them with its headers and body.",
     .answers = API_ANSWERS({200, &whole, "as it came"}),
     .run = get},
    {.method = "POST",
     .path = API_WORKSPACE "/inbox/{letter}/replay",
     .permission = PERMISSION_RUNS_WRITE,
     .name = "replayInboxRequest",
     .about = "Sends it through the flow that answers its path now, as a new run: neither access nor `deduplicate` keep it out.",
     .query = SHAPE_KEYS({"wait", &shape_bool, false, "true: answered when the run is over"}),
     .errors = "409",
     .answers = API_ANSWERS({200, &api_started_shape, "with wait=true: it is over"}, {202, &api_started_shape, "it is stored"}),
     .run = replay},
    {.method = "PUT",
     .path = API_WORKSPACE "/flows/{flow}/enabled",
     .permission = PERMISSION_FLOWS_WRITE,
     .name = "setFlowEnabled",
     .about = "Switches a flow off or on. Off, an endpoint answers 503 and what comes to a stored one is kept in the inbox; due "
              "times of a cron flow are skipped. Runs under way go on.",
     .body = &enabling,
     .answers = API_ANSWERS({200, &enabling, "so it is"}),
     .run = enable},
};
const struct api_resource api_resource_inbox = API_RESOURCE("Inbox", routes);
