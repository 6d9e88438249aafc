/* The HTTP client and the probes, against nginx and against servers that misbehave. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/http.h"
#include "net/httpd.h"
#include "net/probe.h"
#include "peers.h"

static struct peers peers;
static struct loop *l;
static struct outgoing *o;
static struct transfers *ts;
static struct error err;

/* What the last call brought, copied. */
static struct {
    int calls;
    struct error err; /* code 0: none */
    int status;
    char body[8192], url[1024], peer[ADDRESS_TEXT_MAX], names[1024], issuer[256], protocol[32], why_not[512];
    int days_left, redirects, twice;
    bool verified;
    struct http_timing timing;
} got;

/* A name server that takes its time. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out) {
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    if (node && strcmp(node, "slow.test") == 0) {
        usleep(3000000);
        return EAI_AGAIN;
    }
    real = (__typeof__(real))dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, out);
}

static const char *text(const char *format, ...) PRINTF_LIKE(1, 2);
static const char *text(const char *format, ...) {
    static char all[8][512];
    static int next;
    va_list args;
    va_start(args, format);
    char *out = all[next++ % 8];
    vsnprintf(out, sizeof all[0], format, args);
    va_end(args);
    return out;
}

static void setup(void) {
    l = loop_new();
    o = outgoing_new();
    peers_start(&peers);
    cr_assert(outgoing_set_ca_file(o, peers.ca, &err), "%s", err.text);
    cr_assert(outgoing_allow(o, "127.0.0.1", &err));
    cr_assert(outgoing_resolve_add(o, text("good.test:443=127.0.0.1:%u", peers.tls), &err));
    cr_assert(outgoing_resolve_add(o, text("pinned.test:80=127.0.0.2:%u", peers.http), &err));
    cr_assert(outgoing_resolve_add(o, text("other.test:443=127.0.0.1:%u", peers.tls), &err));
    cr_assert(outgoing_resolve_add(o, text("a.wild.test:443=127.0.0.1:%u", peers.tls), &err));
    cr_assert(outgoing_resolve_add(o, text("old.wild.test:443=127.0.0.1:%u", peers.old), &err));
    cr_assert(outgoing_resolve_add(o, text("good.test:1443=127.0.0.1:%u", peers.expired), &err));
    cr_assert(outgoing_resolve_add(o, text("good.test:2443=127.0.0.1:%u", peers.unknown), &err));
    ts = transfers_new(l, o);
}

static void teardown(void) {
    transfers_free(ts);
    outgoing_free(o);
    loop_free(l);
    peers_stop(&peers);
}

TestSuite(http, .init = setup, .fini = teardown, .timeout = 30);

static void keep_certificate(const struct certificate *c) {
    for (size_t i = 0; c && i < c->name_count; i++)
        snprintf(got.names + strlen(got.names), sizeof got.names - strlen(got.names), "%s ", c->names[i]);
    if (c) {
        snprintf(got.issuer, sizeof got.issuer, "%s", c->issuer);
        snprintf(got.protocol, sizeof got.protocol, "%s", c->protocol);
        got.days_left = certificate_days_left(c);
    }
}

static void on_done(void *arg, const struct http_result *r, const struct error *failed) {
    (void)arg;
    got.calls++;
    got.err.code = ERR_NONE;
    got.err.text[0] = 0;
    if (failed)
        got.err = *failed;
    got.status = r->status;
    got.redirects = (int)r->redirect_count;
    got.timing = r->timing;
    snprintf(got.body, sizeof got.body, STR_FMT, STR_ARG(r->body));
    snprintf(got.url, sizeof got.url, STR_FMT, STR_ARG(r->url));
    snprintf(got.peer, sizeof got.peer, STR_FMT, STR_ARG(r->peer));
    for (size_t i = 0; i < r->header_count; i++)
        got.twice += str_eq_nocase(r->headers[i].name, STR("x-twice"));
    keep_certificate(r->certificate);
    loop_stop(l);
}

static void call(struct http_request r) {
    memset(&got, 0, sizeof got);
    if (!r.method.ptr)
        r.method = STR("GET");
    struct http_call *c = http_start(ts, &r, on_done, NULL);
    cr_assert(c && got.calls == 0, "later");
    loop_run(l);
    cr_assert_eq(got.calls, 1);
}

static void get(const char *url) {
    call((struct http_request){.url = str_from(url), .timeout_ms = 5000, .follow_redirects = true});
}

#define EXPECT_FAILURE(expected, part)                                                                                           \
    cr_expect(got.err.code == (expected) && strstr(got.err.text, part), "%s: %s", error_name(got.err.code), got.err.text)

/* ---- many at once ---- */

static int answers, swapped;

static void on_one_of_many(void *arg, const struct http_result *r, const struct error *failed) {
    const struct http_header *sent = arg;
    struct str rest = r->body, part = {NULL, 0};
    for (int i = 0; i < 5; i++)
        str_cut(&rest, '|', &part);
    swapped += failed || !str_eq(part, sent->value);
    if (++answers % 8 == 0)
        loop_stop(l);
}

Test(http, each_of_many_gets_its_own_answer_where_an_address_speaks_http_2_and_1) {
    static struct http_header marks[8];
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 8; i++) {
            marks[i] = (struct http_header){STR("X-Test"), str_of(&"abcdefgh"[i], 1)};
            http_start(
                ts,
                &(struct http_request){
                    .method = STR("GET"), .url = STR("https://old.wild.test/see"), .headers = &marks[i], .header_count = 1},
                on_one_of_many, &marks[i]);
        }
        loop_run(l);
        call((struct http_request){.url = STR("https://a.wild.test/see"), .once = true});
        cr_expect(strstr(got.body, "HTTP/2.0"));
    }
    cr_expect(answers == 160 && swapped == 0, "%d of %d", swapped, answers);
}

Test(http, an_answer_comes_with_all_that_is_known_of_it) {
    struct http_header headers[] = {
        {STR("X-Test"), STR(" v ")}, {STR("Authorization"), STR("Bearer x")}, {STR("Content-Length"), STR("9999")}};
    call((struct http_request){
        .url = str_from(text("http://127.0.0.1:%u/see?a=b c", peers.http)), .headers = headers, .header_count = 3});
    cr_expect(got.err.code == 0 && got.status == 200, "%s", got.err.text);
    cr_expect_str_eq(got.body, text("GET|127.0.0.1:%u|Bearer x||v|||HTTP/1.1|Flowlet", peers.http));
    cr_expect_str_eq(got.peer, text("127.0.0.1:%u", peers.http));
    cr_expect_str_eq(got.url, text("http://127.0.0.1:%u/see?a=b+c", peers.http));
    cr_expect_eq(got.twice, 2);
    cr_expect(got.timing.total_ms > 0 && got.timing.connect_ms > 0 && got.timing.tls_ms == 0 && got.timing.first_byte_ms > 0);
    get(text("http://127.0.0.1:%u/see", peers.http));
    cr_expect(got.timing.connect_ms == 0, "the connection is kept");
    get(text("http://127.0.0.1:%u/missing", peers.http));
    cr_expect(got.err.code == 0 && got.status == 404 && strcmp(got.body, "gone") == 0);
    get(text("http://127.0.0.1:%u/nothing", peers.http));
    cr_expect(got.err.code == 0 && got.status == 204 && !got.body[0]);
}

Test(http, bodies_go_with_any_method) {
    struct http_header type = {STR("Content-Type"), STR("application/json")};
    const char *methods[] = {"POST", "PUT", "PATCH", "DELETE"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        call((struct http_request){.method = str_from(methods[i]),
                                   .url = str_from(text("http://127.0.0.1:%u/see", peers.http)),
                                   .headers = &type,
                                   .header_count = 1,
                                   .body = STR("{\0}"),
                                   .once = true});
        cr_expect_str_eq(got.body, text("%s|127.0.0.1:%u||||application/json|3|HTTP/1.1|Flowlet", methods[i], peers.http));
    }
    call((struct http_request){.method = STR("POST"), .url = str_from(text("http://127.0.0.1:%u/see", peers.http))});
    cr_expect_str_eq(got.body, text("POST|127.0.0.1:%u|||||0|HTTP/1.1|Flowlet", peers.http));
    call((struct http_request){
        .method = STR("HEAD"), .url = str_from(text("http://127.0.0.1:%u/see", peers.http)), .max_body = 1});
    cr_expect(got.err.code == 0 && got.status == 200 && !got.body[0], "%s", got.err.text);
}

Test(http, resolve_keeps_the_certificates_check_on_the_name) {
    get("https://good.test/see");
    cr_expect_eq(got.err.code, ERR_NONE, "%s", got.err.text);
    cr_expect_str_eq(got.body, "GET|good.test||||||HTTP/2.0|Flowlet");
    cr_expect_str_eq(got.names, "good.test *.wild.test 127.0.0.1 ");
    cr_expect_str_eq(got.issuer, "CN=ca");
    cr_expect_str_eq(got.peer, text("127.0.0.1:%u", peers.tls));
    cr_expect(got.days_left == 8 && strcmp(got.protocol, "TLSv1.3") == 0 && got.timing.tls_ms > 0, "%d %s", got.days_left,
              got.protocol);
    get("https://good.test/see");
    cr_expect(got.timing.tls_ms == 0 && strstr(got.names, "good.test"), "also of a kept connection");
    get("https://a.wild.test/see");
    cr_expect_eq(got.err.code, ERR_NONE, "%s", got.err.text);
    get(text("https://127.0.0.1:%u/see", peers.tls));
    cr_expect_eq(got.err.code, ERR_NONE, "%s", got.err.text);
    get("https://other.test/see");
    EXPECT_FAILURE(ERR_CERTIFICATE, "other.test");
    cr_expect(strstr(got.names, "good.test") && got.status == 0 && !got.body[0]);
    get("https://good.test:1443/see");
    EXPECT_FAILURE(ERR_CERTIFICATE, "expired");
    cr_expect(got.days_left < 0);
    get("https://good.test:2443/see");
    EXPECT_FAILURE(ERR_CERTIFICATE, "issuer");
    get(text("https://127.0.0.1:%u/see", peers.http));
    EXPECT_FAILURE(ERR_TLS_FAILED, "");
}

Test(http, redirects_are_followed_and_looked_at) {
    struct http_header headers[] = {{STR("Authorization"), STR("Bearer x")},
                                    {STR("Cookie"), STR("a=b")},
                                    {STR("X-Test"), STR("v")},
                                    {STR("Content-Type"), STR("text/plain")}};
    struct http_request r = {
        .method = STR("POST"), .headers = headers, .header_count = 4, .body = STR("body"), .follow_redirects = true};
    r.url = STR("https://good.test/here");
    call(r);
    cr_expect_str_eq(got.body, "GET|good.test|Bearer x|a=b|v|||HTTP/2.0|Flowlet", "%s", got.err.text);
    cr_expect(got.redirects == 1 && strcmp(got.url, "https://good.test/see") == 0);
    r.url = STR("https://good.test/keep");
    call(r);
    cr_expect_str_eq(got.body, "POST|good.test|Bearer x|a=b|v|text/plain|4|HTTP/2.0|Flowlet", "%s", got.err.text);
    r.follow_redirects = false;
    call(r);
    cr_expect(got.status == 307 && got.redirects == 0);
    r.follow_redirects = true;
    r.url = str_from(text("http://127.0.0.1:%u/here", peers.http));
    call(r);
    cr_expect(strstr(got.body, "|Bearer x|"));
    r.url = str_from(text("http://127.0.0.1:%u/round", peers.http));
    call(r);
    EXPECT_FAILURE(ERR_LIMIT, "more than 5 redirects");
    r.url = str_from(text("http://127.0.0.1:%u/file", peers.http));
    call(r);
    EXPECT_FAILURE(ERR_PROTOCOL, "only http and https");
    r.url = str_from(text("http://127.0.0.1:%u/inside", peers.http));
    call(r);
    EXPECT_FAILURE(ERR_ADDRESS_REFUSED, "127.0.0.2");
    cr_expect(got.redirects == 1);
}

Test(http, credentials_stay_with_their_origin) {
    struct http_header headers[] = {{STR("authorization"), STR("Bearer x")},
                                    {STR("COOKIE"), STR("a=b")},
                                    {STR("X-Test"), STR("v")},
                                    {STR("Host"), STR("virtual.test")}};
    cr_assert(outgoing_resolve_add(o, text("other.test:%u=127.0.0.1:%u", peers.tls, peers.http), &err));
    static char hop[512];
    snprintf(hop, sizeof hop, "HTTP/1.1 303 See\r\nLocation: http://127.0.0.1:%u/see\r\nContent-Length: 0\r\n\r\n", peers.http);
    static const char *const says[] = {hop, NULL};
    struct speaker s = {0};
    speaker_start(&s, says);
    call((struct http_request){
        .url = str_from(text("http://127.0.0.1:%u/", s.port)), .headers = headers, .header_count = 4, .follow_redirects = true});
    cr_expect_str_eq(got.body, text("GET|127.0.0.1:%u|||v|||HTTP/1.1|Flowlet", peers.http), "%s", got.err.text);
    call((struct http_request){
        .url = str_from(text("http://127.0.0.1:%u/see", peers.http)), .headers = headers, .header_count = 4});
    cr_expect_str_eq(got.body, "GET|virtual.test|Bearer x|a=b|v|||HTTP/1.1|Flowlet");
}

Test(http, only_allowed_addresses_are_connected_to) {
    static const char *const refused[] = {
        "http://127.0.0.2:%u/see", "http://[::1]:%u/see", "http://0.0.0.0:%u/see",         "http://127.2:%u/",
        "http://2130706434:%u/",   "http://0x7f.2:%u/",   "http://[::ffff:127.0.0.2]:%u/", "http://169.254.169.254:%u/"};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        get(text(refused[i], peers.http));
        EXPECT_FAILURE(ERR_ADDRESS_REFUSED, "--allow-address");
        cr_expect_str_eq(got.peer, "");
    }
#pragma GCC diagnostic pop
    setenv("http_proxy", text("http://127.0.0.1:%u", peers.http), 1);
    setenv("ALL_PROXY", text("http://127.0.0.1:%u", peers.http), 1);
    get(text("http://127.0.0.2:%u/see", peers.http));
    EXPECT_FAILURE(ERR_ADDRESS_REFUSED, "--allow-address");
    get("http://pinned.test/see");
    cr_expect(got.err.code == 0 && strstr(got.body, "GET|pinned.test|"), "%s", got.err.text);
    /* The name alone is allowed to go there. */
    get(text("http://127.0.0.2:%u/see", peers.http));
    EXPECT_FAILURE(ERR_ADDRESS_REFUSED, "--allow-address");
}

Test(http, a_name_that_leads_inside_is_refused) {
    struct outgoing *none = outgoing_new();
    struct transfers *strict = transfers_new(l, none), *normal = ts;
    ts = strict;
    get(text("http://localhost:%u/see", peers.http));
    EXPECT_FAILURE(ERR_ADDRESS_REFUSED, "loopback");
    ts = normal;
    transfers_free(strict);
    outgoing_free(none);
}

Test(http, failures_are_told_apart) {
    static char large[100000];
    snprintf(large, sizeof large, "HTTP/1.1 200 OK\r\nX: %090000d\r\n\r\n", 0);
    static const char *const says[] = {
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        large,
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Twice: in a trailer\r\n\r\n",
        "-",
        NULL};
    struct speaker s = {0};
    speaker_start(&s, says);
    const char *url = text("http://127.0.0.1:%u/", s.port);
    get(url);
    EXPECT_FAILURE(ERR_CONNECTION_LOST, "");
    get(url);
    EXPECT_FAILURE(ERR_CONNECTION_LOST, "");
    cr_expect_eq(got.status, 200);
    get(url);
    EXPECT_FAILURE(ERR_PROTOCOL, "");
    get(url);
    EXPECT_FAILURE(ERR_CONNECTION_LOST, "chunked");
    get(url);
    EXPECT_FAILURE(ERR_TOO_LARGE, "headers");
    get(url);
    cr_expect(got.err.code == 0 && got.status == 201 && strcmp(got.body, "ok") == 0, "%s %d", got.err.text, got.status);
    get(url);
    cr_expect(got.err.code == 0 && got.status == 200 && strcmp(got.body, "ok") == 0 && got.twice == 0, "%s", got.err.text);
    call((struct http_request){.url = str_from(url), .timeout_ms = 200});
    EXPECT_FAILURE(ERR_TIMEOUT, "");
    cr_expect(got.timing.total_ms >= 199 && got.timing.total_ms < 2000);
    get(text("http://127.0.0.1:%u/", peers.closed));
    EXPECT_FAILURE(ERR_CONNECT_FAILED, "");
    get("http://nobody.invalid/");
    EXPECT_FAILURE(ERR_DNS_FAILED, "nobody.invalid");
    call((struct http_request){.url = str_from(text("http://127.0.0.1:%u/see", peers.http)), .max_body = 5});
    EXPECT_FAILURE(ERR_TOO_LARGE, "");
}

Test(http, chunked_bodies_have_their_limit_too) {
    static const char *const says[] = {
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nhello\r\n0\r\n\r\n", NULL};
    struct speaker s = {0};
    speaker_start(&s, says);
    call((struct http_request){.url = str_from(text("http://127.0.0.1:%u/", s.port)), .max_body = 7});
    EXPECT_FAILURE(ERR_TOO_LARGE, "body");
}

Test(http, what_changes_something_is_sent_once) {
    static const char *const says[] = {"~HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", "", "", NULL};
    struct speaker s = {0};
    speaker_start(&s, says);
    const char *url = text("http://127.0.0.1:%u/", s.port);
    get(url);
    cr_expect_eq(got.err.code, ERR_NONE);
    /* A POST on the kept connection, whose end swallows it, would be repeated by libcurl. */
    call(
        (struct http_request){.method = STR("POST"), .url = str_from(url), .body = STR("page"), .once = true, .timeout_ms = 300});
    cr_expect_neq(got.err.code, ERR_NONE);
    cr_expect_eq(__atomic_load_n(&s.heads, __ATOMIC_SEQ_CST), 1, "nothing went over the kept connection, nothing twice");
}

Test(http, wrong_requests_are_refused) {
    struct http_header bad[] = {
        {STR("X"), STR("a\r\nHost: b")}, {STR("X: y\r\nZ"), STR("a")}, {STR("X"), STR("a\0b")}, {STR(""), STR("a")}};
    struct http_request r = {.url = str_from(text("http://127.0.0.1:%u/see", peers.http)), .header_count = 1};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        r.headers = &bad[i];
        call(r);
        EXPECT_FAILURE(ERR_INVALID, "");
    }
    r.header_count = 0;
    const char *methods[] = {"GET / HTTP/1.1\r\nX:", "", "G T", "CONNECT"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        r.method = str_from(methods[i]);
        call(r);
        EXPECT_FAILURE(ERR_INVALID, "");
    }
    const char *urls[] = {"",
                          "/see",
                          "127.0.0.1",
                          "ftp://127.0.0.1/",
                          "file:///etc/passwd",
                          "gopher://127.0.0.1/",
                          "http://",
                          "http://a:b@127.0.0.1/",
                          "http://127.0.0.1/\r\nX: y",
                          "http://127.0.0.1:99999/",
                          "http://a b/",
                          "javascript:alert(1)"};
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        get(urls[i]);
        cr_expect_eq(got.err.code, ERR_INVALID, "%s: %s", urls[i], got.err.text);
    }
}

static int ticks;
static struct timer ticker;
static void on_tick(struct timer *t) {
    ticks++;
    timer_start(t, 10);
}

Test(http, a_slow_name_server_stops_nobody) {
    timer_init(&ticker, l, on_tick);
    timer_start(&ticker, 10);
    int64_t start_ms = clock_monotonic_ms();
    call((struct http_request){.url = STR("http://slow.test/"), .timeout_ms = 300});
    EXPECT_FAILURE(ERR_TIMEOUT, "");
    cr_expect_lt(clock_monotonic_ms() - start_ms, 1500);
    cr_expect_gt(ticks, 10);
    timer_stop(&ticker);
}

Test(http, a_canceled_call_still_ends_once) {
    struct http_request r = {.method = STR("GET"), .url = str_from(text("http://127.0.0.1:%u/see", peers.http))};
    memset(&got, 0, sizeof got);
    http_cancel(http_start(ts, &r, on_done, NULL));
    cr_expect_eq(got.calls, 0);
    loop_run(l);
    cr_expect_eq(got.calls, 1);
    EXPECT_FAILURE(ERR_CANCELED, "");
}

static void on_head(void *arg, struct httpd_request *rq) { (void)arg, (void)rq; }
static void on_request(void *arg, struct httpd_request *rq) {
    (void)arg;
    httpd_answer(rq, 200, NULL, 0, httpd_body(rq));
}

Test(http, our_own_server_speaks_tls) {
    char cert[128], key[128];
    snprintf(cert, sizeof cert, "%s/good.pem", peers.dir);
    snprintf(key, sizeof key, "%s/good.key", peers.dir);
    struct httpd_options options = {.address = "127.0.0.1",
                                    .max_connections = 10,
                                    .header_max = 16384,
                                    .body_max = 1 << 20,
                                    .bodies_max = 1 << 20,
                                    .timeout_s = 5,
                                    .idle_s = 5,
                                    .tls_cert = cert,
                                    .tls_key = key};
    struct httpd_handler handler = {on_head, on_request, NULL};
    struct httpd *h = httpd_open(l, &options, &handler, NULL, &err);
    cr_assert(h, "%s", err.text);
    cr_assert(outgoing_resolve_add(o, text("good.test:8443=127.0.0.1:%u", httpd_port(h)), &err));
    static char body[4000];
    memset(body, 'a', sizeof body - 1);
    for (int i = 0; i < 3; i++) {
        call((struct http_request){.method = STR("POST"), .url = STR("https://good.test:8443/"), .body = str_from(body)});
        cr_expect(got.err.code == 0 && got.status == 200 && strcmp(got.body, body) == 0, "%s", got.err.text);
    }
    get("http://good.test:8443/");
    cr_expect_neq(got.err.code, ERR_NONE, "not in the clear");
    httpd_close(h);
}

static void on_probe(void *arg, const struct probe_result *r, const struct error *failed) {
    (void)arg;
    memset(&got, 0, sizeof got);
    got.calls = 1;
    if (failed)
        got.err = *failed;
    snprintf(got.peer, sizeof got.peer, STR_FMT, STR_ARG(r->peer));
    snprintf(got.why_not, sizeof got.why_not, "%s", r->why_not ? r->why_not : "");
    got.verified = r->verified;
    got.timing.connect_ms = r->connect_ms;
    keep_certificate(r->certificate);
    loop_stop(l);
}

static void check(const char *host, uint16_t port) {
    tcp_check(ts, str_from(host), port, 1000, on_probe, NULL);
    loop_run(l);
}
static void certificate(const char *host, uint16_t port) {
    tls_certificate(ts, str_from(host), port, 1000, on_probe, NULL);
    loop_run(l);
}

Test(http, probes_tell_who_is_there) {
    check("127.0.0.1", peers.http);
    cr_expect(got.err.code == 0 && got.timing.connect_ms > 0, "%s", got.err.text);
    cr_expect_str_eq(got.peer, text("127.0.0.1:%u", peers.http));
    check("127.0.0.1", peers.closed);
    EXPECT_FAILURE(ERR_CONNECT_FAILED, "");
    check("127.0.0.2", peers.http);
    EXPECT_FAILURE(ERR_ADDRESS_REFUSED, "--allow-address");
    check("nobody.invalid", 80);
    EXPECT_FAILURE(ERR_DNS_FAILED, "");
    check("slow.test", 80);
    EXPECT_FAILURE(ERR_TIMEOUT, "");
    check("pinned.test", 80);
    cr_expect(got.err.code == 0, "%s", got.err.text);
    const char *bad[] = {"", "a b", "127.0.0.1/x", "a@127.0.0.1", "a\r\nb", "[::1]"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        check(bad[i], 80);
        EXPECT_FAILURE(ERR_INVALID, "");
    }
    memset(&got, 0, sizeof got);
    probe_cancel(tcp_check(ts, STR("127.0.0.1"), peers.http, 1000, on_probe, NULL));
    loop_run(l);
    EXPECT_FAILURE(ERR_CANCELED, "");
}

Test(http, certificates_are_shown_trusted_or_not) {
    certificate("good.test", 443);
    cr_expect(got.err.code == 0 && got.verified && got.days_left == 8, "%s %s", got.err.text, got.why_not);
    cr_expect_str_eq(got.names, "good.test *.wild.test 127.0.0.1 ");
    cr_expect_str_eq(got.protocol, "TLSv1.3");
    certificate("other.test", 443);
    cr_expect(got.err.code == 0 && !got.verified && strstr(got.why_not, "other.test") && strstr(got.names, "good.test"), "%s",
              got.why_not);
    certificate("good.test", 1443);
    cr_expect(got.err.code == 0 && !got.verified && strstr(got.why_not, "expired") && got.days_left < 0, "%s", got.why_not);
    certificate("good.test", 2443);
    cr_expect(got.err.code == 0 && !got.verified && got.why_not[0] && strcmp(got.issuer, "CN=stranger") == 0, "%s", got.why_not);
    certificate("127.0.0.1", peers.http);
    EXPECT_FAILURE(ERR_TLS_FAILED, "");
    certificate("127.0.0.1", peers.closed);
    EXPECT_FAILURE(ERR_CONNECT_FAILED, "");
}
