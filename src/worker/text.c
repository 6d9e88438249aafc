/* text.c — see text.h. Most text is ASCII: blocks of it are tested and copied in loops of fixed length, which the
 * compiler turns into vector instructions. */
#include "worker/text.h"

#define BLOCK 32
#define REPLACEMENT 0xFFFD

static bool widen_block(const uint8_t *in, uint16_t *out) {
    uint8_t all = 0;
    for (int i = 0; i < BLOCK; i++)
        all |= in[i];
    if (all & 0x80)
        return false;
    for (int i = 0; i < BLOCK; i++)
        out[i] = in[i];
    return true;
}

static bool narrow_block(const uint16_t *in, char *out) {
    uint16_t all = 0;
    for (int i = 0; i < BLOCK; i++)
        all |= in[i];
    if (all & 0xFF80)
        return false;
    for (int i = 0; i < BLOCK; i++)
        out[i] = (char)in[i];
    return true;
}

/* One character that is not ASCII. Returns the bytes it took; *c is REPLACEMENT where they are not well-formed
 * (Unicode 15, table 3-7). */
static size_t decode(const uint8_t *s, size_t n, uint32_t *c, bool *well_formed) {
    uint8_t first = s[0], low = 0x80, high = 0xBF;
    size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1, i = 1;
    if (first == 0xE0)
        low = 0xA0;
    if (first == 0xED)
        high = 0x9F;
    if (first == 0xF0)
        low = 0x90;
    if (first == 0xF4)
        high = 0x8F;
    uint32_t value = first & (0x3F >> more);
    if (first >= 0xC2 && first <= 0xF4)
        for (; i <= more && i < n && s[i] >= low && s[i] <= high; i++) {
            value = value << 6 | (s[i] & 0x3F);
            low = 0x80;
            high = 0xBF;
        }
    if (i <= more) {
        *well_formed = false;
        value = REPLACEMENT;
    }
    *c = value;
    return i;
}

size_t text_to_utf16(struct str s, uint16_t *out, bool *well_formed) {
    const uint8_t *in = (const uint8_t *)s.ptr, *end = in + s.len;
    uint16_t *at = out;
    *well_formed = true;
    while (in < end) {
        if (end - in >= BLOCK && widen_block(in, at)) {
            in += BLOCK;
            at += BLOCK;
            continue;
        }
        const uint8_t *stop = end - in >= BLOCK ? in + BLOCK : end;
        while (in < stop) {
            if (*in < 0x80) {
                *at++ = *in++;
                continue;
            }
            uint32_t c;
            in += decode(in, (size_t)(end - in), &c, well_formed);
            if (c >= 0x10000) {
                *at++ = (uint16_t)(0xD7C0 + (c >> 10));
                *at++ = (uint16_t)(0xDC00 | (c & 0x3FF));
            } else {
                *at++ = (uint16_t)c;
            }
        }
    }
    return (size_t)(at - out);
}

/* The next character; a surrogate without its other half is REPLACEMENT. */
static uint32_t take(const uint16_t **in, const uint16_t *end) {
    uint32_t c = *(*in)++;
    if ((c & 0xF800) != 0xD800)
        return c;
    if (c < 0xDC00 && *in < end && (**in & 0xFC00) == 0xDC00)
        return 0x10000 + ((c & 0x3FF) << 10) + (*(*in)++ & 0x3FFu);
    return REPLACEMENT;
}

size_t text_to_utf8(const uint16_t *in, size_t len, char *out) {
    const uint16_t *end = in + len;
    char *at = out;
    while (in < end) {
        if (end - in >= BLOCK && narrow_block(in, at)) {
            in += BLOCK;
            at += BLOCK;
            continue;
        }
        const uint16_t *stop = end - in >= BLOCK ? in + BLOCK : end;
        while (in < stop) {
            if (*in < 0x80) {
                *at++ = (char)*in++;
                continue;
            }
            uint32_t c = take(&in, end);
            if (c < 0x800) {
                *at++ = (char)(0xC0 | c >> 6);
            } else if (c < 0x10000) {
                *at++ = (char)(0xE0 | c >> 12);
                *at++ = (char)(0x80 | (c >> 6 & 0x3F));
            } else {
                *at++ = (char)(0xF0 | c >> 18);
                *at++ = (char)(0x80 | (c >> 12 & 0x3F));
                *at++ = (char)(0x80 | (c >> 6 & 0x3F));
            }
            *at++ = (char)(0x80 | (c & 0x3F));
        }
    }
    return (size_t)(at - out);
}

size_t text_utf8_size(const uint16_t *in, size_t len) {
    size_t size = 0;
    for (const uint16_t *end = in + len; in < end;) {
        uint32_t c = take(&in, end);
        size += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    }
    return size;
}
