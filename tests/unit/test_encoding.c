/* Rules of encoding.h. */
#include <criterion/criterion.h>

#include "trigger/encoding.h"

static char large[ENCODING_BODY_MAX + 1];

static bool may(int status, size_t size, const char *type, const char *name, const char *value) {
    struct httpd_field fields[] = {{STR("Content-Type"), str_from(type)}, {str_from(name), str_from(value)}};
    return encoding_may_be_used(status, fields, name ? 2 : 1, str_of(large, size));
}

Test(encoding, only_text_of_some_size) {
    cr_assert(may(200, 2000, "text/html; charset=utf-8", NULL, NULL));
    cr_assert(may(404, 2000, "application/problem+json", NULL, NULL));
    cr_assert(may(200, ENCODING_BODY_MAX, "Application/JSON", NULL, NULL));
    cr_assert(!may(200, ENCODING_BODY_MIN, "text/html", NULL, NULL));
    cr_assert(!may(200, ENCODING_BODY_MAX + 1, "text/html", NULL, NULL));
    cr_assert(!may(206, 2000, "text/html", NULL, NULL));
    cr_assert(!may(200, 2000, "image/png", NULL, NULL));
    cr_assert(!may(200, 2000, "", NULL, NULL));
}

Test(encoding, not_what_the_flow_has_settled) {
    cr_assert(!may(200, 2000, "text/css", "content-encoding", "br"));
    cr_assert(!may(200, 2000, "text/css", "ETag", "\"1\""));
    cr_assert(!may(200, 2000, "text/css", "Cache-Control", "public, no-transform"));
    cr_assert(may(200, 2000, "text/css", "Cache-Control", "public"));
}

Test(encoding, what_the_caller_takes) {
    static const char *const yes[] = {"gzip", "br, GZIP", "deflate, gzip;q=0.001",
                                      "*",    "x-gzip",   "br;q=1.0, gzip;q=0.8, *;q=0.1"};
    static const char *const no[] = {"", NULL, "br", "gzip;q=0", "gzip; q=0.000, *", "*;q=0", "gzipped", "identity"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        cr_assert(encoding_accepts_gzip(str_from(yes[i])), "%s", yes[i]);
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        cr_assert(!encoding_accepts_gzip(str_from(no[i])), "%s", no[i] ? no[i] : "none");
}

Test(encoding, what_gets_no_shorter_stays) {
    struct buf out;
    buf_init(&out, sizeof large);
    memset(large, 'a', sizeof large);
    cr_assert(encoding_gzip(str_of(large, sizeof large), &out) && out.len < 2000 && (uint8_t)out.ptr[0] == 0x1f);
    buf_clear(&out);
    uint32_t x = 1;
    for (size_t i = 0; i < 4000; i++)
        large[i] = (char)((x = x * 1664525 + 1013904223) >> 24);
    cr_assert(!encoding_gzip(str_of(large, 4000), &out) && out.len == 0);
    buf_release(&out);
}
