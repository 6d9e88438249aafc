/* buf.h — owned bytes that grow up to a maximum.
 *
 *     struct buf b;
 *     buf_init(&b, 64 * 1024);
 *     buf_adds(&b, "a="); buf_addf(&b, "%d", a);
 *     if (!buf_ok(&b)) ...            one check after many adds
 *     buf_release(&b);
 *
 * ptr is never NULL and always NUL-ended. An add that would pass the maximum adds
 * nothing and marks the buffer; all later adds do nothing, so that the text is
 * never one with a hole. */
#ifndef FLOWLET_BUF_H
#define FLOWLET_BUF_H

#include "base/error.h"
#include "base/str.h"

struct buf {
    char *ptr;
    size_t len, cap, max; /* bytes, without the NUL */
    bool over;            /* something did not fit */
};

void buf_init(struct buf *b, size_t max_bytes);
void buf_release(struct buf *b); /* may be called twice */
void buf_clear(struct buf *b);   /* empty again, keeps the memory, forgets `over` */
bool buf_add(struct buf *b, struct str s);
bool buf_adds(struct buf *b, const char *text);
bool buf_addc(struct buf *b, char c);
bool buf_add_int(struct buf *b, int64_t n);
bool buf_addf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
/* Room for n more bytes to be written at ptr + len by the caller, who then adds to len; NULL when past the maximum. */
char *buf_room(struct buf *b, size_t n);
/* Text as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. */
bool buf_add_json_string(struct buf *b, struct str s);
/* Standard base64 with padding (RFC 4648, section 4). */
bool buf_add_base64(struct buf *b, struct str s);
/* Decodes the same; false (and b unchanged) when s is not base64 or does not fit. */
bool buf_add_base64_decoded(struct buf *b, struct str s);
void buf_drop_front(struct buf *b, size_t n);
char *buf_take(struct buf *b) MUST_USE; /* the bytes, to be freed by the caller; b is empty */
static inline struct str buf_str(const struct buf *b) { return (struct str){b->ptr, b->len}; }
static inline bool buf_ok(const struct buf *b) { return !b->over; }

/* A whole file. Fails with ERR_TOO_LARGE past max_bytes, ERR_NOT_FOUND where there is none. */
MUST_USE bool file_read(const char *path, struct buf *out, struct error *err);
/* Writes to PATH.new, syncs and renames, so that the file is never half there. mode as for open(). */
MUST_USE bool file_write(const char *path, struct str content, int mode, struct error *err);

#endif
