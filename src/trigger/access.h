/* access.h — whether a request may start an endpoint flow: open, basic auth, bearer token,
 * or a webhook's signature over the bytes as they came. Any one of the flow's rules is enough.
 *
 *     struct access_request ar = {httpd_header(rq, "Authorization"), httpd_header(rq, ACCESS_PAGERDUTY_HEADER), httpd_body(rq)};
 *     access_check(flow, vault, &ar, &verdict);
 *
 * Where none is enough the status says why: 503 when a rule's secret is empty (then the server is
 * not set up, and a webhook's sender must try again), 401 with a challenge where credentials would
 * do, 403 for a signature that does not fit, 400 for one that is missing or malformed. */
#ifndef FLOWLET_ACCESS_H
#define FLOWLET_ACCESS_H

#include "auth/vault.h"
#include "flow/release.h"

#define ACCESS_PAGERDUTY_HEADER "X-PagerDuty-Signature"

struct access_request {
    struct str authorization, signature; /* the headers' values; {NULL, 0}: not there */
    struct str body;                     /* complete where access_needs_body, else not looked at */
};

struct access_verdict {
    bool allowed;
    int status;            /* when not allowed: 400, 401, 403 or 503 */
    const char *challenge; /* for WWW-Authenticate, or NULL; static */
    char reason[200];      /* a sentence for the caller; names no values */
};
void access_check(const struct release_flow *flow, const struct vault *vault, const struct access_request *rq,
                  struct access_verdict *verdict);
/* Whether any rule needs the body (then check after it is there, else at the head). */
bool access_needs_body(const struct release_flow *flow);

#endif
