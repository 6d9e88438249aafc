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

/* ---- JSON as programs write it ----
 *
 * Each frame from a worker comes by here, and jansson's own reader takes four times as long. What is in any way unusual, wrong
 * or not (\u, a number out of the common, a key twice, no UTF-8), gives NULL and is left to it, so that nothing is taken here
 * that jansson refuses, and all complaints are its own. Depth is limited before. */

static json_t *read_value(struct str *s);

static char peek(const struct str *s) { return s->len ? s->ptr[0] : 0; }
static void skip(struct str *s, size_t n) { *s = str_of(s->ptr + n, s->len - n); }

static void skip_space(struct str *s) {
    while (s->len && (s->ptr[0] == ' ' || s->ptr[0] == '\n' || s->ptr[0] == '\r' || s->ptr[0] == '\t'))
        skip(s, 1);
}

static bool take(struct str *s, const char *word) {
    bool there = str_starts(*s, str_from(word));
    if (there)
        skip(s, strlen(word));
    return there;
}

static char unescaped(char c) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at = c ? strchr(from, c) : NULL;
    return at ? to[at - from] : 0;
}

/* The text between the quotes; of room where something in it is escaped. */
static bool read_text(struct str *s, struct buf *room, struct str *out) {
    size_t n = 1;
    if (peek(s) != '"')
        return false;
    while (n < s->len && s->ptr[n] != '"' && s->ptr[n] != '\\' && (uint8_t)s->ptr[n] >= 0x20)
        n++;
    *out = str_of(s->ptr + 1, n - 1);
    if (n < s->len && s->ptr[n] == '\\') {
        buf_add(room, *out);
        while (n < s->len && s->ptr[n] != '"' && (uint8_t)s->ptr[n] >= 0x20) {
            char c = s->ptr[n++];
            if (c == '\\' && (n == s->len || !(c = unescaped(s->ptr[n++]))))
                return false;
            buf_addc(room, c);
        }
        *out = buf_str(room);
    }
    if (n >= s->len || s->ptr[n] != '"')
        return false;
    skip(s, n + 1);
    return true;
}

static json_t *read_string(struct str *s) {
    struct buf room;
    struct str text;
    buf_init(&room, s->len);
    json_t *value = read_text(s, &room, &text) ? json_stringn(text.ptr, text.len) : NULL;
    buf_release(&room);
    return value;
}

static json_t *read_integer(struct str *s) {
    size_t sign = peek(s) == '-', n = sign;
    int64_t number = 0;
    for (; n < s->len && s->ptr[n] >= '0' && s->ptr[n] <= '9' && n < 18; n++)
        number = number * 10 + (s->ptr[n] - '0');
    bool leading_zero = n > sign && s->ptr[sign] == '0' && n - sign > 1;
    if (n == sign || leading_zero || (sign && !number) || (n < s->len && strchr("0123456789.eE", s->ptr[n])))
        return NULL;
    skip(s, n);
    return json_integer(sign ? -number : number);
}

static bool read_member(struct str *s, json_t *object) {
    struct buf room;
    struct str key;
    buf_init(&room, s->len);
    skip_space(s);
    bool ok = read_text(s, &room, &key) && !json_object_getn(object, key.ptr, key.len);
    skip_space(s);
    ok = ok && take(s, ":");
    json_t *value = ok ? read_value(s) : NULL;
    ok = value && json_object_setn_new(object, key.ptr, key.len, value) == 0;
    buf_release(&room);
    return ok;
}

static bool read_element(struct str *s, json_t *array) {
    json_t *value = read_value(s);
    return value && json_array_append_new(array, value) == 0;
}

static json_t *read_list(struct str *s, json_t *list, const char *end, bool (*read_one)(struct str *s, json_t *list)) {
    bool ok = true;
    skip(s, 1);
    skip_space(s);
    if (take(s, end))
        return list;
    do {
        ok = read_one(s, list);
        skip_space(s);
    } while (ok && take(s, ","));
    if (ok && take(s, end))
        return list;
    json_decref(list);
    return NULL;
}

static json_t *read_value(struct str *s) {
    skip_space(s);
    switch (peek(s)) {
    case '{':
        return read_list(s, json_object(), "}", read_member);
    case '[':
        return read_list(s, json_array(), "]", read_element);
    case '"':
        return read_string(s);
    case 't':
        return take(s, "true") ? json_true() : NULL;
    case 'f':
        return take(s, "false") ? json_false() : NULL;
    case 'n':
        return take(s, "null") ? json_null() : NULL;
    default:
        return read_integer(s);
    }
}

static json_t *read_plain(struct str text) {
    json_t *value = read_value(&text);
    skip_space(&text);
    if (!text.len)
        return value;
    json_decref(value);
    return NULL;
}

json_t *jsonx_parse_at(struct str text, unsigned *line, unsigned *column, struct error *err) {
    json_error_t at = {.line = 1, .column = 1};
    json_t *value = NULL;
    if (text_depth(text) > JSONX_DEPTH_MAX)
        error_set(err, ERR_INVALID, "JSON that is nested deeper than %d", JSONX_DEPTH_MAX);
    else if (!(value = read_plain(text)) && !(value = json_loadb(text.ptr ? text.ptr : "", text.len,
                                                                 JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &at)))
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
