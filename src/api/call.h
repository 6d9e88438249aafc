/* call.h — one request to the API, for the files of the resources.
 *
 *     void api_flows(struct api_call *c) {
 *         struct workspace *w = api_workspace(c);         answers 404 itself
 *         if (w) api_answer(c, 200, json_pack(...));
 *     }
 *
 * Each row's function answers exactly once, then or in a later turn; the call lives in the
 * request's arena until after that. Reading the store:
 *
 *     api_read(c, work);        work(tx, c, err) on a reader's thread fills c->result; then 200 with it
 *
 * A work touches nothing of the request: what it needs is read before, into c->own. */
#ifndef FLOWLET_API_CALL_H
#define FLOWLET_API_CALL_H

#include "api/route.h"
#include "api/server.h"
#include "run/trial.h"

#define API_PARAMETERS_MAX 3

struct stream;

struct api {
    struct api_env env;
    struct httpd *httpd;
    struct api_call *waiting;    /* for news: a list */
    struct api_started *started; /* runs that callers wait for: a list */
    struct stream *streams;      /* of events: a list */
    unsigned stream_count;
    bool closing;
    int64_t started_ms;
};

struct api_call {
    struct api *api;
    struct httpd_request *rq;
    struct arena *arena; /* the request's */
    const struct api_route *route;
    const struct grant *grant;                 /* what its token may; a copy of the call's own. NULL: no token was needed */
    struct str parameters[API_PARAMETERS_MAX]; /* decoded, in the path's order */
    json_t *query, *body;                      /* objects, as their shapes say; borrowed, NULL where the route has none */
    struct workspace *workspace;               /* once api_workspace found it */
    struct str etag;                           /* of what is answered with 200; empty: made of a GET's answer */
    const char *location;                      /* of what was made; NULL: none */
    json_t *result;                            /* what a work collected; owned until it is answered */
    void *own;                                 /* the resource's own, from arena */
    int64_t release_before;                    /* files */
    struct timer timer;                        /* logs */
    int64_t after, until_ms;
    struct api_call *next; /* in api->waiting */
};

/* Parts of what GET /workspaces/{w} tells. */
json_t *api_flows_json(const struct api *a, const struct workspace *w) MUST_USE;
extern const struct shape api_flows_shape, api_settings_shape, api_secrets_shape,
    api_started_shape; /* of their lists; of a run that was started */
/* Starts a run and answers: 202 with its id once it is stored where it is durable; 200 at its end with wait=true in the query.
 * The rest of begin is the caller's to set. start.c */
void api_start(struct api_call *c, struct run_start *begin);
/* 400: the workspace has errors. */
void api_fail_findings(struct api_call *c, const struct findings *findings, const char *outcome);
/* Puts a document into a folder in its canonical text. */
MUST_USE bool api_set_document(struct folder *folder, const char *path, const json_t *document, struct error *err);
json_t *api_settings_json(const struct workspace *w) MUST_USE;
json_t *api_secrets_json(const struct workspace *w) MUST_USE;
/* Rows of home.c that metrics.c answers. */
void api_metrics(struct api_call *c);
void api_healthz(struct api_call *c);
void api_readyz(struct api_call *c);
/* For server.c: callers that wait are answered; what is left is freed. */
void api_logs_release(struct api *a);
void api_started_release(struct api *a);
void api_events_release(struct api *a);
void api_started_close(struct api *a);

/* Takes value. */
void api_answer(struct api_call *c, int status, json_t *value);
void api_answer_text(struct api_call *c, int status, const char *type, struct str text);
void api_fail(struct api_call *c, const struct error *err);
/* The same with more members beside it: takes more. */
void api_fail_with(struct api_call *c, const struct error *err, json_t *more);
/* The same with a status and a field that the error's code does not have. */
void api_problem(struct api_call *c, int status, const struct error *err, json_t *more, struct httpd_field extra);

/* An ETag for this content, in the call's arena. */
struct str api_etag(struct api_call *c, struct str content);
/* That of a GET that answers with this value. Takes value. */
struct str api_etag_json(struct api_call *c, json_t *value);
/* If-Match and If-None-Match against what is there (etag empty: nothing is); false: it was answered 412 or, where the row wants
 * one, 428. */
bool api_may_change(struct api_call *c, struct str etag);

/* What query and body hold, into c; false: it was answered, with every fault and its pointer. request.c */
bool api_read_query(struct api_call *c);
bool api_read_body(struct api_call *c);

/* That of {w}; NULL: it was answered 404. */
struct workspace *api_workspace(struct api_call *c);
/* That has something published; NULL: it was answered 404. */
struct workspace *api_published(struct api_call *c);
/* work gets the call; afterwards 200 with c->result, or the error. */
void api_read(struct api_call *c, store_work_fn *work);
void api_write(struct api_call *c, store_work_fn *work);

/* Cuts answer[list] to the page that the query asks for (API_PAGE_QUERY), by what its items have as `key`, and adds `next`.
 * ERR_INVALID: the query names none of them. */
MUST_USE bool api_page(const struct api_call *c, json_t *answer, const char *list, const char *key, struct error *err);
/* The same, and answers. Takes answer. */
void api_answer_page(struct api_call *c, json_t *answer, const char *list, const char *key);

/* A string, null where s is empty. */
json_t *api_text(struct str s) MUST_USE;

#endif
