/* encoding.c — see encoding.h. */
#include "trigger/encoding.h"

#include <zlib.h>

#define LEVEL 4
#define GZIP_WINDOW (15 + 16) /* zlib: 16 more writes a gzip header (RFC 1952) */

static bool is_text(struct str type) {
    static const char *const types[] = {"application/json", "application/xml", "application/javascript", "image/svg+xml"};
    struct str essence;
    str_cut(&type, ';', &essence);
    essence = str_trim(essence);
    if (essence.len >= 5 && str_eq_nocase(str_of(essence.ptr, 5), STR("text/")))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_eq_nocase(essence, str_from(types[i])))
            return true;
    return str_ends(essence, STR("+json")) || str_ends(essence, STR("+xml"));
}

bool encoding_may_be_used(int status, const struct httpd_field *fields, size_t n, struct str body) {
    bool text = false;
    if (body.len <= ENCODING_BODY_MIN || body.len > ENCODING_BODY_MAX || status == 206)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct str name = fields[i].name;
        if (str_eq_nocase(name, STR("content-encoding")) || str_eq_nocase(name, STR("etag")) ||
            (str_eq_nocase(name, STR("cache-control")) && str_find(fields[i].value, STR("no-transform")) != SIZE_MAX))
            return false;
        if (str_eq_nocase(name, STR("content-type")))
            text = is_text(fields[i].value);
    }
    return text;
}

/* "0", "0.", "0.000" */
static bool is_zero(struct str weight) {
    for (size_t i = 0; i < weight.len; i++)
        if (weight.ptr[i] != (i == 1 ? '.' : '0'))
            return false;
    return weight.len > 0;
}

bool encoding_accepts_gzip(struct str accept) {
    struct str part, coding, parameter;
    bool any = false;
    while (str_cut(&accept, ',', &part)) {
        str_cut(&part, ';', &coding);
        coding = str_trim(coding);
        parameter = str_trim(part);
        bool wanted = !(parameter.len > 2 && (parameter.ptr[0] | 0x20) == 'q' && parameter.ptr[1] == '=' &&
                        is_zero(str_of(parameter.ptr + 2, parameter.len - 2)));
        if (str_eq_nocase(coding, STR("gzip")) || str_eq_nocase(coding, STR("x-gzip")))
            return wanted;
        any |= str_is(coding, "*") && wanted;
    }
    return any;
}

bool encoding_gzip(struct str body, struct buf *out) {
    z_stream z = {0};
    ENSURE(deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    char *room = buf_room(out, body.len);
    z.next_in = (Bytef *)(uintptr_t)body.ptr;
    z.avail_in = (uInt)body.len;
    z.next_out = (Bytef *)room;
    z.avail_out = room ? (uInt)body.len : 0;
    bool ok = room && deflate(&z, Z_FINISH) == Z_STREAM_END;
    if (ok)
        out->len += z.total_out;
    deflateEnd(&z);
    return ok;
}
