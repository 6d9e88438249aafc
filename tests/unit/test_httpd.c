/* The HTTP server, spoken to with raw bytes. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/httpd.h"

static struct loop *l;
static struct httpd *h;
static int calls, gone;
static struct timer later;
static struct httpd_request *waiting;
static int caller; /* its descriptor, for /reset */

static void answer(struct httpd_request *rq, int status, struct str body) {
    struct httpd_field type = {STR("Content-Type"), STR("text/plain")};
    httpd_answer(rq, status, &type, 1, body);
}

static void on_later(struct timer *t) {
    (void)t;
    answer(waiting, 200, STR("later"));
}

static void answer_soon(void *rq) { answer(rq, 200, STR("soon")); }

static void on_head(void *arg, struct httpd_request *rq) {
    (void)arg;
    if (str_is(httpd_path(rq), "/forbidden"))
        answer(rq, 403, STR("no"));
    if (str_is(httpd_path(rq), "/large"))
        httpd_set_body_max(rq, 100000);
}

static void on_request(void *arg, struct httpd_request *rq) {
    (void)arg;
    calls++;
    struct str path = httpd_path(rq);
    if (str_is(path, "/later") || str_is(path, "/slow")) {
        waiting = rq;
        timer_start(&later, str_is(path, "/slow") ? 4000 : 20);
    } else if (str_is(path, "/soon")) {
        loop_post(l, answer_soon, rq);
    } else if (str_is(path, "/reset")) {
        waiting = rq;
        timer_start(&later, 200);
        setsockopt(caller, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
        close(caller);
    } else if (str_is(path, "/echo") || str_is(path, "/large")) {
        answer(rq, 200, httpd_body(rq));
    } else if (str_is(path, "/nothing")) {
        answer(rq, 204, STR(""));
    } else if (str_is(path, "/fields")) {
        struct httpd_field f[] = {{STR("X-Good"), STR("a\tb")},
                                  {STR("X-Evil"), STR("a\r\nSet-Cookie: b")},
                                  {STR("Bad Name"), STR("c")},
                                  {STR("Content-Length"), STR("1")}};
        httpd_answer(rq, 200, f, ARRAY_LEN(f), STR("fields"));
    } else {
        struct str query = httpd_query(rq);
        const char *text =
            arena_printf(httpd_arena(rq), STR_FMT " " STR_FMT "|" STR_FMT "|%s|" STR_FMT, STR_ARG(httpd_method(rq)),
                         STR_ARG(path), STR_ARG(query), query.ptr ? "query" : "none", STR_ARG(httpd_header(rq, "x-test")));
        answer(rq, 200, str_from(text));
    }
}

static void on_gone(void *arg, struct httpd_request *rq) {
    (void)arg, (void)rq;
    gone++;
}

/* ---- the client, in a thread of its own ---- */

static int dial(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(httpd_port(h)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    cr_assert_eq(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    struct timeval limit = {.tv_sec = 10};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

static void say(int fd, struct str s) {
    while (s.len) {
        ssize_t n = send(fd, s.ptr, s.len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        s = str_of(s.ptr + n, s.len - (size_t)n);
    }
}

/* All until the server closes, or one whole answer. */
static char *hear_until(int fd, bool closed) {
    struct buf b;
    buf_init(&b, 1 << 20);
    const char *end, *length;
    for (ssize_t n; (n = recv(fd, buf_room(&b, 16384), 16384, 0)) > 0;) {
        b.len += (size_t)n;
        b.ptr[b.len] = 0;
        if (closed || !(end = strstr(b.ptr, "\r\n\r\n")))
            continue;
        length = strstr(b.ptr, "Content-Length: ");
        if (!length || b.len - (size_t)(end + 4 - b.ptr) >= strtoul(length + 16, NULL, 10) || !strncmp(b.ptr + 9, "204", 3))
            break;
    }
    close(fd);
    return buf_take(&b);
}
static char *hear(int fd) { return hear_until(fd, true); }

static char *ask(struct str request) {
    int fd = dial();
    say(fd, request);
    return hear_until(fd, str_starts(request, STR("HEAD")));
}

static char *ask_and_end(struct str request) {
    int fd = dial();
    say(fd, request);
    shutdown(fd, SHUT_WR);
    return hear(fd);
}

static int status_of(const char *answer_text) {
    return strncmp(answer_text, "HTTP/1.1 ", 9) == 0 ? (int)strtol(answer_text + 9, NULL, 10) : 0;
}

static int count(const char *text, const char *what) {
    int n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

static const char *body_of(const char *text) {
    const char *end = strstr(text, "\r\n\r\n");
    return end ? end + 4 : "";
}

static void stop(void *arg) {
    (void)arg;
    loop_stop(l);
}

static void *client_thread(void *scenario) {
    ((void (*)(void))scenario)();
    loop_post(l, stop, NULL);
    return NULL;
}

static struct httpd_options options = {.address = "127.0.0.1",
                                       .max_connections = 100,
                                       .header_max = 16384,
                                       .body_max = 1000,
                                       .bodies_max = 150000,
                                       .timeout_s = 5,
                                       .idle_s = 5};

static void with_server(void (*scenario)(void)) {
    struct error err;
    struct httpd_handler handler = {on_head, on_request, on_gone};
    l = loop_new();
    timer_init(&later, l, on_later);
    h = httpd_open(l, &options, &handler, NULL, &err);
    cr_assert(h, "%s", err.text);
    pthread_t t;
    pthread_create(&t, NULL, client_thread, (void *)scenario);
    loop_run(l);
    pthread_join(t, NULL);
    httpd_close(h);
    loop_free(l);
}

/* ---- what it does ---- */

static void good(void) {
    static const struct {
        struct str request;
        int status;
        const char *body;
    } cases[] = {
        {STR("GET /a%20b?c=1&d=%26+x HTTP/1.1\r\nHost: x\r\n\r\n"), 200, "GET /a%20b|c=1&d=%26+x|query|"},
        {STR("GET /a? HTTP/1.1\r\nHost: x\r\n\r\n"), 200, "GET /a||query|"},
        {STR("GET / HTTP/1.1\r\nHost: x\r\nX-TEST:  \t v w\r\n\r\n"), 200, "GET /||none|v w"},
        {STR("GET / HTTP/1.1\r\nHost:\r\nA:\r\nX-Test:\r\nB: \r\n\r\n"), 200, "GET /||none|"},
        {STR("GET / HTTP/1.0\r\n\r\n"), 200, "GET /||none|"},
        {STR("\r\nGET http://x.example/p/q?r HTTP/1.1\r\nHost: x\r\n\r\n"), 200, "GET /p/q|r|query|"},
        {STR("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), 200, "OPTIONS *||none|"},
        {STR("PURGE /stra\xc3\x9f"
             "e HTTP/1.1\r\nHost: x\r\n\r\n"),
         200,
         "PURGE /stra\xc3\x9f"
         "e||none|"},
        {STR("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"), 200, "hello"},
        {STR("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nT: u\r\n\r\n"), 200,
         "abcde"},
        {STR("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"), 200, ""},
        {STR("POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nxx"), 200, "later"},
        {STR("HEAD /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), 200, ""},
        {STR("GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"), 204, ""},
        {STR("GET /forbidden HTTP/1.1\r\nHost: x\r\n\r\n"), 403, "no"},
        {STR("POST /forbidden HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"), 403, "no"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *got = ask(cases[i].request);
        cr_expect_eq(status_of(got), cases[i].status, "%s -> %s", cases[i].request.ptr, got);
        cr_expect_str_eq(body_of(got), cases[i].body, "%s", cases[i].request.ptr);
        cr_expect_eq(count(got, "\r\nDate: "), 1);
        free(got);
    }
}
Test(httpd, good_requests_get_their_answers) { with_server(good); }

#define H "GET / HTTP/1.1\r\nHost: x\r\n"
#define P "POST /echo HTTP/1.1\r\nHost: x\r\n"

static void bad(void) {
    static const struct {
        const char *what;
        struct str request;
        int status; /* 0: closed without an answer, or 408 when libmicrohttpd has overlooked the end; 501: or 400; -400: 400 or 0 */
    } cases[] = {
        {"length and coding", STR(P "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
        {"coding and length", STR(P "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), 400},
        {"two lengths", STR(P "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"), 400},
        {"two equal lengths", STR(P "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), 400},
        {"list of lengths", STR(P "Content-Length: 5, 5\r\n\r\nhello"), 400},
        {"signed length", STR(P "Content-Length: +5\r\n\r\nhello"), 400},
        {"negative length", STR(P "Content-Length: -5\r\n\r\nhello"), 400},
        {"hex length", STR(P "Content-Length: 0x5\r\n\r\nhello"), 400},
        {"empty length", STR(P "Content-Length:\r\n\r\nhello"), 400},
        {"huge length", STR(P "Content-Length: 99999999999999999999999\r\n\r\nhello"), 413},
        {"two codings", STR(P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
        {"gzip coding", STR(P "Transfer-Encoding: gzip\r\n\r\nhello"), 501},
        {"gzip, chunked", STR(P "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 501},
        {"identity", STR(P "Transfer-Encoding: identity\r\n\r\nhello"), 501},
        {"chunked on 1.0", STR("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
        {"two hosts", STR("GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"), 400},
        {"two equal hosts", STR("GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n"), 400},
        {"no host", STR("GET / HTTP/1.1\r\n\r\n"), 400},
        {"host with a path", STR("GET / HTTP/1.1\r\nHost: x/y\r\n\r\n"), 400},
        {"host with a user", STR("GET / HTTP/1.1\r\nHost: x@y\r\n\r\n"), 400},
        {"folded line", STR(H "A: b\r\n c\r\n\r\n"), 400},
        {"folded with tab", STR(H "A: b\r\n\tc\r\n\r\n"), 400},
        {"folded to nothing", STR(H "A: b\r\n \r\n\r\n"), 400},
        {"folded first line", STR("GET / HTTP/1.1\r\n Host: x\r\n\r\n"), 400},
        {"NUL in value", STR(H "A: b\0c\r\n\r\n"), 400},
        {"NUL ends value", STR(H "A: b\0\r\n\r\n"), 400},
        {"NULs before CRLF", STR(H "A: b\0\0B: c\r\n\r\n"), 400},
        {"NUL in name", STR(H "A\0B: b\r\n\r\n"), 400},
        {"NUL in path", STR("GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n"), -400},
        {"NUL in method", STR("G\0T / HTTP/1.1\r\nHost: x\r\n\r\n"), -400},
        {"control character", STR(H "A: b\x01\r\n\r\n"), 400},
        {"DEL", STR(H "A: b\x7f\r\n\r\n"), 400},
        {"bare CR in value", STR(H "A: b\rB: c\r\n\r\n"), 400},
        {"bare LF", STR("GET / HTTP/1.1\nHost: x\n\n"), 400},
        {"bare LF in the middle", STR(H "A: b\nB: c\r\n\r\n"), 400},
        {"bare LF at the end", STR(H "A: b\r\n\n"), 400},
        {"space before colon", STR(H "A : b\r\n\r\n"), 400},
        {"space in name", STR(H "A B: b\r\n\r\n"), 400},
        {"empty name", STR(H ": b\r\n\r\n"), 400},
        {"no colon", STR(H "A\r\n\r\n"), 400},
        {"bracket in name", STR(H "A(): b\r\n\r\n"), 400},
        {"space in target", STR("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n"), 400},
        {"two spaces", STR("GET  / HTTP/1.1\r\nHost: x\r\n\r\n"), 400},
        {"tab in target", STR("GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n"), 400},
        {"no slash", STR("GET a HTTP/1.1\r\nHost: x\r\n\r\n"), 400},
        {"authority form", STR("CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n"), 400},
        {"other scheme", STR("GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n"), 400},
        {"no version", STR("GET /\r\nHost: x\r\n\r\n"), 400},
        {"odd version", STR("GET / HTTP/1.11\r\nHost: x\r\n\r\n"), 400},
        {"small version", STR("GET / http/1.1\r\nHost: x\r\n\r\n"), 400},
        {"version 2", STR("GET / HTTP/2.0\r\nHost: x\r\n\r\n"), 505},
        {"method with a bracket", STR("GE(T / HTTP/1.1\r\nHost: x\r\n\r\n"), 400},
        {"bad chunk size", STR(P "Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n"), 400},
        {"signed chunk size", STR(P "Transfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n"), 400},
        {"hex prefix chunk size", STR(P "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n"), 400},
        {"chunk too long", STR(P "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n"), 400},
        {"huge chunk", STR(P "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc\r\n0\r\n\r\n"), 413},
        {"empty chunk size", STR(P "Transfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n"), 400},
        {"body cut off", STR(P "Content-Length: 5\r\n\r\nhel"), 0},
        {"TLS hello", STR("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"), 0},
        {"nothing", STR(""), 0},
        {"too large, waiting", STR(P "Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n"), 413},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int before = calls;
        char *got = ask_and_end(cases[i].request);
        int status = status_of(got) == 408 ? 0 : status_of(got);
        if (status == 400 && cases[i].status == 501)
            status = 501;
        if ((status == 400 || status == 0) && cases[i].status == -400)
            status = -400;
        cr_expect_eq(status, cases[i].status, "%s: %.200s", cases[i].what, got);
        cr_expect_eq(calls, before, "%s reached the handler", cases[i].what);
        free(got);
    }
}
Test(httpd, malformed_requests_reach_no_handler_and_close_the_connection) {
    options.timeout_s = 1;
    with_server(bad);
}

static struct arena texts;
static struct str repeated(const char *before, char c, size_t n, const char *after) {
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_adds(&b, before);
    while (n--)
        buf_addc(&b, c);
    buf_adds(&b, after);
    struct str s = arena_str(&texts, buf_str(&b));
    buf_release(&b);
    return s;
}

static void expect_status(struct str request, int status, const char *what) {
    char *got = ask(request);
    cr_expect_eq(status_of(got), status, "%s: %.300s", what, got);
    free(got);
}

static void large(void) {
    expect_status(repeated("GET /", 'a', 20000, " HTTP/1.1\r\nHost: x\r\n\r\n"), 414, "long target");
    expect_status(repeated(H "A: ", 'a', 20000, "\r\n\r\n"), 431, "long value");
    expect_status(repeated(H "Cookie: ", 'a', 7000, "\r\n\r\n"), 200, "a cookie of 7 KB");
    expect_status(repeated(P "Content-Length: 1000\r\n\r\n", 'a', 1000, ""), 200, "just fits");
    expect_status(repeated(P "Content-Length: 5000\r\n\r\n", 'a', 5000, ""), 413, "too large by length");
    expect_status(repeated(P "Transfer-Encoding: chunked\r\n\r\n3e8\r\n", 'a', 1000, "\r\n0\r\n\r\n"), 200, "chunked fits");
    expect_status(repeated(P "Transfer-Encoding: chunked\r\n\r\n3e9\r\n", 'a', 1001, "\r\n0\r\n\r\n"), 413, "chunked too large");
    expect_status(repeated("POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n", 'a', 90000, ""), 200,
                  "a limit of its own");
    /* The head alone says what will be too much; the answer doesn't wait for it. */
    int fd = dial();
    say(fd, STR(P "Content-Length: 99999999999\r\n\r\n"));
    char *got = hear(fd);
    cr_expect_eq(status_of(got), 413);
    free(got);
    /* Bodies of all requests together. */
    fd = dial();
    say(fd, repeated("POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n", 'a', 89000, ""));
    usleep(100000);
    expect_status(repeated("POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n", 'a', 90000, ""), 503,
                  "all together");
    close(fd);
    usleep(100000);
    expect_status(repeated("POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n", 'a', 90000, ""), 200,
                  "room again");
}
Test(httpd, what_is_too_large_is_refused) {
    with_server(large);
    arena_release(&texts);
}

static void keep_alive(void) {
    int fd = dial();
    /* Pipelined, with a body that is refused and one that is not, an answer in a later turn between them. */
    say(fd, STR("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /forbidden HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                "GET /later HTTP/1.1\r\nHost: x\r\n\r\nPOST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nxyz"
                "GET /fields HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    char *got = hear(fd);
    cr_expect_eq(count(got, "HTTP/1.1 "), 5, "%s", got);
    const char *order[] = {"GET /1|", "403 ", "later", "xyz", "fields"};
    const char *at = got;
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        cr_assert((at = strstr(at, order[i])), "%s in %s", order[i], got);
    cr_expect(strstr(got, "X-Good: a b\r\n"));
    cr_expect(!strstr(got, "Set-Cookie") && !strstr(got, "Bad Name") && strstr(got, "Content-Length: 6\r\n"));
    free(got);
}
Test(httpd, a_connection_is_used_again_and_answers_keep_their_order) { with_server(keep_alive); }

static void slow(void) {
    /* A byte each 200 ms is never idle, and still too slow. */
    static const char head[] =
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    int64_t start_ms = clock_monotonic_ms();
    int fd = dial(), silent = dial();
    char byte;
    say(fd, str_of(head, 60));
    for (size_t i = 60; i < sizeof head - 1 && recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0; i++) {
        say(fd, str_of(head + i, 1));
        usleep(200000);
    }
    char *got = hear(fd);
    cr_expect_lt(clock_monotonic_ms() - start_ms, 4500);
    cr_expect(status_of(got) == 408 || !got[0], "%s", got);
    free(got);
    got = hear(silent);
    cr_expect_str_eq(got, "");
    cr_expect_lt(clock_monotonic_ms() - start_ms, 4500);
    free(got);
}
Test(httpd, slow_senders_time_out) {
    options.timeout_s = options.idle_s = 2;
    with_server(slow);
}

static void hang_up(void) {
    int fd = dial();
    say(fd, STR("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"));
    usleep(100000);
    close(fd);
    usleep(2500000);
    cr_expect_eq(gone, 1);
    usleep(2000000);
    expect_status(STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 200, "after it");
}
Test(httpd, who_hangs_up_is_noticed_and_may_still_be_answered) { with_server(hang_up); }

static void reset(void) {
    caller = dial();
    say(caller, STR("GET /reset HTTP/1.1\r\nHost: x\r\n\r\n"));
    for (int i = 0; i < 100 && !__atomic_load_n(&gone, __ATOMIC_SEQ_CST); i++)
        usleep(1000);
    cr_expect_eq(gone, 1, "noticed while the answer is due");
    usleep(300000);
    expect_status(STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 200, "after the answer that nobody read");
    usleep(10000);
    cr_expect_eq(httpd_connections(h), 0);
}
Test(httpd, a_reset_while_the_answer_is_expected_leaves_the_request) { with_server(reset); }

/* More at once than may linger. */
static void soon(void) {
    int fds[90];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = dial();
        say(fds[i], STR("GET /soon HTTP/1.1\r\nHost: x\r\n\r\nGET /soon HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    }
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        char *got = hear(fds[i]);
        cr_expect_eq(count(got, "HTTP/1.1 200 OK"), 2);
        cr_expect_eq(count(got, "soon"), 2);
        free(got);
    }
}
Test(httpd, answers_of_the_next_turn_come_in_order) { with_server(soon); }

static void crowd(void) {
    int fds[20];
    for (int i = 0; i < 20; i++)
        fds[i] = dial();
    usleep(100000);
    char *got = ask(STR(H "\r\n"));
    cr_expect_eq(status_of(got), 503);
    cr_expect(strstr(got, "Retry-After: ") && strstr(got, "Connection: close"));
    free(got);
    for (int i = 0; i < 20; i++)
        close(fds[i]);
    usleep(100000);
    expect_status(STR(H "\r\n"), 200, "after the crowd");
}
Test(httpd, too_many_connections_get_503) {
    options.max_connections = 20;
    with_server(crowd);
}

static void on_drained(void *arg) { __atomic_store_n((bool *)arg, true, __ATOMIC_SEQ_CST); }
static bool drained;
static void begin_drain(void *arg) {
    (void)arg;
    httpd_drain(h, on_drained, &drained);
}
static void drain(void) {
    int idle = dial(), busy = dial();
    say(busy, STR("GET /later HTTP/1.1\r\nHost: x\r\n\r\n"));
    usleep(5000);
    loop_post(l, begin_drain, NULL);
    char *got = hear(busy);
    cr_expect(status_of(got) == 200 && strstr(got, "Connection: close") && strstr(got, "later"));
    free(got);
    free(hear(idle));
    while (!__atomic_load_n(&drained, __ATOMIC_SEQ_CST))
        usleep(1000);
}
Test(httpd, draining_finishes_what_is_under_way) { with_server(drain); }

Test(httpd, addresses_that_cannot_be_had_are_an_error) {
    struct error err;
    struct httpd_handler handler = {on_head, on_request, NULL};
    struct httpd_options o = options;
    l = loop_new();
    h = httpd_open(l, &o, &handler, NULL, &err);
    cr_assert(h);
    o.port = httpd_port(h);
    cr_expect_null(httpd_open(l, &o, &handler, NULL, &err));
    cr_expect_eq(err.code, ERR_CONFLICT);
    o.address = "example";
    cr_expect_null(httpd_open(l, &o, &handler, NULL, &err));
    cr_expect_eq(err.code, ERR_INVALID);
    o.address = "::1";
    o.port = 0;
    o.tls_cert = o.tls_key = "/dev/null";
    cr_expect_null(httpd_open(l, &o, &handler, NULL, &err));
    httpd_close(h);
    loop_free(l);
}
