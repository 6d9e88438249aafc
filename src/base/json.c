/* json.c — see json.h. */
#include "base/json.h"

json_t *jsonx_parse(struct str text, struct error *err) {
    json_error_t at;
    json_t *value = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &at);
    if (!value) {
        error_set(err, ERR_INVALID, "no valid JSON: line %d, column %d: %s", at.line, at.column, at.text);
        return NULL;
    }
    return value;
}

static int add_part(const char *text, size_t len, void *out) { return buf_add(out, str_of(text, len)) ? 0 : -1; }

bool jsonx_write(const json_t *value, struct buf *out) {
    return json_dump_callback(value, add_part, out, JSON_COMPACT | JSON_ENCODE_ANY) == 0;
}

bool jsonx_write_pretty(const json_t *value, struct buf *out) {
    return json_dump_callback(value, add_part, out, JSON_INDENT(2) | JSON_ENCODE_ANY) == 0 && buf_addc(out, '\n');
}

struct str jsonx_string_value(const json_t *string) {
    return json_is_string(string) ? str_of(json_string_value(string), json_string_length(string)) : (struct str){NULL, 0};
}

struct str jsonx_str(const json_t *object, const char *key) {
    return jsonx_string_value(json_object_get(object, key));
}

int64_t jsonx_int(const json_t *object, const char *key, int64_t fallback) {
    const json_t *v = json_object_get(object, key);
    return json_is_integer(v) ? json_integer_value(v) : fallback;
}

bool jsonx_bool(const json_t *object, const char *key, bool fallback) {
    const json_t *v = json_object_get(object, key);
    return json_is_boolean(v) ? json_is_true(v) : fallback;
}

json_t *jsonx_from_str(struct str s) {
    json_t *value = json_stringn(s.ptr ? s.ptr : "", s.len);
    if (value)
        return value;
    struct buf quoted;
    struct error err;
    buf_init(&quoted, s.len * 6 + 2);
    buf_add_json_string(&quoted, s);
    value = jsonx_parse(buf_str(&quoted), &err);
    buf_release(&quoted);
    return value ? value : json_string("");
}

bool jsonx_pointer_add(struct buf *pointer, struct str token) {
    buf_addc(pointer, '/');
    for (size_t i = 0; i < token.len; i++) {
        char c = token.ptr[i];
        if (c == '~' || c == '/')
            buf_adds(pointer, c == '~' ? "~0" : "~1");
        else
            buf_addc(pointer, c);
    }
    return buf_ok(pointer);
}

json_t *jsonx_from_bytes(struct str bytes) {
    struct buf b;
    buf_init(&b, bytes.len / 3 * 4 + 8);
    buf_add_base64(&b, bytes);
    json_t *value = json_pack("{s:o}", "$bytes", json_stringn(b.ptr, b.len));
    buf_release(&b);
    return value;
}

bool jsonx_to_bytes(const json_t *value, struct buf *out) {
    if (!json_is_object(value) || json_object_size(value) != 1)
        return false;
    const json_t *text = json_object_get(value, "$bytes");
    return json_is_string(text) && buf_add_base64_decoded(out, jsonx_string_value(text));
}
