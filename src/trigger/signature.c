/* signature.c — see signature.h. */
#include "trigger/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define DIGEST_SIZE 32

static void digest_of(struct str secret, struct str body, uint8_t out[DIGEST_SIZE]) {
    unsigned size = DIGEST_SIZE;
    const uint8_t *bytes = (const uint8_t *)(body.len ? body.ptr : "");
    ENSURE(HMAC(EVP_sha256(), secret.len ? secret.ptr : "", (int)secret.len, bytes, body.len, out, &size));
}

/* entry: "NAME=HEX" */
static enum signature_result check_entry(struct str entry, const char *name, const uint8_t expected[DIGEST_SIZE]) {
    uint8_t given[DIGEST_SIZE];
    struct str version;
    if (!str_cut(&entry, '=', &version) || !str_is(version, name) || entry.len != 2 * DIGEST_SIZE || !hex_parse(entry, given))
        return SIGNATURE_MALFORMED;
    return CRYPTO_memcmp(given, expected, DIGEST_SIZE) == 0 ? SIGNATURE_FITS : SIGNATURE_WRONG;
}

void signature_pagerduty_v3_write(struct str secret, struct str body, char out[SIGNATURE_TEXT]) {
    uint8_t digest[DIGEST_SIZE];
    digest_of(secret, body, digest);
    memcpy(out, "v1=", 3);
    hex_write(digest, sizeof digest, out + 3);
}

enum signature_result signature_pagerduty_v3(struct str header, struct str secret, struct str body) {
    uint8_t expected[DIGEST_SIZE];
    enum signature_result result = SIGNATURE_MALFORMED;
    struct str entry;
    digest_of(secret, body, expected);
    while (str_cut(&header, ',', &entry)) {
        enum signature_result one = check_entry(str_trim(entry), "v1", expected);
        if (one == SIGNATURE_FITS || result == SIGNATURE_MALFORMED)
            result = one;
    }
    return result;
}

enum signature_result signature_github_hmac(struct str header, struct str secret, struct str body) {
    uint8_t expected[DIGEST_SIZE];
    digest_of(secret, body, expected);
    return check_entry(str_trim(header), "sha256", expected);
}
