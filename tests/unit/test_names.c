/* DNS answers as records, hostile ones too, and calls that end once and later. Knot is asked in tests/peers. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/names.h"

static struct error err;

/* --- a message, byte by byte --- */

#define HEADER(flags, answers) "\x12\x34" flags "\0\1\0" answers "\0\0\0\0"
#define QUESTION "\7example\3com\0\0\xff\0\1"
#define OWNER "\xc0\x0c" /* points at the question's name */
#define TTL "\0\0\0\x3c"
#define MESSAGE(answers, body) STR(HEADER("\x84\0", answers) QUESTION body)

static json_t *parse(struct str packet) {
    struct names_answer a = {0};
    cr_assert(names_parse(packet, &a, &err), "%s", err.text);
    return a.records;
}

static void is_json(json_t *got, const char *expected) {
    json_t *want = json_loads(expected, JSON_DECODE_ANY, NULL);
    char *text = json_dumps(got, JSON_SORT_KEYS | JSON_INDENT(1));
    cr_assert(want && json_equal(got, want), "%s", text);
    free(text);
    json_decref(want);
    json_decref(got);
}

Test(names, every_type_is_read) {
    is_json(parse(MESSAGE("\1", OWNER "\0\1\0\1" TTL "\0\4\xc0\0\2\1")),
            "[{\"type\": \"A\", \"name\": \"example.com\", \"ttl\": 60, \"address\": \"192.0.2.1\"}]");
    is_json(parse(MESSAGE("\1", OWNER "\0\x1c\0\1" TTL "\0\x10\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1")),
            "[{\"type\": \"AAAA\", \"name\": \"example.com\", \"ttl\": 60, \"address\": \"2001:db8::1\"}]");
    is_json(parse(MESSAGE("\1", OWNER "\0\5\0\1" TTL "\0\6\3www\xc0\x0c")),
            "[{\"type\": \"CNAME\", \"name\": \"example.com\", \"ttl\": 60, \"target\": \"www.example.com\"}]");
    is_json(parse(MESSAGE("\1", OWNER "\0\2\0\1" TTL "\0\6\3ns1\xc0\x0c")),
            "[{\"type\": \"NS\", \"name\": \"example.com\", \"ttl\": 60, \"target\": \"ns1.example.com\"}]");
    is_json(parse(MESSAGE("\1", OWNER "\0\xc\0\1" TTL "\0\6\3www\xc0\x0c")),
            "[{\"type\": \"PTR\", \"name\": \"example.com\", \"ttl\": 60, \"target\": \"www.example.com\"}]");
    is_json(
        parse(MESSAGE("\1", OWNER "\0\xf\0\1" TTL "\0\x9\0\xa\4mail\xc0\x0c")),
        "[{\"type\": \"MX\", \"name\": \"example.com\", \"ttl\": 60, \"preference\": 10, \"exchange\": \"mail.example.com\"}]");
    is_json(parse(MESSAGE("\1", OWNER "\0\x10\0\1" TTL "\0\xb\5v=a b\4\"c\\d")),
            "[{\"type\": \"TXT\", \"name\": \"example.com\", \"ttl\": 60, \"text\": \"v=a b\\\"c\\\\d\"}]");
    is_json(parse(MESSAGE("\1", OWNER "\0\x21\0\1" TTL "\0\xd\0\1\0\2\x13\xc4\4host\xc0\x0c")),
            "[{\"type\": \"SRV\", \"name\": \"example.com\", \"ttl\": 60, \"priority\": 1, \"weight\": 2, \"port\": 5060, "
            "\"target\": \"host.example.com\"}]");
    is_json(parse(MESSAGE("\1", OWNER "\1\1\0\1" TTL "\0\x11\x80\5issueca.example")),
            "[{\"type\": \"CAA\", \"name\": \"example.com\", \"ttl\": 60, \"flags\": 128, \"tag\": \"issue\", \"value\": "
            "\"ca.example\"}]");
    is_json(parse(MESSAGE("\1",
                          OWNER "\0\6\0\1" TTL "\0\x1e\1a\xc0\x0c\3x.y\xc0\x0c\x78\xc3\xe8\x15\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4")),
            "[{\"type\": \"SOA\", \"name\": \"example.com\", \"ttl\": 60, \"primary\": \"a.example.com\", "
            "\"mailbox\": \"x\\\\.y.example.com\", \"serial\": 2026104853, \"refresh\": 1, \"retry\": 2, \"expire\": 3, "
            "\"minimum\": 4}]");
}

Test(names, the_header_is_told) {
    struct names_answer a = {0};
    cr_assert(names_parse(MESSAGE("\0", ""), &a, &err));
    cr_assert(a.authoritative && !a.truncated);
    cr_assert_str_eq(a.rcode, "NOERROR");
    json_decref(a.records);
    cr_assert(names_parse(STR(HEADER("\x82\x03", "\0") QUESTION), &a, &err));
    cr_assert(!a.authoritative && a.truncated);
    cr_assert_str_eq(a.rcode, "NXDOMAIN");
    json_decref(a.records);
}

Test(names, other_types_are_left_out_and_a_huge_ttl_is_0) {
    is_json(parse(MESSAGE("\2", OWNER "\0\x2e\0\1" TTL "\0\2\1\2" OWNER "\0\1\0\1\x80\0\0\0\0\4\1\2\3\4")),
            "[{\"type\": \"A\", \"name\": \"example.com\", \"ttl\": 0, \"address\": \"1.2.3.4\"}]");
}

Test(names, damaged_messages_are_refused) {
    static const struct str bad[] = {
        STR(""),
        STR("\x12\x34\x84\0\0\1\0\1"),
        MESSAGE("\1", ""),                                    /* a record is missing */
        MESSAGE("\1", OWNER "\0\1\0\1" TTL "\0\4\1\2\3"),     /* cut short */
        MESSAGE("\1", OWNER "\0\1\0\1" TTL "\0\3\1\2\3"),     /* an address of 3 bytes */
        MESSAGE("\1", OWNER "\0\1\0\1" TTL "\0\5\1\2\3\4\5"), /* and of 5 */
        MESSAGE("\1", OWNER "\0\xf\0\1" TTL "\0\1\0"),        /* half a number */
        MESSAGE("\1", OWNER "\0\x10\0\1" TTL "\0\3\xff"
                            "ab"),                            /* text past the record */
        MESSAGE("\1", OWNER "\0\5\0\1" TTL "\0\2\xc0\x29"),   /* a name that points at itself */
        MESSAGE("\1", OWNER "\0\5\0\1" TTL "\0\2\xc0\xff"),   /* and outside */
        MESSAGE("\1", OWNER "\0\5\0\1" TTL "\0\3\4www"),      /* and runs out */
        MESSAGE("\1", OWNER "\0\x6\0\1" TTL "\0\4\1a\0\0"),   /* SOA without numbers */
        MESSAGE("\1", OWNER "\1\1\0\1" TTL "\0\3\0\5i"),      /* CAA, tag too long */
        MESSAGE("\1", "\xc0\x1d\0\1\0\1" TTL "\0\4\1\2\3\4"), /* the owner points at itself */
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct names_answer a = {0};
        cr_expect(!names_parse(bad[i], &a, &err), "%zu", i);
        cr_expect_eq(err.code, ERR_PROTOCOL);
    }
}

Test(names, random_damage_never_crashes) {
    static const struct str good =
        MESSAGE("\2", OWNER "\0\6\0\1" TTL "\0\x1d\1a\xc0\x0c\2xy\xc0\x0c\x78\xc3\xe8\x15\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4" OWNER
                            "\0\x10\0\1" TTL "\0\4\3abc");
    for (int i = 0; i < 20000; i++) {
        char copy[256];
        uint8_t r[6];
        random_bytes(r, sizeof r);
        memcpy(copy, good.ptr, good.len);
        for (size_t k = 0; k + 1 < sizeof r; k += 2)
            copy[r[k] % good.len] = (char)r[k + 1];
        struct names_answer a = {0};
        if (names_parse((struct str){copy, good.len - (r[0] & 1)}, &a, &err))
            json_decref(a.records);
    }
}

/* --- calls --- */

static struct loop *l;
static struct names *n;
static struct outgoing *o;
static int finished, wanted;
static enum error_code code;
static char rcode[16];
static size_t records;
static bool starting;

static void on_done(void *arg, const struct names_answer *a, const struct error *e) {
    (void)arg;
    cr_expect(!starting, "called from inside the start");
    code = e ? e->code : ERR_NONE;
    snprintf(rcode, sizeof rcode, "%s", a->rcode);
    records = json_array_size(a->records);
    if (++finished == wanted)
        loop_stop(l);
}

static void open_names(int want) {
    l = loop_new();
    o = outgoing_new();
    cr_assert(outgoing_allow(o, "127.0.0.0/8", &err));
    n = names_new(l, o);
    wanted = want;
}

static void close_names(void) {
    names_free(n);
    outgoing_free(o);
    loop_free(l);
}

/* A name server of our own: `answers` says what it does with each question in turn. */
static int server_socket;
static const char *answers; /* '-' none, 'a' an answer, 'w' one with a wrong id, 'g' garbage, 's' SERVFAIL */
static char server_text[64];

static void *serve(void *arg) {
    for (const char *todo = answers; *todo; todo++) {
        uint8_t in[600], out[600];
        struct sockaddr_in peer;
        socklen_t len = sizeof peer;
        ssize_t got = recvfrom(server_socket, in, sizeof in, 0, (struct sockaddr *)&peer, &len);
        if (got < 12 || *todo == '-')
            continue;
        size_t question = 12;
        while (in[question])
            question += in[question] + 1u;
        question += 5;
        memcpy(out, in, question);
        out[2] = 0x84;
        out[3] = *todo == 's' ? 2 : 0;
        out[7] = *todo != 's';
        memset(out + 8, 0, 4);
        memcpy(out + question, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", 16);
        size_t size = question + (*todo == 's' ? 0 : 16);
        if (*todo == 'w') {
            out[0] ^= 1;
            sendto(server_socket, out, size, 0, (struct sockaddr *)&peer, len);
            out[0] ^= 1;
            memset(out + question + 12, 0x7f, 4);
            out[question + 3] = 0x1c; /* the right one comes second, with another type, to tell them apart */
            out[question + 11] = 16;
            size += 12;
        }
        if (*todo == 'g')
            out[7] = 9;
        sendto(server_socket, out, size, 0, (struct sockaddr *)&peer, len);
    }
    return arg;
}

static void bind_server(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    server_socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(server_socket, (struct sockaddr *)&at, sizeof at), 0);
    getsockname(server_socket, (struct sockaddr *)&at, &len);
    snprintf(server_text, sizeof server_text, "127.0.0.1:%d", ntohs(at.sin_port));
}

static pthread_t start_server(const char *todo) {
    pthread_t thread;
    bind_server();
    answers = todo;
    pthread_create(&thread, NULL, serve, NULL);
    return thread;
}

static struct names_call *ask(int timeout_ms, int tries) {
    starting = true;
    struct names_call *c = names_resolve(n,
                                         &(struct names_question){.name = STR("example.com"),
                                                                  .type = STR("a"),
                                                                  .server = str_from(server_text),
                                                                  .timeout_ms = timeout_ms,
                                                                  .tries = tries},
                                         on_done, NULL, &err);
    cr_assert(c, "%s", err.text);
    starting = false;
    return c;
}

static void ask_server(const char *todo, int timeout_ms, int tries) {
    pthread_t thread = start_server(todo);
    open_names(1);
    ask(timeout_ms, tries);
    loop_run(l);
    cr_assert_eq(finished, 1);
    close_names();
    pthread_join(thread, NULL);
    close(server_socket);
}

Test(names, a_server_is_asked) {
    ask_server("a", 3000, 1);
    cr_assert_eq(code, ERR_NONE);
    cr_assert_eq(records, 1);
    cr_assert_str_eq(rcode, "NOERROR");
}

Test(names, servfail_is_an_answer) {
    ask_server("s", 3000, 1);
    cr_assert_eq(code, ERR_NONE);
    cr_assert_str_eq(rcode, "SERVFAIL");
}

Test(names, silence_is_asked_again_and_then_a_time_out) {
    ask_server("-a", 100, 2);
    cr_assert_eq(code, ERR_NONE);
    finished = 0;
    ask_server("--", 100, 2);
    cr_assert_eq(code, ERR_TIMEOUT);
}

Test(names, an_answer_to_another_question_is_not_taken) {
    ask_server("w", 3000, 1);
    cr_assert_eq(code, ERR_NONE);
    cr_assert_eq(records, 1);
}

Test(names, garbage_is_told) {
    ask_server("g", 3000, 1);
    /* c-ares from 1.27 goes on waiting: who sends garbage need not be the server that was asked. */
    cr_assert(code == ERR_PROTOCOL || code == ERR_TIMEOUT, "%s", error_name(code));
}

Test(names, nobody_there_is_told_at_once) {
    bind_server();
    close(server_socket);
    open_names(1);
    int64_t before = clock_monotonic_ms();
    ask(3000, 1);
    loop_run(l);
    cr_assert_eq(code, ERR_CONNECT_FAILED, "%s", error_name(code));
    cr_assert_lt(clock_monotonic_ms() - before, 1000);
    close_names();
}

Test(names, canceled_calls_end_once) {
    bind_server(); /* and nobody reads there */
    open_names(3);
    names_cancel(ask(60000, 1));
    names_cancel(names_lookup(n, STR("example.com"), 60000, on_done, NULL, &err));
    struct names_call *under_way = ask(60000, 1);
    for (int i = 0; i < 5; i++)
        uv_run(loop_uv(l), UV_RUN_NOWAIT);
    cr_assert_eq(finished, 2);
    names_cancel(under_way);
    cr_assert_eq(finished, 2, "called from inside the cancel");
    loop_run(l);
    cr_assert_eq(finished, 3);
    cr_assert_eq(code, ERR_CANCELED);
    close_names();
    close(server_socket);
}

Test(names, localhost_is_looked_up) {
    open_names(1);
    cr_assert(names_lookup(n, STR("localhost"), 3000, on_done, NULL, &err));
    loop_run(l);
    cr_assert_eq(code, ERR_NONE);
    cr_assert_geq(records, 1);
    close_names();
}

Test(names, wrong_questions_are_refused_at_once) {
    static const struct names_question bad[] = {
        {.name = STR(""), .type = STR("A")},
        {.name = STR("a b"), .type = STR("A")},
        {.name = STR("example.com"), .type = STR("ANY")},
        {.name = STR("example.com"), .type = STR("A"), .server = STR("127.0.0.1:0")},
        {.name = STR("example.com"), .type = STR("A"), .server = STR("127.0.0.1:x")},
        {.name = STR("example.com"), .type = STR("A"), .server = STR("a b:53")},
        {.name = STR("example.com"), .type = STR("A"), .server = STR("[::1")},
    };
    open_names(0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        cr_expect(!names_resolve(n, &bad[i], on_done, NULL, &err), "%zu", i);
        cr_expect_eq(err.code, ERR_INVALID);
    }
    cr_expect(!names_reverse(n, &(struct names_question){.name = STR("1.2.3")}, on_done, NULL, &err));
    struct names_question inside = {.name = STR("example.com"), .type = STR("A"), .server = STR("10.0.0.1")};
    cr_expect(!names_resolve(n, &inside, on_done, NULL, &err));
    cr_expect_eq(err.code, ERR_ADDRESS_REFUSED);
    close_names();
}
