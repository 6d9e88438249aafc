/* token.c — see token.h. */
#include "auth/token.h"

#include <sodium.h>

#include "base/clock.h"

#define LENGTH_MIN 20

static void hash(struct str text, uint8_t out[32]) { crypto_generichash(out, 32, (const uint8_t *)text.ptr, text.len, NULL, 0); }

static void path_write(const char *dir, struct buf *out) {
    buf_init(out, 4096);
    buf_addf(out, "%s/token", dir);
}

bool token_read(const char *dir, struct buf *out, struct error *err) {
    struct buf path;
    path_write(dir, &path);
    bool ok = file_read(path.ptr, out, err);
    while (ok && out->len && strchr(" \t\r\n", out->ptr[out->len - 1]))
        out->ptr[--out->len] = 0;
    if (ok && out->len < LENGTH_MIN)
        ok = error_set(err, ERR_INVALID, "%s is shorter than %d characters: remove it, the next start makes a new one", path.ptr,
                       LENGTH_MIN);
    buf_release(&path);
    return ok;
}

struct token token_of(struct str text) {
    struct token t;
    hash(text, t.hash);
    return t;
}

void token_make(char text[TOKEN_TEXT_MAX], struct token *t) {
    uint8_t bytes[32];
    random_bytes(bytes, sizeof bytes);
    memcpy(text, "flw_", 5);
    sodium_bin2base64(text + 4, TOKEN_TEXT_MAX - 4, bytes, sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    *t = token_of(str_from(text));
}

static bool make(const char *dir, struct buf *out, struct error *err) {
    struct buf path;
    char text[TOKEN_TEXT_MAX];
    struct token t;
    token_make(text, &t);
    path_write(dir, &path);
    buf_addf(out, "%s\n", text);
    bool ok = file_write(path.ptr, buf_str(out), 0600, err);
    if (ok)
        out->ptr[--out->len] = 0;
    buf_release(&path);
    return ok;
}

bool token_open(struct token *t, const char *dir, struct error *err) {
    struct buf text;
    ENSURE(sodium_init() >= 0);
    buf_init(&text, 1024);
    bool ok = token_read(dir, &text, err) || (err->code == ERR_NOT_FOUND && make(dir, &text, err));
    if (ok)
        hash(buf_str(&text), t->hash);
    sodium_memzero(text.ptr, text.len);
    buf_release(&text);
    return ok;
}

bool token_equals(const struct token *t, struct str given) {
    uint8_t other[32];
    hash(given, other);
    return sodium_memcmp(other, t->hash, sizeof other) == 0;
}
