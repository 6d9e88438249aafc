/* server.h — the console's listener: the REST API under /api/v1, metrics, health, a page for browsers.
 *
 *     a = api_open(&env, err);
 *     ... api_release_waiting(a); httpd_drain(api_httpd(a), done, arg) ...
 *     api_close(a);
 *
 * The rows of route.h say what there is and who may use it. What is under /api/v1 wants
 * "Authorization: Bearer TOKEN". Errors are problem+json (RFC 9457) with `code`, a name of
 * base/errors.def; faults of query and body are listed in `errors`, each with its pointer.
 * Thread: the loop's. */
#ifndef FLOWLET_API_SERVER_H
#define FLOWLET_API_SERVER_H

#include "auth/tokens.h"
#include "net/httpd.h"
#include "run/runs.h"
#include "trigger/endpoints.h"
#include "trigger/schedules.h"

/* All borrowed, and outlive the API. */
struct api_env {
    struct loop *loop;
    struct store *store;
    struct workspaces *workspaces;
    struct runs *runs;
    struct pool *pool;
    struct endpoints *endpoints;
    struct schedules *schedules;
    struct tokens *tokens;
    const struct seal_key *key;
    const char *public_url; /* "http://127.0.0.1:8080": where the endpoints answer */
    struct httpd_options listen;
};

struct api;
struct api *api_open(const struct api_env *env, struct error *err) MUST_USE;
struct httpd *api_httpd(struct api *a);
/* Answers those that wait for news (logs) or for a run's end, so that the listener can be drained; from then on nobody waits. */
void api_release_waiting(struct api *a);
/* After httpd_drain, or when all requests were answered, and after the runs were closed. Takes NULL. */
void api_close(struct api *a);

#endif
