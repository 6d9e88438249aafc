/* Signature headers of any bytes: a right entry put behind them is always found, and nothing else ever fits. */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/buf.h"
#include "trigger/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str header = str_of(data, size), secret = STR("secret"), body = STR("body");
    uint8_t digest[32];
    char hex[65];
    HMAC(EVP_sha256(), secret.ptr, (int)secret.len, (const uint8_t *)body.ptr, body.len, digest, NULL);
    hex_write(digest, sizeof digest, hex);
    ENSURE(signature_pagerduty_v3(header, secret, body) != SIGNATURE_FITS || str_find(header, STR("v1=")) != SIZE_MAX);
    struct buf more;
    buf_init(&more, size + 100);
    buf_add(&more, header);
    buf_addf(&more, ",v1=%s", hex);
    ENSURE(signature_pagerduty_v3(buf_str(&more), secret, body) == SIGNATURE_FITS);
    buf_release(&more);
    return 0;
}
