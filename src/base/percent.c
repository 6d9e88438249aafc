/* percent.c — see percent.h. */
#include "base/percent.h"

static bool decode(struct str raw, bool plus_is_space, struct arena *arena, struct str *out) {
    *out = raw;
    if (raw.len && (memchr(raw.ptr, '%', raw.len) || (plus_is_space && memchr(raw.ptr, '+', raw.len)))) {
        char *text = arena_alloc(arena, raw.len);
        size_t n = 0;
        for (size_t i = 0; i < raw.len; i++) {
            text[n] = plus_is_space && raw.ptr[i] == '+' ? ' ' : raw.ptr[i];
            if (raw.ptr[i] == '%') {
                if (raw.len - i < 3 || !hex_parse(str_of(raw.ptr + i + 1, 2), (uint8_t *)&text[n]))
                    return false;
                i += 2;
            }
            n++;
        }
        *out = str_of(text, n);
    }
    return !(out->len && memchr(out->ptr, 0, out->len)) && str_is_utf8(*out);
}

bool percent_decode(struct str raw, struct arena *arena, struct str *out) { return decode(raw, false, arena, out); }

bool query_decode(struct str raw, struct arena *arena, struct str *out) { return decode(raw, true, arena, out); }

bool query_find(struct str query, struct str name, struct arena *arena, struct str *out) {
    struct str pair, raw, key, value;
    while (str_cut(&query, '&', &pair)) {
        if (str_cut(&pair, '=', &raw) && decode(raw, true, arena, &key) && str_eq(key, name) &&
            decode(pair, true, arena, &value)) {
            *out = value;
            return true;
        }
    }
    return false;
}
