/* str.h — borrowed bytes: a pointer and a length, not NUL-ended.
 *
 * A str owns nothing and lives no longer than what it points into. Parsers take
 * a `struct str *` cursor and move it only on success. */
#ifndef FLOWLET_STR_H
#define FLOWLET_STR_H

#include "base/base.h"

struct str {
    const char *ptr; /* borrowed; may be NULL when len is 0 */
    size_t len;      /* bytes */
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)((s).len > 4096 ? 4096 : (s).len), (s).ptr ? (s).ptr : ""

static inline struct str str_from(const char *text) { return text ? (struct str){text, strlen(text)} : (struct str){NULL, 0}; }
static inline struct str str_of(const void *ptr, size_t len) { return (struct str){(const char *)ptr, len}; }
static inline bool str_eq(struct str a, struct str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
static inline bool str_is(struct str a, const char *text) { return str_eq(a, str_from(text)); }

bool str_eq_nocase(struct str a, struct str b); /* ASCII letters only */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
int str_compare(struct str a, struct str b); /* bytewise, as memcmp */
uint64_t str_hash(struct str s);
struct str str_trim(struct str s); /* without spaces and tabs at both ends */
/* The first place of needle in s, or SIZE_MAX. */
size_t str_find(struct str s, struct str needle);
size_t str_find_nocase(struct str s, struct str needle); /* ASCII letters in either case */
/* Takes what stands before `separator` off *rest (all of it where there is none,
 * then *rest becomes {NULL, 0}). False when *rest is already {NULL, 0}. */
bool str_cut(struct str *rest, char separator, struct str *part);
/* The whole of s as a decimal number, optional minus; false when it is none or does not fit. */
MUST_USE bool str_to_int64(struct str s, int64_t *out);
/* A NUL-ended copy; free() it. */
char *str_dup(struct str s) MUST_USE;
bool str_is_utf8(struct str s); /* well-formed per Unicode 15 table 3-7 */
/* Bytes as lower-case hex into out (2 * len + 1 chars, NUL-ended). */
void hex_write(const void *bytes, size_t len, char *out);
/* Hex of either case into out (s.len / 2 bytes); false when s is no hex of even length. */
MUST_USE bool hex_parse(struct str s, uint8_t *out);

#endif
