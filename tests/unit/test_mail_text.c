/* Rules of cli/mail_text.h, on what net/mime.h writes. */
#include <criterion/criterion.h>

#include "cli/mail_text.h"
#include "net/mime.h"

static void reads_as(const struct mime_message *m, const char *expected) {
    struct buf message, text;
    struct error err;
    buf_init(&message, MIME_SIZE_MAX);
    buf_init(&text, MIME_SIZE_MAX);
    cr_assert(mime_compose(m, &message, &err), "%s", err.text);
    mail_text(buf_str(&message), &text);
    while (text.len && text.ptr[text.len - 1] == '\n')
        text.ptr[--text.len] = 0;
    cr_assert_str_eq(text.ptr, expected, "%s\n--\n%s", text.ptr, message.ptr);
    buf_release(&message);
    buf_release(&text);
}

Test(mail_text, headers_and_text_are_decoded) {
    struct mail_address from = {STR("J\xC3\xB6rg"), STR("ops@example.com")},
                        to[] = {{STR(""), STR("a@example.org")}, {STR("B"), STR("b@example.org")}};
    struct mime_message m = {
        .from = &from,
        .to = to,
        .to_count = 2,
        .message_id = STR("<1@example.com>"),
        .date_ms = 1795454560123,
        .subject =
            STR("St\xC3\xB6rung \xF0\x9F\x94\xA5 on a line that is long enough to be folded somewhere, more than once at that"),
        .text = STR("F\xC3\xBCr a = b\nand a line that is so long that it has to be broken softly, since quoted-printable has at "
                    "most 76.\n")};
    reads_as(
        &m,
        "From: J\xC3\xB6rg <ops@example.com>\nTo: a@example.org, B <b@example.org>\n"
        "Subject: St\xC3\xB6rung \xF0\x9F\x94\xA5 on a line that is long enough to be folded somewhere, more than once at "
        "that\n\n"
        "F\xC3\xBCr a = b\nand a line that is so long that it has to be broken softly, since quoted-printable has at most 76.");
    m.html = STR("<p>F\xC3\xBCr</p>");
    m.text = STR("plain");
    m.subject = STR("s");
    reads_as(&m, "From: J\xC3\xB6rg <ops@example.com>\nTo: a@example.org, B <b@example.org>\nSubject: s\n\nplain");
    m.text = (struct str){NULL, 0};
    reads_as(&m, "From: J\xC3\xB6rg <ops@example.com>\nTo: a@example.org, B <b@example.org>\nSubject: s\n\n<p>F\xC3\xBCr</p>");
}

Test(mail_text, anything_else_is_shown_as_it_is) {
    static const char *const odd[] = {"",
                                      "no header",
                                      "\n\nbody",
                                      "Subject: =?utf-8?B?\n\n",
                                      "Content-Type: multipart/mixed; boundary=\"x\"\n\n--x",
                                      "Content-Type: multipart/mixed; boundary=\n\n--x\n\n--x--",
                                      "Content-Transfer-Encoding: base64\n\n!!",
                                      "Subject: =?utf-8?Q?=4?="};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        struct buf text;
        buf_init(&text, 1000);
        mail_text(str_from(odd[i]), &text);
        cr_assert(buf_ok(&text), "%s", odd[i]);
        buf_release(&text);
    }
}
