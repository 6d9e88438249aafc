/* signature.h — webhook signatures over the bytes as they came.
 *
 * PagerDuty v3: X-PagerDuty-Signature: v1=HEX[,v1=HEX...], HMAC-SHA256 of the raw body with
 * the secret's ASCII bytes; any v1 that fits is enough, unknown versions are passed over
 * (https://developer.pagerduty.com/docs/verifying-webhook-signatures).
 * GitHub: X-Hub-Signature-256: sha256=HEX, HMAC-SHA256 of the raw body
 * (https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries).
 * Comparing takes constant time. Thread: any. */
#ifndef FLOWLET_SIGNATURE_H
#define FLOWLET_SIGNATURE_H

#include "base/str.h"

enum signature_result {
    SIGNATURE_FITS,
    SIGNATURE_WRONG,
    SIGNATURE_MALFORMED, /* no v1 entry, or no sha256=, of 64 hex digits */
};
enum signature_result signature_pagerduty_v3(struct str header, struct str secret, struct str body);
/* "v1=HEX": what the sender writes. */
#define SIGNATURE_TEXT 68
void signature_pagerduty_v3_write(struct str secret, struct str body, char out[SIGNATURE_TEXT]);
enum signature_result signature_github_hmac(struct str header, struct str secret, struct str body);

#endif
