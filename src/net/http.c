/* http.c — see http.h. One call is one or more hops, each a transfer; redirects are followed here, not by libcurl,
 * so that each hop is looked at. */
#include "net/http.h"

#include "base/buf.h"

#define HEADERS_MAX 256
#define HEADER_BYTES_MAX (64 * 1024)
#define URL_MAX (16 * 1024)
#define BODY_MAX_DEFAULT (16 * 1024 * 1024)
#define TIMEOUT_DEFAULT_MS 10000
#define CONNECT_TIMEOUT_DEFAULT_MS 5000

struct http_call {
    struct transfer transfer;
    struct arena arena;
    struct timer later; /* what ended before it began, or was canceled */
    struct http_request request;
    char *method;           /* of this hop */
    bool has_body, strange; /* of this hop; strange: led to another origin */
    CURLU *url;
    struct curl_slist *lines;
    int64_t deadline_ms;
    struct buf body;
    struct http_header headers[HEADERS_MAX];
    size_t header_bytes;
    struct str location; /* in arena; {NULL, 0}: none came */
    bool head_done;
    struct http_result result;
    struct error err; /* set by a callback of libcurl's that ended the transfer, or by who ended the call */
    char peer[ADDRESS_TEXT_MAX];
    http_fn *done;
    void *arg;
};

/* ---- what comes in ---- */

/* Ends the transfer: libcurl takes a wrong count as a failure to write. */
static size_t give_up(struct http_call *c, enum error_code code, const char *text) {
    error_set(&c->err, code, "%s", text);
    return 0;
}

static size_t on_body(char *bytes, size_t one, size_t n, void *arg) {
    struct http_call *c = arg;
    (void)one;
    c->head_done = true;
    if (buf_add(&c->body, str_of(bytes, n)))
        return n;
    return give_up(c, ERR_TOO_LARGE, "the answer's body is larger than allowed");
}

static void begin_head(struct http_call *c, struct str line) {
    struct str rest = line, part;
    int64_t status = 0;
    str_cut(&rest, ' ', &part);
    str_cut(&rest, ' ', &part);
    if (!str_to_int64(part, &status))
        status = 0;
    c->result.status = (int)status;
    c->result.header_count = 0;
    c->location = (struct str){NULL, 0};
    transfer_certificate(&c->transfer);
}

/* One line of a head, of an interim one (1xx) too, and of trailers after the body, which are left out. */
static size_t on_header(char *bytes, size_t one, size_t n, void *arg) {
    struct http_call *c = arg;
    struct str line = {bytes, n}, name;
    (void)one;
    while (line.len && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
        line.len--;
    if (c->head_done)
        return n;
    if (str_starts(line, STR("HTTP/"))) {
        begin_head(c, line);
        return n;
    }
    struct str value = line;
    if (!line.len || !str_cut(&value, ':', &name) || !value.ptr)
        return n;
    c->header_bytes += n;
    if (c->result.header_count == HEADERS_MAX || c->header_bytes > HEADER_BYTES_MAX)
        return give_up(c, ERR_TOO_LARGE, "the answer's headers are larger than allowed");
    struct http_header h = {arena_str(&c->arena, name), arena_str(&c->arena, str_trim(value))};
    c->headers[c->result.header_count++] = h;
    if (!c->location.ptr && str_eq_nocase(name, STR("location")))
        c->location = h.value;
    return n;
}

/* ---- what goes out ---- */

static bool is_token(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f || strchr("()<>@,;:\\\"/[]?={}", s.ptr[i]))
            return false;
    return s.len > 0;
}

static bool is_clean(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (((uint8_t)s.ptr[i] < ' ' && s.ptr[i] != '\t') || s.ptr[i] == 0x7f)
            return false;
    return true;
}

static bool is_one_of(struct str name, const char *const *names, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(name, str_from(names[i])))
            return true;
    return false;
}

/* These are libcurl's to write. */
static bool is_ours(struct str name) {
    static const char *const names[] = {
        "content-length", "transfer-encoding", "connection", "keep-alive",       "te",
        "trailer",        "upgrade",           "expect",     "proxy-connection", "proxy-authorization"};
    return is_one_of(name, names, ARRAY_LEN(names));
}

/* These are meant for the host that the caller named. */
static bool is_for_origin(struct str name) {
    static const char *const names[] = {"authorization", "cookie", "host"};
    return is_one_of(name, names, ARRAY_LEN(names));
}

static bool copy_request(struct http_call *c, const struct http_request *r, struct error *err) {
    c->request = *r;
    if (!is_token(r->method) || r->method.len > 32)
        return error_set(err, ERR_INVALID, "\"" STR_FMT "\" is no HTTP method", STR_ARG(r->method));
    if (str_is(r->method, "CONNECT") || (str_is(r->method, "HEAD") && r->body.len))
        return error_set(err, ERR_INVALID, "CONNECT, and HEAD with a body, are not possible");
    if (r->header_count > HEADERS_MAX)
        return error_set(err, ERR_INVALID, "more than %d headers", HEADERS_MAX);
    struct http_header *headers = arena_alloc(&c->arena, r->header_count * sizeof *headers);
    size_t bytes = 0;
    for (size_t i = 0; i < r->header_count; i++) {
        struct http_header h = r->headers[i];
        if (!is_token(h.name))
            return error_set(err, ERR_INVALID, "\"" STR_FMT "\" is no name for a header", STR_ARG(h.name));
        if (!is_clean(h.value))
            return error_set(err, ERR_INVALID, "the header " STR_FMT " has a line break or another control character in it",
                             STR_ARG(h.name));
        if ((bytes += h.name.len + h.value.len) > HEADER_BYTES_MAX)
            return error_set(err, ERR_INVALID, "more than %d bytes of headers", HEADER_BYTES_MAX);
        headers[i] = (struct http_header){arena_str(&c->arena, h.name), arena_str(&c->arena, h.value)};
    }
    c->request.headers = headers;
    c->request.body = arena_str(&c->arena, r->body);
    c->method = arena_strdup(&c->arena, r->method);
    c->has_body = r->body.len > 0;
    return true;
}

static void add_line(struct http_call *c, const char *line) { c->lines = curl_slist_append(c->lines, line); }

static void set_headers(struct http_call *c) {
    bool typed = false;
    curl_slist_free_all(c->lines);
    c->lines = NULL;
    add_line(c, "Expect:");
    for (size_t i = 0; i < c->request.header_count; i++) {
        struct http_header h = c->request.headers[i];
        bool of_body = str_eq_nocase(h.name, STR("content-type")) || str_eq_nocase(h.name, STR("content-encoding"));
        if (is_ours(h.name) || (c->strange && is_for_origin(h.name)) || (of_body && c->request.body.len && !c->has_body))
            continue;
        typed |= str_eq_nocase(h.name, STR("content-type"));
        /* An empty value is written with a semicolon; with a colon it would take libcurl's own header away. */
        struct str value = str_trim(h.value);
        add_line(c, value.len ? arena_printf(&c->arena, STR_FMT ": %s", STR_ARG(h.name), arena_strdup(&c->arena, value))
                              : arena_printf(&c->arena, STR_FMT ";", STR_ARG(h.name)));
    }
    if (!typed)
        add_line(c, "Content-Type:");
    curl_easy_setopt(c->transfer.easy, CURLOPT_HTTPHEADER, c->lines);
}

static void set_method(struct http_call *c) {
    CURL *e = c->transfer.easy;
    bool head = strcmp(c->method, "HEAD") == 0;
    /* These tell the length of a body even where there is none (RFC 9110, 8.6). */
    bool expects = !strcmp(c->method, "POST") || !strcmp(c->method, "PUT") || !strcmp(c->method, "PATCH");
    curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
    if (c->has_body || expects) {
        curl_easy_setopt(e, CURLOPT_POST, 1L);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, c->has_body ? c->request.body.ptr : "");
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(c->has_body ? c->request.body.len : 0));
    } else if (head) {
        curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, head ? NULL : c->method);
    /* What is larger is refused by its Content-Length already; that of an answer to HEAD is no matter. */
    curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)(head ? 0 : c->request.max_body));
}

/* ---- hops ---- */

/* NULL when the URL has no such part; of the arena. */
static const char *part_of(struct http_call *c, CURLUPart what, unsigned flags) {
    char *text = NULL;
    if (curl_url_get(c->url, what, &text, flags) != CURLUE_OK)
        return NULL;
    const char *copy = arena_strdup(&c->arena, str_from(text));
    curl_free(text);
    return copy;
}

/* What follows from the URL in c->url. */
static bool set_url(struct http_call *c, struct error *err) {
    const char *scheme = part_of(c, CURLUPART_SCHEME, 0);
    if (!scheme || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        return error_set(err, ERR_INVALID, "the URL is of the kind \"%s\": only http and https are possible",
                         scheme ? scheme : "");
    const char *text = part_of(c, CURLUPART_URL, 0);
    if (text && strchr(text, '@') && (part_of(c, CURLUPART_USER, 0) || part_of(c, CURLUPART_PASSWORD, 0)))
        return error_set(err, ERR_INVALID, "the URL holds a user name or password: use a secret for it");
    if (!text || !part_of(c, CURLUPART_HOST, 0))
        return error_set(err, ERR_INVALID, "the URL has no host");
    c->result.url = str_from(text);
    curl_easy_setopt(c->transfer.easy, CURLOPT_URL, text);
    return true;
}

/* Takes an absolute URL, or one relative to the one before. */
static bool read_url(struct http_call *c, struct str text, struct error *err) {
    if (text.len > URL_MAX || !is_clean(text))
        return error_set(err, ERR_INVALID, "the URL is too long or has control characters in it");
    CURLUcode code =
        curl_url_set(c->url, CURLUPART_URL, arena_strdup(&c->arena, text), CURLU_URLENCODE | CURLU_ALLOW_SPACE | CURLU_NON_SUPPORT_SCHEME);
    if (code != CURLUE_OK)
        return error_set(err, ERR_INVALID, "\"" STR_FMT "\" is no URL such as https://example.com/path: %s", STR_ARG(text),
                         curl_url_strerror(code));
    return set_url(c, err);
}

static void start_hop(struct http_call *c) {
    CURL *e = c->transfer.easy;
    int64_t left_ms = c->deadline_ms - loop_now_ms(transfers_loop(c->transfer.all));
    struct str host = str_from(part_of(c, CURLUPART_HOST, 0));
    int64_t port = 0;
    if (!str_to_int64(str_from(part_of(c, CURLUPART_PORT, CURLU_DEFAULT_PORT)), &port))
        port = 0;
    if (host.len > 2 && host.ptr[0] == '[')
        host = str_of(host.ptr + 1, host.len - 2);
    set_headers(c);
    set_method(c);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(left_ms > 0 ? left_ms : 1));
    buf_clear(&c->body);
    c->header_bytes = 0;
    c->head_done = false;
    c->result.status = 0;
    c->result.header_count = 0;
    transfer_start(&c->transfer, host, (uint16_t)port);
}

static double span_ms(CURL *e, CURLINFO from, CURLINFO to) {
    curl_off_t a = 0, b = 0;
    if (from != CURLINFO_NONE)
        curl_easy_getinfo(e, from, &a);
    curl_easy_getinfo(e, to, &b);
    return b > a ? (double)(b - a) / 1000 : 0;
}

static void add_timing(struct http_call *c) {
    CURL *e = c->transfer.easy;
    struct http_timing *t = &c->result.timing;
    long connections = 0;
    curl_easy_getinfo(e, CURLINFO_NUM_CONNECTS, &connections);
    if (connections) {
        t->dns_ms += span_ms(e, CURLINFO_NONE, CURLINFO_NAMELOOKUP_TIME_T);
        t->connect_ms += span_ms(e, CURLINFO_NAMELOOKUP_TIME_T, CURLINFO_CONNECT_TIME_T);
        t->tls_ms += span_ms(e, CURLINFO_CONNECT_TIME_T, CURLINFO_APPCONNECT_TIME_T);
    }
    t->first_byte_ms += span_ms(e, CURLINFO_PRETRANSFER_TIME_T, CURLINFO_STARTTRANSFER_TIME_T);
    t->total_ms += span_ms(e, CURLINFO_NONE, CURLINFO_TOTAL_TIME_T);
}

static bool is_redirect(const struct http_call *c) {
    int s = c->result.status;
    return c->request.follow_redirects && c->location.ptr && (s == 301 || s == 302 || s == 303 || s == 307 || s == 308);
}

static const char *origin_of(struct http_call *c) {
    return arena_printf(&c->arena, "%s://%s:%s", part_of(c, CURLUPART_SCHEME, 0), part_of(c, CURLUPART_HOST, 0),
                        part_of(c, CURLUPART_PORT, CURLU_DEFAULT_PORT));
}

static bool redirect(struct http_call *c, struct error *err) {
    const char *origin = origin_of(c);
    int status = c->result.status;
    if (c->result.redirect_count == HTTP_REDIRECTS_MAX)
        return error_set(err, ERR_LIMIT, "more than %d redirects; the last one led to " STR_FMT, HTTP_REDIRECTS_MAX,
                         STR_ARG(c->location));
    if (!read_url(c, c->location, err)) {
        err->code = ERR_PROTOCOL;
        return error_wrap(err, "redirect");
    }
    c->result.redirects[c->result.redirect_count++] = (struct http_redirect){status, c->result.url};
    c->strange |= strcmp(origin, origin_of(c)) != 0;
    bool post = strcmp(c->method, "POST") == 0;
    if ((status == 303 && strcmp(c->method, "HEAD") != 0) || ((status == 301 || status == 302) && post)) {
        c->method = arena_strdup(&c->arena, STR("GET"));
        c->has_body = false;
    }
    start_hop(c);
    return true;
}

/* ---- a call's life ---- */

static void finish(struct http_call *c, const struct error *err) {
    c->result.headers = c->headers;
    c->result.body = buf_str(&c->body);
    c->result.peer = str_from(c->peer);
    c->result.certificate = transfer_certificate(&c->transfer);
    c->done(c->arg, &c->result, err);
    timer_stop(&c->later);
    transfer_release(&c->transfer);
    curl_slist_free_all(c->lines);
    curl_url_cleanup(c->url);
    buf_release(&c->body);
    arena_release(&c->arena);
    free(c);
}

static void on_transfer(struct transfer *t, const struct error *failed) {
    struct http_call *c = container_of(t, struct http_call, transfer);
    struct error err;
    add_timing(c);
    transfer_peer(t, c->peer);
    if (failed) {
        err = c->err.code ? c->err : *failed;
        finish(c, &err);
    } else if (!is_redirect(c)) {
        finish(c, NULL);
    } else if (!redirect(c, &err)) {
        finish(c, &err);
    }
}

static void on_later(struct timer *t) {
    struct http_call *c = container_of(t, struct http_call, later);
    finish(c, &c->err);
}

struct http_call *http_start(struct transfers *ts, const struct http_request *request, http_fn *done, void *arg) {
    struct http_call *c = mem_alloc(sizeof *c);
    struct loop *l = transfers_loop(ts);
    c->done = done;
    c->arg = arg;
    arena_init(&c->arena);
    timer_init(&c->later, l, on_later);
    transfer_init(&c->transfer, ts, on_transfer);
    c->url = curl_url();
    buf_init(&c->body, request->max_body ? request->max_body : BODY_MAX_DEFAULT);
    if (!copy_request(c, request, &c->err) || !read_url(c, request->url, &c->err)) {
        timer_start(&c->later, 0);
        return c;
    }
    c->request.max_body = c->body.max;
    c->deadline_ms = loop_now_ms(l) + (request->timeout_ms ? request->timeout_ms : TIMEOUT_DEFAULT_MS);
    CURL *e = c->transfer.easy;
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_USERAGENT, "Flowlet");
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, (long)request->once);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(request->connect_timeout_ms ? request->connect_timeout_ms : CONNECT_TIMEOUT_DEFAULT_MS));
    start_hop(c);
    return c;
}

void http_cancel(struct http_call *c) {
    transfer_release(&c->transfer);
    error_set(&c->err, ERR_CANCELED, "the request was canceled");
    timer_start(&c->later, 0);
}
