/* Form bodies from any bytes. Urlencoded fields, encoded again, are the same fields. The parts of a multipart body, written
 * again, are the same parts. The first byte says which; for multipart the boundary comes before the first LF. */
#include "worker/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BODY_MAX (8u << 20)

static void encode(struct buf *out, struct str s) {
    for (size_t i = 0; i < s.len; i++)
        buf_addf(out, "%%%02X", (uint8_t)s.ptr[i]);
}

static void check_form(struct str body) {
    struct form_reader r, again;
    struct form_field field, same;
    struct error err;
    struct buf text;
    buf_init(&text, BODY_MAX);
    form_reader_init(&r, body);
    while (form_reader_next(&r, &field, &err) > 0) {
        encode(&text, field.name);
        buf_addc(&text, '=');
        encode(&text, field.value);
        buf_addc(&text, '&');
    }
    ENSURE(buf_ok(&text));
    form_reader_release(&r);
    form_reader_init(&r, body);
    form_reader_init(&again, buf_str(&text));
    while (form_reader_next(&r, &field, &err) > 0) {
        ENSURE(form_reader_next(&again, &same, &err) == 1);
        ENSURE(str_eq(field.name, same.name) && str_eq(field.value, same.value));
    }
    ENSURE(form_reader_next(&again, &same, &err) == 0);
    form_reader_release(&r);
    form_reader_release(&again);
    buf_release(&text);
}

/* A quote in a name is written with a backslash before it. */
static void add_quoted(struct buf *out, const char *key, struct str s) {
    buf_addf(out, "; %s=\"", key);
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"')
            buf_addc(out, '\\');
        buf_addc(out, s.ptr[i]);
    }
    buf_addc(out, '"');
}

static bool write_parts(struct str body, struct str boundary, struct buf *out) {
    struct multipart_reader r;
    struct multipart_part part;
    struct error err;
    int got;
    multipart_reader_init(&r, body, boundary);
    while ((got = multipart_reader_next(&r, &part, &err)) > 0) {
        buf_adds(out, "--");
        buf_add(out, boundary);
        buf_adds(out, "\r\nContent-Disposition: form-data");
        add_quoted(out, "name", part.name);
        if (part.is_file)
            add_quoted(out, "filename", part.filename);
        buf_adds(out, "\r\n");
        if (part.type.len) {
            buf_adds(out, "Content-Type: ");
            buf_add(out, part.type);
            buf_adds(out, "\r\n");
        }
        buf_adds(out, "\r\n");
        buf_add(out, part.bytes);
        buf_adds(out, "\r\n");
    }
    buf_adds(out, "--");
    buf_add(out, boundary);
    buf_adds(out, "--\r\n");
    multipart_reader_release(&r);
    return got == 0;
}

static void check_multipart(struct str body, struct str boundary) {
    struct buf first, second;
    buf_init(&first, BODY_MAX);
    buf_init(&second, BODY_MAX);
    if (write_parts(body, boundary, &first) && buf_ok(&first)) {
        ENSURE(write_parts(buf_str(&first), boundary, &second));
        ENSURE(str_eq(buf_str(&first), buf_str(&second)));
    }
    buf_release(&first);
    buf_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    struct str body = str_of(data + 1, size - 1), boundary;
    if (data[0] & 1)
        check_form(body);
    else if (str_cut(&body, '\n', &boundary))
        check_multipart(body, boundary);
    return 0;
}
