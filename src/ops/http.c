/* http.c — the operation `http.request`. A status of 400 and more is a result here: whether the block leaves by
 * `error` is the worker's to decide. */
#include "net/http.h"

#include <math.h>

#include "ops/args.h"
#include "ops/certificate.h"
#include "ops/op.h"

#define TIMEOUT_MAX_MS (10 * 60 * 1000)
/* Of an answer; base64 and a frame's other parts have to fit into 16 MB as well. */
#define BODY_MAX (8 * 1024 * 1024)

struct request {
    struct op *op;
    struct http_request http;
    struct http_call *call;
};

static enum op_kind http_kind(const json_t *args) {
    static const char *const reads[] = {"GET", "HEAD", "OPTIONS"};
    struct str method = jsonx_str(args, "method");
    for (size_t i = 0; i < ARRAY_LEN(reads); i++)
        if (!method.len || str_eq_nocase(method, str_from(reads[i])))
            return jsonx_bool(args, "changes", false) ? OP_EFFECT : OP_READ;
    return OP_EFFECT;
}

/* "get" is as good as "GET". */
static bool take_method(struct op *op, struct str *out, struct error *err) {
    struct str method = *out;
    if (!args_str(op->args, "method", &method, err))
        return false;
    char *upper = arena_strdup(&op->arena, method);
    for (size_t i = 0; i < method.len; i++)
        if (upper[i] >= 'a' && upper[i] <= 'z')
            upper[i] = (char)(upper[i] - 'a' + 'A');
    *out = str_of(upper, method.len);
    return true;
}

static bool take_headers(struct op *op, struct http_request *http, struct error *err) {
    json_t *headers = json_object_get(op->args, "headers"), *value;
    const char *name;
    if (headers && !json_is_null(headers) && !json_is_object(headers))
        return error_set(err, ERR_INVALID, "headers is not an object");
    struct http_header *h = arena_alloc(&op->arena, (json_object_size(headers) + 1) * sizeof *h); /* and the key */
    http->headers = h;
    json_object_foreach(headers, name, value) {
        if (!json_is_string(value))
            return error_set(err, ERR_INVALID, "the header %s is not a string", name);
        h[http->header_count++] = (struct http_header){str_from(name), jsonx_string_value(value)};
    }
    return true;
}

static bool take_body(struct op *op, struct str *out, struct error *err) {
    const json_t *body = json_object_get(op->args, "body");
    struct buf bytes;
    if (!body || json_is_null(body))
        return true;
    if (json_is_string(body)) {
        *out = jsonx_string_value(body);
        return true;
    }
    buf_init(&bytes, 32 * 1024 * 1024);
    bool ok = jsonx_to_bytes(body, &bytes);
    if (ok)
        *out = arena_str(&op->arena, buf_str(&bytes));
    buf_release(&bytes);
    return ok || error_set(err, ERR_INVALID, "body is neither a string nor bytes");
}

static bool http_check(struct op *op, struct error *err) {
    struct request *r = op->own = arena_alloc(&op->arena, sizeof *r);
    r->op = op;
    r->http = (struct http_request){
        .method = STR("GET"),
        .max_body = BODY_MAX,
        .follow_redirects = jsonx_bool(op->args, "follow_redirects", true),
        .once = http_kind(op->args) == OP_EFFECT,
    };
    return (take_method(op, &r->http.method, err) && args_needed_str(op->args, "url", &r->http.url, err) &&
            args_int(op->args, "timeout_ms", 1, TIMEOUT_MAX_MS, &r->http.timeout_ms, err) && take_headers(op, &r->http, err) &&
            take_body(op, &r->http.body, err)) ||
           error_wrap(err, "http.request");
}

/* ---- the result ---- */

/* Names in lower case; what came several times is one, with commas (RFC 9110, 5.3). */
static json_t *headers_json(const struct http_result *result) {
    json_t *out = json_object();
    for (size_t i = 0; i < result->header_count; i++) {
        struct http_header h = result->headers[i];
        struct buf name, value;
        buf_init(&name, h.name.len);
        buf_init(&value, 256 * 1024);
        for (size_t c = 0; c < h.name.len; c++)
            buf_addc(&name, h.name.ptr[c] >= 'A' && h.name.ptr[c] <= 'Z' ? (char)(h.name.ptr[c] | 0x20) : h.name.ptr[c]);
        struct str before = jsonx_str(out, name.ptr);
        if (before.ptr) {
            buf_add(&value, before);
            buf_adds(&value, ", ");
        }
        buf_add(&value, h.value);
        if (buf_ok(&value))
            json_object_set_new(out, name.ptr, jsonx_from_str(buf_str(&value)));
        buf_release(&name);
        buf_release(&value);
    }
    return out;
}

static json_t *body_json(struct str body) {
    return str_is_utf8(body) ? json_stringn(body.ptr ? body.ptr : "", body.len) : jsonx_from_bytes(body);
}

static json_t *timing_json(const struct http_timing *t) {
    return json_pack("{sI sI sI sI sI}", "dns", (json_int_t)lround(t->dns_ms), "connect", (json_int_t)lround(t->connect_ms),
                     "tls", (json_int_t)lround(t->tls_ms), "first_byte", (json_int_t)lround(t->first_byte_ms), "total",
                     (json_int_t)lround(t->total_ms));
}

static json_t *result_json(const struct http_result *result) {
    json_t *redirects = json_array();
    for (size_t i = 0; i < result->redirect_count; i++)
        json_array_append_new(redirects, json_pack("{si so}", "status", result->redirects[i].status, "url",
                                                   jsonx_from_str(result->redirects[i].url)));
    return json_pack("{si so so so so so so so}", "status", result->status, "headers", headers_json(result), "body",
                     body_json(result->body), "url", jsonx_from_str(result->url), "redirects", redirects, "address",
                     jsonx_from_str(result->peer), "timing", timing_json(&result->timing), "certificate",
                     result->certificate ? certificate_json(result->certificate) : json_null());
}

/* The request may have arrived, and its flow does not want it to arrive twice. */
static bool is_unknown(const struct op *op, const struct error *err) {
    return (err->code == ERR_CONNECTION_LOST || err->code == ERR_TIMEOUT) && http_kind(op->args) == OP_EFFECT &&
           op_fails_when_unknown(op->args);
}

static void on_done(void *arg, const struct http_result *result, const struct error *err) {
    struct op *op = arg;
    struct error unknown;
    if (err && is_unknown(op, err)) {
        error_set(&unknown, ERR_UNKNOWN_OUTCOME, "%s: the request may have been carried out", err->text);
        op_fail(op, &unknown, NULL);
    } else if (err)
        op_fail(op, err, NULL);
    else
        op_succeed(op, result_json(result));
}

/* The key is a string in quotes (draft-ietf-httpapi-idempotency-key-header-07, section 2.1). The flow's own goes before it. */
static void add_key(struct op *op, struct http_request *http) {
    struct http_header *h = (struct http_header *)(uintptr_t)http->headers; /* take_headers left room for one more */
    if (!op->key[0] || !jsonx_bool(op->args, "idempotency_key", false))
        return;
    for (size_t i = 0; i < http->header_count; i++)
        if (str_eq_nocase(h[i].name, STR("idempotency-key")))
            return;
    h[http->header_count++] = (struct http_header){STR("Idempotency-Key"), str_from(arena_printf(&op->arena, "\"%s\"", op->key))};
}

static void http_op_start(struct op *op) {
    struct request *r = op->own;
    add_key(op, &r->http);
    r->call = http_start(op->env->transfers, &r->http, on_done, op);
}

static void http_op_cancel(struct op *op) { http_cancel(((struct request *)op->own)->call); }

/* ---- practice mode ---- */

static json_t *sample_json(const json_t *args) {
    const json_t *sample = json_object_get(args, "sample");
    json_t *body = json_object_get(sample, "body"), *headers = json_object_get(sample, "headers");
    struct http_result none = {.url = jsonx_str(args, "url"), .status = (int)jsonx_int(sample, "status", 202)};
    json_t *value = result_json(&none);
    if (json_is_object(headers))
        json_object_set(value, "headers", headers);
    if (json_is_string(body)) {
        json_object_set(value, "body", body);
    } else if (body && !json_is_null(body)) {
        char *text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
        json_object_set_new(value, "body", json_string(text));
        free(text);
        headers = json_copy(json_object_get(value, "headers"));
        if (!json_object_get(headers, "content-type"))
            json_object_set_new(headers, "content-type", json_string("application/json"));
        json_object_set_new(value, "headers", headers);
    }
    return value;
}

/* The host of a URL, for the outbox. */
static struct str host_of(struct str url) {
    size_t scheme = str_find(url, STR("://"));
    struct str rest = scheme == SIZE_MAX ? url : str_of(url.ptr + scheme + 3, url.len - scheme - 3), host;
    return str_cut(&rest, '/', &host) ? host : url;
}

static bool http_capture(struct op *op, struct op_captured *captured, struct error *err) {
    static const char *const kinds[] = {"page", "sms", "chat"};
    const struct http_request *http = &((struct request *)op->own)->http;
    struct str counts_as = jsonx_str(op->args, "counts_as"), to = jsonx_str(op->args, "to");
    json_t *headers = json_object_get(op->args, "headers"), *body = json_object_get(op->args, "body");
    captured->kind = "other";
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_is(counts_as, kinds[i]))
            captured->kind = kinds[i];
    captured->to = arena_strdup(&op->arena, to.len ? to : host_of(http->url));
    struct buf text;
    buf_init(&text, 64 * 1024 * 1024);
    json_t *content = json_pack("{so so sO* sO*}", "method", jsonx_from_str(http->method), "url", jsonx_from_str(http->url),
                                "headers", headers, "body", body);
    bool ok = jsonx_write(content, &text);
    if (ok) {
        captured->content = arena_str(&op->arena, buf_str(&text));
        captured->value = sample_json(op->args);
    }
    json_decref(content);
    buf_release(&text);
    return ok || error_set(err, ERR_TOO_LARGE, "http.request: the request is too large for the outbox");
}

static void http_about(const json_t *args, struct buf *out) {
    struct str method = jsonx_str(args, "method");
    buf_add(out, method.len ? method : STR("GET"));
    buf_addc(out, ' ');
    buf_add(out, jsonx_str(args, "url"));
}

const struct op_type op_http_request = {
    .name = "http.request",
    .kind = http_kind,
    .check = http_check,
    .start = http_op_start,
    .cancel = http_op_cancel,
    .capture = http_capture,
    .about = http_about,
};
