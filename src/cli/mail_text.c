/* mail_text.c — see mail_text.h. */
#include "cli/mail_text.h"

#define DEPTH_MAX 5

/* The value of the first field of that name in a head, still folded; empty where there is none. */
static struct str find_field(struct str head, const char *name) {
    struct str rest = head, line, found = {"", 0};
    size_t n = strlen(name);
    while (str_cut(&rest, '\n', &line)) {
        bool folded = line.len && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
        if (folded && found.len)
            found.len = (size_t)(line.ptr + line.len - found.ptr);
        else if (found.len)
            break;
        else if (line.len > n && line.ptr[n] == ':' && str_eq_nocase(str_of(line.ptr, n), str_of(name, n)))
            found = str_of(line.ptr + n + 1, line.len - n - 1);
    }
    return found;
}

static void decode_quoted(struct str text, char escape, bool underscore, struct buf *out) {
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte;
        if (text.ptr[i] == escape && text.len - i > 2 && hex_parse(str_of(text.ptr + i + 1, 2), &byte)) {
            buf_addc(out, (char)byte);
            i += 2;
        } else if (text.ptr[i] == escape && text.len - i > 1 && (text.ptr[i + 1] == '\r' || text.ptr[i + 1] == '\n')) {
            i += text.ptr[i + 1] == '\r' && text.len - i > 2 ? 2 : 1; /* a soft line break */
        } else {
            buf_addc(out, underscore && text.ptr[i] == '_' ? ' ' : text.ptr[i]);
        }
    }
}

static void decode_base64(struct str text, struct buf *out) {
    struct buf compact;
    buf_init(&compact, text.len);
    for (size_t i = 0; i < text.len; i++)
        if (!strchr(" \t\r\n", text.ptr[i]))
            buf_addc(&compact, text.ptr[i]);
    if (!buf_add_base64_decoded(out, buf_str(&compact)))
        buf_add(out, text);
    buf_release(&compact);
}

/* "=?UTF-8?B?...?=" at the front (RFC 2047); moves behind it. */
static bool take_word(struct str *text, struct buf *out) {
    struct str rest = *text, charset, encoding, content;
    if (!str_starts(rest, STR("=?")))
        return false;
    rest = str_of(rest.ptr + 2, rest.len - 2);
    if (!str_cut(&rest, '?', &charset) || !str_cut(&rest, '?', &encoding) || !str_cut(&rest, '?', &content) ||
        !str_starts(rest, STR("=")) || !str_eq_nocase(charset, STR("utf-8")))
        return false;
    if (str_eq_nocase(encoding, STR("b")))
        decode_base64(content, out);
    else
        decode_quoted(content, '=', true, out);
    *text = str_of(rest.ptr + 1, rest.len - 1);
    return true;
}

static void decode_header(struct str value, struct buf *out) {
    struct str rest = str_trim(value);
    bool after_word = false;
    while (rest.len) {
        size_t blank = 0;
        while (blank < rest.len && strchr(" \t\r\n", rest.ptr[blank]))
            blank++;
        struct str next = str_of(rest.ptr + blank, rest.len - blank);
        if (blank && !(after_word && str_starts(next, STR("=?"))) && next.len)
            buf_addc(out, ' ');
        rest = next;
        after_word = take_word(&rest, out);
        if (!after_word && rest.len) {
            size_t n = 1;
            while (n < rest.len && !strchr(" \t\r\n", rest.ptr[n]) && !str_starts(str_of(rest.ptr + n, rest.len - n), STR("=?")))
                n++;
            buf_add(out, str_of(rest.ptr, n));
            rest = str_of(rest.ptr + n, rest.len - n);
        }
    }
}

static void split_head(struct str message, struct str *head, struct str *body) {
    size_t at = str_find(message, STR("\n\r\n")), size = 3, lf = str_find(message, STR("\n\n"));
    if (lf < at) {
        at = lf;
        size = 2;
    }
    *head = at == SIZE_MAX ? message : str_of(message.ptr, at + 1);
    *body = at == SIZE_MAX ? str_of("", 0) : str_of(message.ptr + at + size, message.len - at - size);
}

static bool boundary_of(struct str type, struct str *boundary) {
    size_t at = str_find(type, STR("boundary="));
    if (at == SIZE_MAX)
        return false;
    struct str rest = str_of(type.ptr + at + 9, type.len - at - 9);
    if (str_starts(rest, STR("\""))) {
        rest = str_of(rest.ptr + 1, rest.len - 1);
        return str_cut(&rest, '"', boundary) && boundary->len > 0;
    }
    size_t n = 0;
    while (n < rest.len && !strchr("; \t\r\n", rest.ptr[n]))
        n++;
    *boundary = str_of(rest.ptr, n);
    return n > 0;
}

static bool starts_nocase(struct str s, const char *prefix) {
    size_t n = strlen(prefix);
    return s.len >= n && str_eq_nocase(str_of(s.ptr, n), str_of(prefix, n));
}

/* Writes the part of this type ("text/plain") that stands first in the part or below it. */
static bool write_part(struct str part, const char *wanted, int depth, struct buf *out) {
    struct str head, body, boundary, found = {NULL, 0};
    split_head(part, &head, &body);
    struct str type = str_trim(find_field(head, "Content-Type")),
               encoding = str_trim(find_field(head, "Content-Transfer-Encoding"));
    if (starts_nocase(type, "multipart/") && boundary_of(type, &boundary) && depth < DEPTH_MAX) {
        char mark[80];
        snprintf(mark, sizeof mark, "--" STR_FMT, STR_ARG(boundary));
        for (size_t at; (at = str_find(body, str_from(mark))) != SIZE_MAX;) {
            found = found.ptr ? str_of(found.ptr, (size_t)(body.ptr + at - found.ptr)) : found;
            if (found.ptr && write_part(found, wanted, depth + 1, out))
                return true;
            body = str_of(body.ptr + at + strlen(mark), body.len - at - strlen(mark));
            found = body;
        }
        return false;
    }
    if (!starts_nocase(type, wanted) && !(type.len == 0 && strcmp(wanted, "text/plain") == 0))
        return false;
    struct buf text;
    buf_init(&text, out->max);
    if (starts_nocase(encoding, "base64"))
        decode_base64(body, &text);
    else if (starts_nocase(encoding, "quoted-printable"))
        decode_quoted(body, '=', false, &text);
    else
        buf_add(&text, body);
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '\r')
            buf_addc(out, text.ptr[i]);
    buf_release(&text);
    return true;
}

void mail_text(struct str message, struct buf *out) {
    static const char *const shown[] = {"From", "To", "Cc", "Subject"};
    struct str head, body;
    split_head(message, &head, &body);
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        struct str value = find_field(head, shown[i]);
        if (!value.len)
            continue;
        buf_addf(out, "%s: ", shown[i]);
        decode_header(value, out);
        buf_addc(out, '\n');
    }
    buf_addc(out, '\n');
    if (!write_part(message, "text/plain", 0, out) && !write_part(message, "text/html", 0, out))
        buf_add(out, body);
}
