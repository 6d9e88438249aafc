/* str.c — see str.h. */
#include "base/str.h"

static int lower(int c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

bool str_eq_nocase(struct str a, struct str b) {
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower((unsigned char)a.ptr[i]) != lower((unsigned char)b.ptr[i]))
            return false;
    return true;
}

bool str_starts(struct str s, struct str prefix) { return s.len >= prefix.len && str_eq(str_of(s.ptr, prefix.len), prefix); }

bool str_ends(struct str s, struct str suffix) {
    return s.len >= suffix.len && str_eq(str_of(s.ptr + (s.len - suffix.len), suffix.len), suffix);
}

int str_compare(struct str a, struct str b) {
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

/* FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/). */
uint64_t str_hash(struct str s) {
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (uint8_t)s.ptr[i]) * 1099511628211u;
    return h;
}

struct str str_trim(struct str s) {
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s.ptr++, s.len--;
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

size_t str_find(struct str s, struct str needle) {
    if (needle.len == 0)
        return 0;
    const char *at = s.len ? memmem(s.ptr, s.len, needle.ptr, needle.len) : NULL;
    return at ? (size_t)(at - s.ptr) : SIZE_MAX;
}

size_t str_find_nocase(struct str s, struct str needle) {
    if (needle.len == 0)
        return 0;
    int first = lower((unsigned char)needle.ptr[0]);
    for (size_t i = 0; i + needle.len <= s.len; i++)
        if (lower((unsigned char)s.ptr[i]) == first && str_eq_nocase(str_of(s.ptr + i, needle.len), needle))
            return i;
    return SIZE_MAX;
}

bool str_cut(struct str *rest, char separator, struct str *part) {
    if (!rest->ptr)
        return false;
    const char *at = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
    if (!at) {
        *part = *rest;
        *rest = (struct str){NULL, 0};
        return true;
    }
    size_t n = (size_t)(at - rest->ptr);
    *part = str_of(rest->ptr, n);
    *rest = str_of(at + 1, rest->len - n - 1);
    return true;
}

bool str_to_int64(struct str s, int64_t *out) {
    bool minus = s.len && s.ptr[0] == '-';
    size_t i = minus ? 1 : 0;
    if (i == s.len)
        return false;
    int64_t n = 0;
    for (; i < s.len; i++) {
        int digit = s.ptr[i] - '0';
        if (digit < 0 || digit > 9)
            return false;
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, digit, &n))
            return false;
    }
    if (!minus && n == INT64_MIN)
        return false;
    *out = minus ? n : -n;
    return true;
}

char *str_dup(struct str s) {
    char *p = mem_alloc(s.len + 1);
    if (s.len)
        memcpy(p, s.ptr, s.len);
    return p;
}

bool str_is_utf8(struct str s) {
    const uint8_t *p = (const uint8_t *)s.ptr;
    const uint8_t *end = s.len ? p + s.len : p;
    while (p < end) {
        uint8_t c = *p++;
        if (c < 0x80)
            continue;
        int more = c >= 0xC2 && c <= 0xDF ? 1 : (c & 0xF0) == 0xE0 ? 2 : c >= 0xF0 && c <= 0xF4 ? 3 : 0;
        if (!more || end - p < more)
            return false;
        uint8_t low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
        uint8_t high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
        if (*p < low || *p > high)
            return false;
        for (p++; --more > 0; p++)
            if ((*p & 0xC0) != 0x80)
                return false;
    }
    return true;
}

void hex_write(const void *bytes, size_t len, char *out) {
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i++) {
        *out++ = "0123456789abcdef"[p[i] >> 4];
        *out++ = "0123456789abcdef"[p[i] & 15];
    }
    *out = 0;
}

static int hex_digit(int c) {
    c = lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_parse(struct str s, uint8_t *out) {
    if (s.len % 2)
        return false;
    for (size_t i = 0; i < s.len; i += 2) {
        int high = hex_digit((unsigned char)s.ptr[i]), low = hex_digit((unsigned char)s.ptr[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i / 2] = (uint8_t)(high * 16 + low);
    }
    return true;
}
