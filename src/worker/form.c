/* form.c — see form.h. */
#include "worker/form.h"

/* ---- application/x-www-form-urlencoded ---- */

void form_reader_init(struct form_reader *r, struct str body) {
    *r = (struct form_reader){.rest = body};
    buf_init(&r->name, body.len);
    buf_init(&r->value, body.len);
}

void form_reader_release(struct form_reader *r) {
    buf_release(&r->name);
    buf_release(&r->value);
}

/* "+" is a space, "%41" an A; any other "%" stands for itself. out's maximum is the whole body, so it all fits. */
static void decode(struct str s, struct buf *out) {
    buf_clear(out);
    for (size_t i = 0; i < s.len; i++) {
        uint8_t byte;
        if (s.ptr[i] == '%' && i + 2 < s.len && hex_parse(str_of(s.ptr + i + 1, 2), &byte)) {
            buf_addc(out, (char)byte);
            i += 2;
        } else {
            buf_addc(out, s.ptr[i] == '+' ? ' ' : s.ptr[i]);
        }
    }
}

int form_reader_next(struct form_reader *r, struct form_field *field, struct error *err) {
    struct str part, name;
    do {
        if (!str_cut(&r->rest, '&', &part))
            return 0;
    } while (!part.len);
    if (++r->count > FORM_FIELDS_MAX)
        return error_set(err, ERR_LIMIT, "more than %d form fields", FORM_FIELDS_MAX) - 1;
    str_cut(&part, '=', &name);
    decode(name, &r->name);
    decode(part, &r->value);
    *field = (struct form_field){buf_str(&r->name), buf_str(&r->value)};
    return 1;
}

/* ---- multipart/form-data ---- */

void multipart_reader_init(struct multipart_reader *r, struct str body, struct str boundary) {
    *r = (struct multipart_reader){.rest = body};
    buf_init(&r->delimiter, 4 + 70); /* RFC 2046, 5.1.1: at most 70 characters */
    buf_init(&r->name, FORM_PART_HEADERS_MAX);
    buf_init(&r->filename, FORM_PART_HEADERS_MAX);
    buf_adds(&r->delimiter, "\r\n--");
    buf_add(&r->delimiter, boundary);
    r->delimiter.over |= !boundary.len;
}

void multipart_reader_release(struct multipart_reader *r) {
    buf_release(&r->delimiter);
    buf_release(&r->name);
    buf_release(&r->filename);
}

static bool skip(struct str *s, struct str prefix) {
    if (!str_starts(*s, prefix))
        return false;
    *s = str_of(s->ptr + prefix.len, s->len - prefix.len);
    return true;
}

static int bad(struct error *err, const char *what) { return error_set(err, ERR_INVALID, "multipart body: %s", what) - 1; }

/* After a delimiter: 1: a part follows; 0: that was the last one; -1. */
static int after_delimiter(struct multipart_reader *r, struct error *err) {
    if (skip(&r->rest, STR("--"))) {
        r->ended = true;
        return !r->rest.len || str_is(r->rest, "\r\n") ? 0 : bad(err, "bytes after the closing boundary");
    }
    return skip(&r->rest, STR("\r\n")) ? 1 : bad(err, "a boundary is not followed by CRLF");
}

static bool is_token(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static struct str take_token(struct str *s) {
    size_t n = 0;
    while (n < s->len && is_token(s->ptr[n]))
        n++;
    struct str token = {s->ptr, n};
    *s = str_of(s->ptr + n, s->len - n);
    return token;
}

/* A token or a quoted string into out. A backslash escapes a quote and a backslash before a quote only:
 * old browsers sent paths with plain ones. */
static bool take_value(struct str *s, struct buf *out) {
    buf_clear(out);
    if (!skip(s, STR("\"")))
        return buf_add(out, take_token(s)) && out->len;
    while (s->len && s->ptr[0] != '"') {
        if (s->ptr[0] == '\\' && s->len > 1 && s->ptr[1] == '"')
            *s = str_of(s->ptr + 1, s->len - 1);
        if (!buf_addc(out, s->ptr[0]))
            return false;
        *s = str_of(s->ptr + 1, s->len - 1);
    }
    return skip(s, STR("\""));
}

/* form-data; name="..."; filename="..." */
static bool parse_disposition(struct multipart_reader *r, struct str s, struct multipart_part *part) {
    struct buf ignored;
    bool has_name = false, ok = str_eq_nocase(take_token(&s), STR("form-data"));
    buf_init(&ignored, FORM_PART_HEADERS_MAX);
    while (ok && (s = str_trim(s)).len) {
        ok = skip(&s, STR(";"));
        s = str_trim(s);
        struct str key = take_token(&s);
        bool is_name = str_eq_nocase(key, STR("name")), is_filename = str_eq_nocase(key, STR("filename"));
        ok = ok && key.len && skip(&s, STR("=")) && !(is_name && has_name) && !(is_filename && part->is_file) &&
             take_value(&s, is_name       ? &r->name
                            : is_filename ? &r->filename
                                          : &ignored);
        has_name |= is_name;
        part->is_file |= is_filename;
    }
    buf_release(&ignored);
    part->name = buf_str(&r->name);
    if (part->is_file)
        part->filename = buf_str(&r->filename);
    return ok && has_name;
}

static int parse_header(struct multipart_reader *r, struct str line, struct multipart_part *part, unsigned *seen,
                        struct error *err) {
    struct str name = take_token(&line);
    if (!name.len || !skip(&line, STR(":")))
        return bad(err, "a line that is no header");
    line = str_trim(line);
    unsigned bit = str_eq_nocase(name, STR("content-disposition"))         ? 1
                   : str_eq_nocase(name, STR("content-type"))              ? 2
                   : str_eq_nocase(name, STR("content-transfer-encoding")) ? 4
                                                                           : 0;
    if (*seen & bit)
        return bad(err, "a header comes twice");
    *seen |= bit;
    if (bit == 1 && !parse_disposition(r, line, part))
        return bad(err, "a part's Content-Disposition is not form-data with a name");
    if (bit == 2)
        part->type = line;
    if (bit == 4 && !str_eq_nocase(line, STR("7bit")) && !str_eq_nocase(line, STR("8bit")) && !str_eq_nocase(line, STR("binary")))
        return bad(err, "a part with a transfer encoding");
    return 1;
}

static int parse_headers(struct multipart_reader *r, struct multipart_part *part, struct error *err) {
    unsigned seen = 0;
    struct str head = {r->rest.ptr, r->rest.len < FORM_PART_HEADERS_MAX ? r->rest.len : FORM_PART_HEADERS_MAX};
    for (;;) {
        size_t end = str_find(head, STR("\r\n"));
        if (end == SIZE_MAX)
            return bad(err, "the headers of a part do not end");
        struct str line = {head.ptr, end};
        head = str_of(head.ptr + end + 2, head.len - end - 2);
        if (memchr(line.ptr, '\n', line.len) || memchr(line.ptr, '\r', line.len) || memchr(line.ptr, 0, line.len))
            return bad(err, "a control character in a header");
        if (!line.len)
            break;
        if (parse_header(r, line, part, &seen, err) < 0)
            return -1;
    }
    if (!(seen & 1))
        return bad(err, "a part without Content-Disposition");
    size_t used = (size_t)(head.ptr - r->rest.ptr);
    r->rest = str_of(head.ptr, r->rest.len - used);
    return 1;
}

int multipart_reader_next(struct multipart_reader *r, struct multipart_part *part, struct error *err) {
    struct str delimiter = buf_str(&r->delimiter);
    if (!buf_ok(&r->delimiter))
        return bad(err, "the boundary must have 1 to 70 characters");
    if (r->ended)
        return 0;
    if (!r->started) {
        r->started = true;
        if (!skip(&r->rest, str_of(delimiter.ptr + 2, delimiter.len - 2)))
            return bad(err, "it does not begin with the boundary");
        int follows = after_delimiter(r, err);
        if (follows <= 0)
            return follows;
    }
    if (++r->count > FORM_FIELDS_MAX)
        return error_set(err, ERR_LIMIT, "more than %d parts", FORM_FIELDS_MAX) - 1;
    *part = (struct multipart_part){.is_file = false};
    if (parse_headers(r, part, err) < 0)
        return -1;
    size_t end = str_find(r->rest, delimiter);
    if (end == SIZE_MAX)
        return bad(err, "the closing boundary is missing");
    part->bytes = str_of(r->rest.ptr, end);
    r->rest = str_of(r->rest.ptr + end + delimiter.len, r->rest.len - end - delimiter.len);
    return after_delimiter(r, err) < 0 ? -1 : 1; /* after the last part the next call says 0 */
}
