/* seal.c — see seal.h. Sealed: 24 random bytes (the nonce), then the ciphertext with its tag. */
#include "auth/seal.h"

#include <sodium.h>

#include "base/clock.h"

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG crypto_aead_xchacha20poly1305_ietf_ABYTES
_Static_assert(sizeof((struct seal_key *)0)->bytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "the cipher's key size");

static bool key_make(struct seal_key *key, const char *path, struct error *err) {
    char hex[sizeof key->bytes * 2 + 2];
    random_bytes(key->bytes, sizeof key->bytes);
    hex_write(key->bytes, sizeof key->bytes, hex);
    hex[sizeof hex - 2] = '\n';
    bool ok = file_write(path, str_of(hex, sizeof hex - 1), 0600, err);
    sodium_memzero(hex, sizeof hex);
    return ok;
}

bool seal_key_open(struct seal_key *key, const char *dir, struct error *err) {
    struct buf path, hex;
    bool ok = false;
    ENSURE(sodium_init() >= 0);
    buf_init(&path, 4096);
    buf_init(&hex, 256);
    buf_addf(&path, "%s/key", dir);
    if (!file_read(path.ptr, &hex, err)) {
        ok = err->code == ERR_NOT_FOUND && key_make(key, path.ptr, err);
        goto out;
    }
    struct str text = str_trim(buf_str(&hex));
    if (text.len && text.ptr[text.len - 1] == '\n')
        text.len--;
    if (text.len != sizeof key->bytes * 2 || !hex_parse(text, key->bytes))
        error_set(err, ERR_CORRUPT, "%s holds no key (64 hex digits): put back its backup, without it secrets cannot be read",
                  path.ptr);
    else
        ok = true;
out:
    sodium_memzero(hex.ptr, hex.len);
    buf_release(&hex);
    buf_release(&path);
    return ok;
}

bool seal(const struct seal_key *key, struct str context, struct str plain, struct buf *out) {
    uint8_t *at = (uint8_t *)buf_room(out, NONCE + plain.len + TAG);
    if (!at)
        return false;
    random_bytes(at, NONCE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(at + NONCE, NULL, (const uint8_t *)plain.ptr, plain.len,
                                               (const uint8_t *)context.ptr, context.len, NULL, at, key->bytes);
    out->len += NONCE + plain.len + TAG;
    out->ptr[out->len] = 0;
    return true;
}

bool unseal(const struct seal_key *key, struct str context, struct str sealed, struct buf *out, struct error *err) {
    if (sealed.len < NONCE + TAG)
        return error_set(err, ERR_CORRUPT, "sealed data is cut short");
    size_t size = sealed.len - NONCE - TAG;
    uint8_t *at = (uint8_t *)buf_room(out, size);
    const uint8_t *bytes = (const uint8_t *)sealed.ptr;
    if (!at)
        return error_set(err, ERR_TOO_LARGE, "sealed data is larger than %zu bytes", out->max);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(at, NULL, NULL, bytes + NONCE, sealed.len - NONCE,
                                                   (const uint8_t *)context.ptr, context.len, bytes, key->bytes) != 0)
        return error_set(err, ERR_CORRUPT, "sealed data was changed, or sealed with another key: put back the key file of then");
    out->len += size;
    out->ptr[out->len] = 0;
    return true;
}
