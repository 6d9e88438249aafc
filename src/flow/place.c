/* place.c — from a JSON pointer to a line and a column. The text was parsed before, but
 * nothing here relies on that: a cursor never leaves it. */
#include "flow/finding.h"

static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

static void skip_space(struct str *at) {
    while (at->len && is_space(at->ptr[0]))
        *at = str_of(at->ptr + 1, at->len - 1);
}

static void skip(struct str *at, size_t n) {
    n = n < at->len ? n : at->len;
    *at = str_of(at->ptr + n, at->len - n);
}

/* Moves past a string, which is given with its quotes. */
static struct str take_string(struct str *at) {
    size_t n = 1;
    while (n < at->len && at->ptr[n] != '"')
        n += at->ptr[n] == '\\' ? 2 : 1;
    n = n + 1 < at->len ? n + 1 : at->len;
    struct str text = str_of(at->ptr, n);
    skip(at, n);
    return text;
}

static void skip_value(struct str *at) {
    size_t depth = 0;
    do {
        skip_space(at);
        if (!at->len)
            return;
        char c = at->ptr[0];
        if (c == '"') {
            take_string(at);
        } else if (c == '{' || c == '[') {
            depth++;
            skip(at, 1);
        } else if (c == '}' || c == ']') {
            depth -= depth > 0;
            skip(at, 1);
        } else if (c == ',' || c == ':') {
            skip(at, 1);
        } else {
            do
                skip(at, 1);
            while (at->len && !is_space(at->ptr[0]) && !strchr(",:]}\"[{", at->ptr[0]));
        }
    } while (depth && at->len);
}

static bool string_is(struct str quoted, struct str wanted) {
    if (!memchr(quoted.ptr, '\\', quoted.len))
        return quoted.len == wanted.len + 2 && str_eq(str_of(quoted.ptr + 1, wanted.len), wanted);
    struct error err;
    json_t *value = jsonx_parse(quoted, &err);
    bool same = value && str_eq(jsonx_string_value(value), wanted);
    json_decref(value);
    return same;
}

/* One step down; *place is where the member's key or the item stands. */
static bool enter(struct str *at, struct str token, struct str *place) {
    skip_space(at);
    if (!at->len || (at->ptr[0] != '{' && at->ptr[0] != '['))
        return false;
    bool is_object = at->ptr[0] == '{';
    int64_t index = 0;
    if (!is_object && !str_to_int64(token, &index))
        return false;
    skip(at, 1);
    for (int64_t i = 0; skip_space(at), at->len && at->ptr[0] != '}' && at->ptr[0] != ']'; i++) {
        struct str here = *at;
        bool found = !is_object && i == index;
        if (is_object) {
            if (at->ptr[0] != '"')
                return false;
            found = string_is(take_string(at), token);
            skip_space(at);
            skip(at, 1); /* the colon */
        }
        if (found) {
            *place = here;
            return true;
        }
        skip_value(at);
        skip_space(at);
        if (at->len && at->ptr[0] == ',')
            skip(at, 1);
    }
    return false;
}

static void unescape(struct str token, struct buf *out) {
    buf_clear(out);
    for (size_t i = 0; i < token.len; i++) {
        bool escaped = token.ptr[i] == '~' && i + 1 < token.len;
        i += escaped;
        buf_addc(out, !escaped ? token.ptr[i] : token.ptr[i] == '1' ? '/' : '~');
    }
}

void json_place(struct str text, struct str pointer, unsigned *line, unsigned *column) {
    struct str at = text, part, tokens;
    struct buf token;
    skip_space(&at);
    struct str place = at;
    buf_init(&token, pointer.len);
    if (pointer.len) {
        tokens = str_of(pointer.ptr + 1, pointer.len - 1);
        while (str_cut(&tokens, '/', &part)) {
            unescape(part, &token);
            if (!enter(&at, buf_str(&token), &place))
                break;
        }
    }
    buf_release(&token);
    *line = *column = 1;
    for (const char *p = text.ptr; p < place.ptr; p++) {
        *column += ((unsigned char)*p & 0xC0) != 0x80;
        if (*p == '\n') {
            *line += 1;
            *column = 1;
        }
    }
}
