/* seal.h — the key file, and what it seals: secrets and journals (libsodium's
 * XChaCha20-Poly1305, https://doc.libsodium.org/secret-key_cryptography/aead).
 *
 * DIR/key (0600, 32 random bytes in hex) is made at the first start. A sealed text is bound to
 * its `context` ("secret/3/l/pagerduty_token"), so that rows cannot be swapped. Thread: any. */
#ifndef FLOWLET_SEAL_H
#define FLOWLET_SEAL_H

#include "base/buf.h"

struct seal_key {
    uint8_t bytes[32];
};

/* Reads DIR/key, or makes it. */
MUST_USE bool seal_key_open(struct seal_key *key, const char *dir, struct error *err);
bool seal(const struct seal_key *key, struct str context, struct str plain, struct buf *out);
/* ERR_CORRUPT when it was not sealed with this key and context. */
MUST_USE bool unseal(const struct seal_key *key, struct str context, struct str sealed, struct buf *out, struct error *err);

#endif
