/* api.h — the console's listener: the REST API under /api/v1, metrics and health.
 *
 * Everything under /api/v1 wants the token of DIR/token as Bearer; /healthz, /readyz and /metrics do not.
 * Errors are problem+json (RFC 9457) with the code names of base/errors.def. Thread: the loop's. */
#ifndef FLOWLET_API_H
#define FLOWLET_API_H

#include "auth/token.h"
#include "net/httpd.h"
#include "run/runs.h"
#include "trigger/endpoints.h"
#include "trigger/schedules.h"

/* All borrowed; all outlive the API. */
struct api_env {
    struct loop *loop;
    struct store *store;
    struct pool *pool;
    struct workspaces *workspaces;
    struct runs *runs;
    struct endpoints *endpoints;
    const struct schedules *schedules;
    const struct token *token;
    struct httpd_options listen;
};

struct api;
struct api *api_open(const struct api_env *env, struct error *err);
struct httpd *api_httpd(struct api *a);
void api_close(struct api *a); /* takes NULL */

#endif
