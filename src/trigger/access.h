/* access.h — whether a request may start an endpoint flow: open, basic auth, bearer token,
 * or a webhook's signature over the bytes as they came. Any one of the flow's rules is enough.
 *
 * The PagerDuty v3 scheme: X-PagerDuty-Signature: v1=HEX[,v1=HEX...], HMAC-SHA256 of the raw body with
 * the secret's ASCII bytes; any v1 that fits is enough, unknown versions are passed over
 * (https://developer.pagerduty.com/docs/verifying-webhook-signatures). All comparisons take constant time. */
#ifndef FLOWLET_ACCESS_H
#define FLOWLET_ACCESS_H

#include "auth/vault.h"
#include "flow/release.h"
#include "net/httpd.h"

struct access_verdict {
    bool allowed;
    int status;            /* 401, 403, 400 (malformed signature header) or 503 (the secret is empty: says which) */
    const char *challenge; /* for WWW-Authenticate, or NULL; lives as long as the request */
    char reason[200];
};
/* Needs the complete body where a rule is a signature. */
void access_check(const struct release_flow *flow, const struct vault *vault, struct httpd_request *rq,
                  struct access_verdict *verdict);
/* Whether any rule needs the body (then check after it is there, else at the head). */
bool access_needs_body(const struct release_flow *flow);
/* The signature alone, for tests and fuzzing. False: none fits; *malformed when there is no usable v1 entry. */
bool access_pagerduty_signature(struct str header, struct str secret, struct str body, bool *malformed);

#endif
