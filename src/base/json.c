/* json.c — see json.h. */
#include "base/json.h"

/* Deepest nesting of brackets outside of strings; the text need not be JSON. */
static size_t text_depth(struct str text) {
    size_t depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
            deepest = depth > deepest ? depth : deepest;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return deepest;
}

json_t *jsonx_parse_at(struct str text, unsigned *line, unsigned *column, struct error *err) {
    json_error_t at = {.line = 1, .column = 1};
    json_t *value = NULL;
    if (text_depth(text) > JSONX_DEPTH_MAX)
        error_set(err, ERR_INVALID, "JSON that is nested deeper than %d", JSONX_DEPTH_MAX);
    else if (!(value = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &at)))
        error_set(err, ERR_INVALID, "no valid JSON: %s", at.text);
    *line = at.line > 0 ? (unsigned)at.line : 1;
    *column = at.column > 0 ? (unsigned)at.column : 1;
    return value;
}

json_t *jsonx_parse(struct str text, struct error *err) {
    unsigned line, column;
    json_t *value = jsonx_parse_at(text, &line, &column, err);
    if (!value)
        error_wrap(err, "line %u, column %u", line, column);
    return value;
}

/* The shortest text that reads back as the same number. */
static bool write_real(double number, struct buf *out) {
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    buf_adds(out, text);
    return strpbrk(text, ".e") ? buf_ok(out) : buf_adds(out, ".0");
}

static bool write_scalar(const json_t *value, struct buf *out) {
    if (json_is_string(value))
        return buf_add_json_string(out, jsonx_string_value(value));
    if (json_is_real(value))
        return write_real(json_real_value(value), out);
    if (json_is_integer(value))
        return buf_add_int(out, json_integer_value(value));
    return buf_adds(out, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
}

/* jansson's own takes five times as long: for each object and array it keeps the printed address in a table, against cycles. */
bool jsonx_write(const json_t *value, struct buf *out) {
    size_t i, key_len;
    const char *key;
    json_t *member;
    if (json_is_object(value)) {
        bool first = true;
        buf_addc(out, '{');
        json_object_keylen_foreach((json_t *)(uintptr_t)value, key, key_len, member) {
            buf_adds(out, first ? "" : ",");
            buf_add_json_string(out, str_of(key, key_len));
            buf_addc(out, ':');
            jsonx_write(member, out);
            first = false;
        }
        return buf_addc(out, '}') && buf_ok(out);
    }
    if (json_is_array(value)) {
        buf_addc(out, '[');
        json_array_foreach(value, i, member) {
            buf_adds(out, i ? "," : "");
            jsonx_write(member, out);
        }
        return buf_addc(out, ']') && buf_ok(out);
    }
    return write_scalar(value, out);
}

static void write_key(const char *key, struct buf *out) {
    buf_add_json_string(out, str_from(key));
    buf_adds(out, ": ");
}

static bool write_on_one_line(const json_t *value, struct buf *out) {
    const char *key, *separator = "";
    json_t *member;
    size_t i;
    if (json_is_object(value)) {
        buf_addc(out, '{');
        json_object_foreach((json_t *)(uintptr_t)value, key, member) {
            buf_adds(out, separator);
            write_key(key, out);
            if (!write_on_one_line(member, out))
                return false;
            separator = ", ";
        }
        return buf_addc(out, '}');
    }
    if (json_is_array(value)) {
        buf_addc(out, '[');
        json_array_foreach(value, i, member) {
            buf_adds(out, separator);
            if (!write_on_one_line(member, out))
                return false;
            separator = ", ";
        }
        return buf_addc(out, ']');
    }
    return write_scalar(value, out);
}

#define PRETTY_WIDTH 110

static void start_line(struct buf *out, unsigned indent) {
    buf_addc(out, '\n');
    for (unsigned i = 0; i < indent; i++)
        buf_addc(out, ' ');
}

/* On one line what fits there; `used` is what the line has already. */
static void write_pretty(const json_t *value, unsigned indent, size_t used, struct buf *out) {
    struct buf line;
    buf_init(&line, used + 1 < PRETTY_WIDTH ? PRETTY_WIDTH - used - 1 : 0);
    bool fits = indent > 0 && write_on_one_line(value, &line);
    const char *key, *separator = "";
    json_t *member;
    size_t i;
    if (fits) {
        buf_add(out, buf_str(&line));
    } else if (json_is_object(value) && json_object_size(value)) {
        buf_addc(out, '{');
        json_object_foreach((json_t *)(uintptr_t)value, key, member) {
            buf_adds(out, separator);
            start_line(out, indent + 2);
            size_t before = out->len;
            write_key(key, out);
            write_pretty(member, indent + 2, indent + 2 + out->len - before, out);
            separator = ",";
        }
        start_line(out, indent);
        buf_addc(out, '}');
    } else if (json_is_array(value) && json_array_size(value)) {
        buf_addc(out, '[');
        json_array_foreach(value, i, member) {
            buf_adds(out, separator);
            start_line(out, indent + 2);
            write_pretty(member, indent + 2, indent + 2, out);
            separator = ",";
        }
        start_line(out, indent);
        buf_addc(out, ']');
    } else {
        write_on_one_line(value, out);
    }
    buf_release(&line);
}

bool jsonx_write_pretty(const json_t *value, struct buf *out) {
    write_pretty(value, 0, 0, out);
    return buf_addc(out, '\n');
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
