/* httpd_head.c — see httpd_head.h. */
#include "net/httpd_head.h"

#include <microhttpd.h>

/* RFC 9110, 5.6.2. */
bool httpd_is_token(struct str s) {
    static const bool also[256] = {
        ['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true, ['\''] = true, ['*'] = true, ['+'] = true,
        ['-'] = true, ['.'] = true, ['^'] = true, ['_'] = true, ['`'] = true, ['|'] = true,  ['~'] = true};
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!alnum && !also[(uint8_t)c])
            return false;
    }
    return s.len > 0;
}

bool httpd_is_value(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (((uint8_t)s.ptr[i] < 0x20 && s.ptr[i] != '\t') || s.ptr[i] == 0x7f)
            return false;
    return true;
}

/* libmicrohttpd 0.9.75 reads a value up to its first NUL, joins folded lines and takes a bare LF as a line's end, and
 * none of it shows in what it hands over. But it parses in place: when each line stands where the one before it ends,
 * with a CRLF between (by now two NULs), it was none of these. (Left over: a NUL in a CR's place,
 * and at the head's end a lone colon; neither changes what the rest means.) Later versions refuse by themselves. */
static bool is_as_sent(const struct httpd_head *h) {
    if (MHD_VERSION >= 0x00097600)
        return true;
    const char *end = h->method.ptr + h->method.len + 1;
    if (h->target.ptr != end)
        return false;
    end += h->target.len + 1;
    if (h->version.ptr != end)
        return false;
    end += h->version.len;
    for (size_t i = 0; i < h->field_count; i++) {
        struct httpd_field f = h->fields[i];
        if (f.name.ptr != end + 2 || end[0] || end[1])
            return false;
        end = f.name.ptr + f.name.len + 1;
        while (*end == ' ' || *end == '\t')
            end++;
        if (f.value.ptr != end)
            return false;
        end += f.value.len;
    }
    return h->method.ptr + h->size == end + 4 && memcmp(end, "\0\0\0", 4) == 0;
}

static bool is_target(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.ptr[i] <= 0x20 || s.ptr[i] == 0x7f)
            return false;
    return s.len && (s.ptr[0] == '/' || str_is(s, "*"));
}

/* RFC 9110, 7.2: whatever else is in there, it must not read as another host for somebody else. */
static bool is_host(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (strchr(" \t/\\@,?#", s.ptr[i]))
            return false;
    return true;
}

int httpd_check_head(const struct httpd_head *h, const char **why) {
    bool old = str_is(h->version, "HTTP/1.0");
    size_t hosts = 0, lengths = 0, codings = 0;
    *why = "The request line is malformed.";
    if (!httpd_is_token(h->method) || h->method.len > 32 || !is_target(h->path))
        return 400;
    *why = "The request has a folded or badly ended line, or a NUL.";
    if (!is_as_sent(h))
        return 400;
    for (size_t i = 0; i < h->field_count; i++) {
        struct httpd_field f = h->fields[i];
        *why = "A header is malformed.";
        if (!httpd_is_token(f.name) || !httpd_is_value(f.value))
            return 400;
        if (str_eq_nocase(f.name, STR("host"))) {
            hosts++;
            if (!is_host(str_trim(f.value)))
                return 400;
        } else if (str_eq_nocase(f.name, STR("content-length"))) {
            lengths++;
        } else if (str_eq_nocase(f.name, STR("transfer-encoding"))) {
            codings++;
            *why = "The only Transfer-Encoding known here is chunked.";
            if (!str_eq_nocase(f.value, STR("chunked")))
                return 501;
        }
    }
    *why = "A request needs one Host header.";
    if (hosts > 1 || (!old && !hosts))
        return 400;
    *why = "The request's length is ambiguous: Content-Length or Transfer-Encoding, once.";
    if (lengths + codings > 1 || (old && codings))
        return 400;
    return 0;
}
