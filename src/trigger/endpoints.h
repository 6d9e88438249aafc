/* endpoints.h — the public listener: each request is routed, checked, and becomes a run.
 *
 *     e = endpoints_open(&env, err);
 *     endpoints_changed(e, workspace);      after each publish or change of mode
 *
 * Which workspace answers is said by the host name: the one that has it among its `hosts`, else the first
 * that has no `hosts`. What is refused here is answered as problem+json (RFC 9457): 400, 401, 403, 404, 405 with Allow,
 * 413, 429 and 503 with Retry-After; an endpoint that has not answered after a minute gives 504, and its run
 * goes on if it is durable. Thread: the loop's. */
#ifndef FLOWLET_ENDPOINTS_H
#define FLOWLET_ENDPOINTS_H

#include "net/httpd.h"
#include "run/runs.h"
#include "trigger/proxy.h"

#define ENDPOINT_ANSWER_MS (60 * 1000)

struct endpoints_env {
    struct loop *loop;
    struct runs *runs;
    struct store *store;
    const struct seal_key *key;
    struct workspaces *workspaces;
    const struct proxies *proxies; /* borrowed */
    struct httpd_options listen;
};

struct endpoints;
struct endpoints *endpoints_open(const struct endpoints_env *env, struct error *err);
struct httpd *endpoints_httpd(struct endpoints *e);
/* The flow that answers such a request of this workspace, whatever its access and limits. False: none does. */
struct router_match;
MUST_USE bool endpoints_match(const struct endpoints *e, const struct workspace *w, struct str method, struct str path,
                              struct arena *arena, struct router_match *match);
void endpoints_changed(struct endpoints *e, const struct workspace *w);
/* After httpd_drain, or when all requests were answered. Takes NULL. */
void endpoints_close(struct endpoints *e);

struct endpoints_counts {
    uint64_t requests, answers[6]; /* answers[2]: those with 2xx */
    uint64_t seconds_bucket[9];    /* answers that took up to 1, 5, 25, 100, 500, 1000, 5000, 10000 ms, longer */
    double seconds_sum;
};
struct endpoints_counts endpoints_counts(const struct endpoints *e);

#endif
