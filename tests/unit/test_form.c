/* Form bodies, and the conversions of text beside them. */
#include <criterion/criterion.h>

#include "worker/form.h"
#include "worker/text.h"

/* "name=value|name=value", or the reason why it was refused. */
static char seen[8192];

static const char *form(struct str body) {
    struct form_reader r;
    struct form_field field;
    struct error err;
    struct buf out;
    int got;
    buf_init(&out, sizeof seen - 1);
    form_reader_init(&r, body);
    while ((got = form_reader_next(&r, &field, &err)) > 0)
        buf_addf(&out, "%s%.*s=%.*s", out.len ? "|" : "", STR_ARG(field.name), STR_ARG(field.value));
    snprintf(seen, sizeof seen, "%s", got < 0 ? err.text : out.ptr);
    form_reader_release(&r);
    buf_release(&out);
    return seen;
}

/* "name:filename:type:content|...". */
static const char *multipart(struct str body, struct str boundary) {
    struct multipart_reader r;
    struct multipart_part part;
    struct error err;
    struct buf out;
    int got;
    buf_init(&out, sizeof seen - 1);
    multipart_reader_init(&r, body, boundary);
    while ((got = multipart_reader_next(&r, &part, &err)) > 0)
        buf_addf(&out, "%s%.*s:%.*s:%.*s:%.*s", out.len ? "|" : "", STR_ARG(part.name),
                 STR_ARG(part.is_file ? part.filename : STR("-")), STR_ARG(part.type), STR_ARG(part.bytes));
    snprintf(seen, sizeof seen, "%s", got < 0 ? err.text : out.ptr);
    multipart_reader_release(&r);
    buf_release(&out);
    return seen;
}

Test(form, urlencoded_fields_are_read_as_browsers_write_them) {
    cr_assert_str_eq(form(STR("")), "");
    cr_assert_str_eq(form(STR("a=1&b=2")), "a=1|b=2");
    cr_assert_str_eq(form(STR("a=x+y%20z%2B&b")), "a=x y z+|b=");
    cr_assert_str_eq(form(STR("&&a=1&&")), "a=1");
    cr_assert_str_eq(form(STR("=v&k=a=b")), "=v|k=a=b");
    cr_assert_str_eq(form(STR("a=100%&b=%zz%4")), "a=100%|b=%zz%4");
    cr_assert_str_eq(form(STR("n=gr%C3%BC%C3%9Fe")), "n=grüße");
}

Test(form, too_many_fields_are_refused) {
    struct buf body;
    buf_init(&body, 1 << 20);
    for (int i = 0; i < FORM_FIELDS_MAX; i++)
        buf_adds(&body, "a&");
    cr_assert_neq(strstr(form(buf_str(&body)), "a="), NULL);
    buf_adds(&body, "a&");
    cr_assert_str_eq(form(buf_str(&body)), "more than 1000 form fields");
    buf_release(&body);
}

#define PART "Content-Disposition: form-data; name=\"a\"\r\n\r\n"

Test(form, multipart_parts_are_read) {
    cr_assert_str_eq(multipart(STR("--b\r\n" PART "one\r\n--b--\r\n"), STR("b")), "a:-::one");
    cr_assert_str_eq(multipart(STR("--b\r\n" PART "\r\n--b\r\n" PART "x\r\ny\r\n--b--"), STR("b")), "a:-::|a:-::x\r\ny");
    cr_assert_str_eq(
        multipart(STR("--b\r\ncontent-type: text/plain\r\nContent-Disposition: FORM-DATA; filename=\"a \\\"b\\\" c:\\d\" ;"
                      " name=f\r\nX-Other: 1\r\n\r\n\r\n--bx\r\n--b--\r\n"),
                  STR("b")),
        "multipart body: a boundary is not followed by CRLF");
    cr_assert_str_eq(
        multipart(STR("--b\r\ncontent-type: text/plain\r\nContent-Disposition: FORM-DATA; filename=\"a \\\"b\\\" c:\\d\" ;"
                      " name=f\r\nX-Other: 1\r\n\r\n--b\n\r\n--b--\r\n"),
                  STR("b")),
        "f:a \"b\" c:\\d:text/plain:--b\n");
    cr_assert_str_eq(multipart(STR("--b--\r\n"), STR("b")), "");
}

Test(form, multipart_that_is_not_well_formed_is_refused) {
    static const struct {
        struct str body;
        const char *why;
    } cases[] = {
        {STR(""), "begin with the boundary"},
        {STR("preamble\r\n--b\r\n" PART "x\r\n--b--"), "begin with the boundary"},
        {STR("--b\n" PART "x\r\n--b--"), "not followed by CRLF"},
        {STR("--b\r\n" PART "x"), "closing boundary is missing"},
        {STR("--b\r\n" PART "x\r\n--b\r\n"), "headers of a part do not end"},
        {STR("--b\r\n" PART "x\r\n--b--more"), "after the closing boundary"},
        {STR("--b\r\n\r\nx\r\n--b--"), "without Content-Disposition"},
        {STR("--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--"), "form-data with a name"},
        {STR("--b\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--b--"), "form-data with a name"},
        {STR("--b\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\nx\r\n--b--"), "form-data with a name"},
        {STR("--b\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--b--"), "form-data with a name"},
        {STR("--b\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n" PART "x\r\n--b--"), "comes twice"},
        {STR("--b\r\nContent-Transfer-Encoding: base64\r\n" PART "x\r\n--b--"), "transfer encoding"},
        {STR("--b\r\nX: a\nb\r\n" PART "x\r\n--b--"), "control character"},
        {STR("--b\r\nX: a\r\n folded\r\n" PART "x\r\n--b--"), "no header"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        cr_expect(strstr(multipart(cases[i].body, STR("b")), cases[i].why), "%zu: %s", i, seen);
    char boundary[72];
    memset(boundary, 'b', sizeof boundary);
    cr_assert(strstr(multipart(STR("--b--"), STR("")), "1 to 70"));
    cr_assert(strstr(multipart(STR("--b--"), str_of(boundary, 71)), "1 to 70"));
}

static void assert_utf8(struct str in, struct str out, bool expected) {
    uint16_t units[200];
    char bytes[600];
    bool well_formed;
    size_t n = text_to_utf16(in, units, &well_formed), m = text_to_utf8(units, n, bytes);
    cr_expect_eq(well_formed, expected);
    cr_expect(str_eq(str_of(bytes, m), out), "%.*s became %.*s", STR_ARG(in), (int)m, bytes);
    cr_expect_eq(m, text_utf8_size(units, n));
}

Test(form, text_passes_through_utf16) {
    static const char *const texts[] = {"",
                                        "a",
                                        "plain text of more than one block, which is copied in one go, and a rest",
                                        "grüße",
                                        "0123456789012345678901234567890ü2345678901234567890123456789012345 €",
                                        "\U0001f600",
                                        "\xef\xbf\xbf",
                                        "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_utf8(str_from(texts[i]), str_from(texts[i]), true);
    assert_utf8(STR("a\0b"), STR("a\0b"), true);
}

/* Unicode 15, table 3-8 and what stands below it. */
Test(form, what_is_not_utf8_is_replaced) {
#define R "\xef\xbf\xbd"
    assert_utf8(STR("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41"), STR(R R R R R R R R "A"), false);
    assert_utf8(STR("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41"), STR(R R R R R R R R "A"), false);
    assert_utf8(STR("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42"), STR(R R R R R "A" R R "B"), false);
    assert_utf8(STR("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41"), STR(R R R R "A"), false);
    assert_utf8(STR("\xe2\x82"), STR(R), false);
}
