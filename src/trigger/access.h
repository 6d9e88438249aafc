/* access.h — whether a request may start an endpoint flow: open, basic auth, bearer token, a token in
 * some header or in the query, or a webhook's signature over the bytes as they came. Any one of the
 * flow's rules is enough.
 *
 * Where none is enough the status says why: 503 when a rule's secret is empty (then the server is
 * not set up, and a webhook's sender must try again), 401 with a challenge where credentials would
 * do, 403 for a signature or token that does not fit, 400 for a signature that is missing or malformed. */
#ifndef FLOWLET_ACCESS_H
#define FLOWLET_ACCESS_H

#include "auth/vault.h"
#include "flow/release.h"
#include "net/httpd.h"

#define ACCESS_PAGERDUTY_HEADER "X-PagerDuty-Signature"
#define ACCESS_GITHUB_HEADER "X-Hub-Signature-256"

struct access_verdict {
    bool allowed;
    int status;            /* when not allowed: 400, 401, 403 or 503 */
    const char *challenge; /* for WWW-Authenticate, or NULL; static */
    char reason[200];      /* a sentence for the caller; names no values */
};
/* Needs the complete body where a rule is a signature. */
void access_check(const struct release_flow *flow, const struct vault *vault, const struct httpd_request *rq,
                  struct access_verdict *verdict);
/* Whether any rule needs the body (then check after it is there, else at the head). */
bool access_needs_body(const struct release_flow *flow);

/* What of a request is looked at. */
struct access_parts {
    const struct httpd_field *headers;
    size_t header_count;
    struct str query, body; /* as sent */
};
/* access_check without a request, for tests. */
void access_check_parts(const struct release_flow *flow, const struct vault *vault, const struct access_parts *parts,
                        struct access_verdict *verdict);

#endif
