/* signature.c — see signature.h. */
#include "trigger/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define DIGEST_SIZE 32

enum signature_result signature_pagerduty_v3(struct str header, struct str secret, struct str body) {
    uint8_t expected[DIGEST_SIZE], given[DIGEST_SIZE];
    unsigned size = sizeof expected;
    const uint8_t *bytes = (const uint8_t *)(body.len ? body.ptr : "");
    ENSURE(HMAC(EVP_sha256(), secret.len ? secret.ptr : "", (int)secret.len, bytes, body.len, expected, &size));
    enum signature_result result = SIGNATURE_MALFORMED;
    struct str entry, version;
    while (str_cut(&header, ',', &entry)) {
        entry = str_trim(entry);
        if (!str_cut(&entry, '=', &version) || !str_is(version, "v1") || entry.len != 2 * DIGEST_SIZE || !hex_parse(entry, given))
            continue;
        if (CRYPTO_memcmp(given, expected, DIGEST_SIZE) == 0)
            result = SIGNATURE_FITS;
        else if (result == SIGNATURE_MALFORMED)
            result = SIGNATURE_WRONG;
    }
    return result;
}
