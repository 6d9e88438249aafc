/* Mails as bytes: addresses, headers, bodies. What a second parser makes of them is in tests/peers. */
#include <criterion/criterion.h>

#include "net/hostname.h"
#include "net/mime.h"

static struct arena a;
static struct error err;
static struct mail_address from, *to;
static size_t to_count;

static struct mime_message simple(void) {
    arena_init(&a);
    cr_assert(mail_address_parse(STR("Flowlet <alarm@mg.example.com>"), &a, &from, &err), "%s", err.text);
    cr_assert(mail_address_parse_list(STR("ops@example.com, \"Doe, Jane\" <jane@example.com>"), &a, &to, &to_count, &err));
    return (struct mime_message){.from = &from,
                                 .to = to,
                                 .to_count = to_count,
                                 .subject = STR("Website down"),
                                 .text = STR("Hello\n"),
                                 .message_id = STR("abc@mg.example.com"),
                                 .date_ms = 1795454560123};
}

static struct buf compose(const struct mime_message *m) {
    struct buf out;
    buf_init(&out, MIME_SIZE_MAX);
    cr_assert(mime_compose(m, &out, &err), "%s", err.text);
    return out;
}

/* RFC 5322, 2.1.1 and RFC 2045: every line ends in CRLF, none is over max, all is ASCII. */
static void check_lines(const struct buf *b, size_t max) {
    size_t column = 0;
    for (size_t i = 0; i < b->len; i++) {
        cr_assert((unsigned char)b->ptr[i] < 0x80 && b->ptr[i] != 0);
        if (b->ptr[i] == '\r') {
            cr_assert_eq(b->ptr[++i], '\n');
            cr_assert_leq(column, max, "line of %zu:\n%s", column, b->ptr);
            column = 0;
            continue;
        }
        cr_assert_neq(b->ptr[i], '\n', "a bare LF");
        column++;
    }
    cr_assert_eq(column, 0, "the last line has no end");
}

static void cr_has(const struct buf *b, const char *what) {
    cr_assert(str_find(buf_str(b), str_from(what)) != SIZE_MAX, "%s\nis not in\n%s", what, b->ptr);
}

Test(mime, a_plain_mail_byte_for_byte) {
    struct mime_message m = simple();
    struct buf b = compose(&m);
    cr_assert_str_eq(b.ptr, "Date: Mon, 23 Nov 2026 17:22:40 +0000\r\n"
                            "From: Flowlet <alarm@mg.example.com>\r\n"
                            "To: ops@example.com, \"Doe, Jane\" <jane@example.com>\r\n"
                            "Message-ID: <abc@mg.example.com>\r\n"
                            "Subject: Website down\r\n"
                            "Auto-Submitted: auto-generated\r\n"
                            "MIME-Version: 1.0\r\n"
                            "Content-Type: text/plain; charset=utf-8\r\n"
                            "Content-Transfer-Encoding: quoted-printable\r\n"
                            "\r\n"
                            "Hello\r\n");
    buf_release(&b);
    arena_release(&a);
}

Test(mime, the_same_input_gives_the_same_bytes) {
    struct mime_message m = simple();
    m.html = STR("<p>Hello");
    struct buf x = compose(&m), y = compose(&m);
    cr_assert(str_eq(buf_str(&x), buf_str(&y)));
    buf_release(&x);
    buf_release(&y);
    arena_release(&a);
}

Test(mime, encoded_words_are_short_and_never_split_a_character) {
    struct mime_message m = simple();
    char subject[1200];
    size_t n = 0;
    for (int i = 0; i < 90; i++) /* a row of 1, 2, 3 and 4 byte characters */
        n += (size_t)snprintf(subject + n, sizeof subject - n, "xé€😀");
    m.subject = str_from(subject);
    struct buf b = compose(&m), whole;
    check_lines(&b, 76);
    buf_init(&whole, 4096);
    struct str rest = buf_str(&b);
    for (size_t at; (at = str_find(rest, STR("=?UTF-8?B?"))) != SIZE_MAX;) {
        rest = (struct str){rest.ptr + at, rest.len - at};
        size_t end = str_find((struct str){rest.ptr + 10, rest.len - 10}, STR("?="));
        cr_assert_leq(end + 12, 75);
        size_t before = whole.len;
        cr_assert(buf_add_base64_decoded(&whole, (struct str){rest.ptr + 10, end}));
        cr_assert(str_is_utf8((struct str){whole.ptr + before, whole.len - before}), "a character was split");
        rest = (struct str){rest.ptr + 10 + end, rest.len - 10 - end};
    }
    cr_assert_str_eq(whole.ptr, subject);
    buf_release(&whole);
    buf_release(&b);
    arena_release(&a);
}

Test(mime, no_input_can_add_a_header) {
    static const struct str evil[] = {
        {"a\r\nBcc: x@y.example", 19}, {"a\nb", 3}, {"a\rb", 3}, {"a\0b", 3}, {"a\x7f", 2}, {"a\xff", 2}};
    for (size_t i = 0; i < ARRAY_LEN(evil); i++) {
        struct mime_message m;
        struct buf out;
        buf_init(&out, 100000);
        struct mail_address bad;
#define REFUSED(change)                                                                                                          \
    do {                                                                                                                         \
        m = simple();                                                                                                            \
        change;                                                                                                                  \
        buf_clear(&out);                                                                                                         \
        cr_expect(!mime_compose(&m, &out, &err), "%zu: " #change, i);                                                            \
        cr_expect_eq(err.code, ERR_INVALID);                                                                                     \
        arena_release(&a);                                                                                                       \
    } while (0)
        REFUSED(m.subject = evil[i]);
        REFUSED(m.message_id = evil[i]);
        REFUSED(m.auto_submitted = evil[i]);
        REFUSED((bad = (struct mail_address){evil[i], STR("a@b.example")}, m.from = &bad));
        REFUSED((bad = (struct mail_address){evil[i], STR("a@b.example")}, m.reply_to = &bad));
        struct mime_header h = {STR("X-A"), evil[i]};
        REFUSED((m.headers = &h, m.header_count = 1));
        h = (struct mime_header){evil[i], STR("x")};
        REFUSED((m.headers = &h, m.header_count = 1));
        struct mime_attachment f = {.name = evil[i], .bytes = STR("x")};
        REFUSED((m.attachments = &f, m.attachment_count = 1));
        f = (struct mime_attachment){.type = evil[i], .bytes = STR("x")};
        REFUSED((m.attachments = &f, m.attachment_count = 1));
        arena_init(&a);
        cr_expect(!mail_address_parse(evil[i], &a, &bad, &err));
        arena_release(&a);
        buf_release(&out);
    }
}

Test(mime, headers_written_by_us_cannot_be_given_again) {
    static const char *const names[] = {"bcc", "Content-Type", "Subject", "content-transfer-encoding", "DATE", "Message-Id"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct mime_message m = simple();
        struct mime_header h = {str_from(names[i]), STR("x")};
        m.headers = &h;
        m.header_count = 1;
        struct buf out;
        buf_init(&out, 10000);
        cr_expect(!mime_compose(&m, &out, &err), "%s", names[i]);
        buf_release(&out);
        arena_release(&a);
    }
}

Test(mime, addresses_are_read_and_written_back) {
    static const struct {
        const char *in, *name, *address;
    } good[] = {
        {"a@b.example", "", "a@b.example"},
        {"  <a.b+c@b.example> ", "", "a.b+c@b.example"},
        {"Jane Doe <a@b.example>", "Jane Doe", "a@b.example"},
        {"\"Doe, \\\"J\\\" <x>\" <a@b.example>", "Doe, \"J\" <x>", "a@b.example"},
        {"Zoë <a@bücher.example>", "Zoë", "a@xn--bcher-kva.example"},
        {"root@localhost", "", "root@localhost"},
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct mail_address m;
        arena_init(&a);
        cr_assert(mail_address_parse(str_from(good[i].in), &a, &m, &err), "%s: %s", good[i].in, err.text);
        cr_expect(str_is(m.name, good[i].name) && str_is(m.address, good[i].address), "%s", good[i].in);
        arena_release(&a);
    }
    static const char *const bad[] = {"",
                                      "a",
                                      "@b.example",
                                      "a@",
                                      "a b@c.example",
                                      "a@b@c.example",
                                      "a@b c",
                                      "<a@b",
                                      "\"a <a@b>",
                                      "a@b,c@d",
                                      "ü@b.example",
                                      "a..b@c.example",
                                      ".a@b",
                                      "a@b <c@d.example> x",
                                      "a@[1.2.3.4]",
                                      "\"a b\"@c.example"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct mail_address m;
        arena_init(&a);
        cr_expect(!mail_address_parse(str_from(bad[i]), &a, &m, &err), "%s was accepted", bad[i]);
        arena_release(&a);
    }
}

Test(mime, lists_of_addresses) {
    struct mail_address *list;
    size_t n;
    arena_init(&a);
    cr_assert(mail_address_parse_list(STR(""), &a, &list, &n, &err));
    cr_assert_eq(n, 0);
    cr_assert(mail_address_parse_list(STR("a@b.example ,\"X, Y\" <c@d.example>, E <e@f.example>"), &a, &list, &n, &err));
    cr_assert_eq(n, 3);
    cr_assert(str_is(list[1].name, "X, Y") && str_is(list[2].address, "e@f.example"));
    cr_assert(!mail_address_parse_list(STR("a@b.example,"), &a, &list, &n, &err));
    cr_assert(!mail_address_parse_list(STR("a@b.example,,c@d.example"), &a, &list, &n, &err));
    arena_release(&a);
}

Test(mime, quoted_printable_keeps_what_servers_like_to_change) {
    struct mime_message m = simple();
    m.text =
        STR(".\n..x\nFrom here \na=b\t\n1234567890123456789012345678901234567890123456789012345678901234567890123456.end\rlast");
    struct buf b = compose(&m);
    check_lines(&b, 76);
    cr_has(&b, "\r\n\r\n.\r\n..x\r\n=46rom here=20\r\na=3Db=09\r\n");
    cr_has(&b, "12345=\r\n6.end\r\nlast\r\n");
    buf_release(&b);
    arena_release(&a);
}

Test(mime, alternatives_and_attachments) {
    struct mime_message m = simple();
    m.text = STR("Проверка");
    m.html = STR("<p>Проверка</p>");
    struct mime_attachment f[] = {
        {STR("report.pdf"), STR("application/pdf"), STR("%PDF")},
        {STR("отчёт за ноябрь очень длинное имя файла.txt"), STR("text/plain; charset=utf-8"), STR("x")},
        {STR(""), STR(""), STR("")}};
    m.attachments = f;
    m.attachment_count = 3;
    struct buf b = compose(&m);
    check_lines(&b, 78);
    cr_has(&b, "Content-Type: multipart/mixed;\r\n boundary=\"=_mixed_");
    cr_has(&b, "Content-Type: multipart/alternative;\r\n boundary=\"=_alternative_");
    cr_has(&b, "Content-Disposition: attachment; filename=\"report.pdf\"\r\n");
    cr_has(&b, "filename*0*=UTF-8''%D0%BE");
    cr_has(&b, "Content-Transfer-Encoding: base64\r\n");
    buf_release(&b);
    arena_release(&a);
}

Test(mime, long_headers_are_folded) {
    struct mime_message m = simple();
    struct str text = STR("The website www.example.com has been down since four minutes past three in the night, and nobody "
                          "at all seems to have noticed it yet, so please get up now.");
    struct mime_header h = {STR("X-Why"), text};
    m.subject = text;
    m.headers = &h;
    m.header_count = 1;
    struct buf b = compose(&m);
    check_lines(&b, 78);
    cr_has(&b, "Subject: The website www.example.com has been down since four minutes past\r\n three in");
    buf_release(&b);
    arena_release(&a);
}

Test(mime, too_large_is_said) {
    struct mime_message m = simple();
    struct buf out;
    buf_init(&out, 200);
    cr_assert(!mime_compose(&m, &out, &err));
    cr_assert_eq(err.code, ERR_TOO_LARGE);
    buf_release(&out);
    arena_release(&a);
}

Test(hostname, what_is_a_host_name) {
    char out[HOSTNAME_MAX];
    cr_assert(hostname_to_ascii(STR("Example.COM."), out, &err));
    cr_assert_str_eq(out, "Example.COM");
    cr_assert(hostname_to_ascii(STR("bücher.example"), out, &err));
    cr_assert_str_eq(out, "xn--bcher-kva.example");
    cr_assert(hostname_to_ascii(STR("_dmarc.example.com"), out, &err));
    char label[65];
    memset(label, 'a', 64);
    label[64] = 0;
    static const struct str bad[] = {{"", 0},     {".", 1},      {"a..b", 4}, {"a b", 3},
                                     {"a\0b", 3}, {"a\r\nb", 4}, {"a/b", 3},  {"ü\0.b", 5}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        cr_expect(!hostname_to_ascii(bad[i], out, &err), "%zu", i);
    cr_assert(!hostname_to_ascii(str_from(label), out, &err));
}
