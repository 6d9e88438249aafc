/* call.h — one request to the API, for the files of the resources.
 *
 *     void api_flows(struct api_call *c) {
 *         struct workspace *w = api_workspace(c);         answers 404 itself
 *         if (w) api_answer(c, 200, json_pack(...));
 *     }
 *
 * Each function of routes.def answers exactly once, then or in a later turn; the call lives in the
 * request's arena until after that. Reading the store:
 *
 *     api_read(c, work);        work(tx, c, err) on a reader's thread fills c->result; then 200 with it
 *
 * A work touches nothing of the request: what it needs is read before, into c->own. */
#ifndef FLOWLET_API_CALL_H
#define FLOWLET_API_CALL_H

#include "api/server.h"

#define API_PARAMETERS_MAX 2
#define API_BODY_MAX ((size_t)24 * 1024 * 1024) /* a folder of 16 MB as JSON */

struct api_call;
struct stream;
struct api_route {
    const char *method, *path;
    enum { ANYONE, TOKEN } who;
    void (*run)(struct api_call *c);
    const char *query, *body; /* names with blanks between */
};

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
    struct str parameters[API_PARAMETERS_MAX]; /* decoded, in the path's order */
    json_t *body;                              /* an object; borrowed, NULL where the route has none */
    struct workspace *workspace;               /* once api_workspace found it */
    json_t *result;                            /* what a work collected; owned until it is answered */
    void *own;                                 /* the resource's own, from arena */
    int64_t release_before;                    /* files */
    struct timer timer;                        /* logs */
    int64_t after, until_ms;
    struct api_call *next; /* in api->waiting */
};

/* Parts of what GET /workspaces/{w} tells. */
json_t *api_flows_json(const struct api *a, const struct workspace *w) MUST_USE;
json_t *api_secrets_json(const struct workspace *w) MUST_USE;
/* For server.c: callers that wait are answered; what is left is freed. */
void api_logs_release(struct api *a);
void api_flows_release(struct api *a);
void api_events_release(struct api *a);
void api_flows_close(struct api *a);

#define X(method, path, who, function, query, body) void function(struct api_call *c);
#include "api/routes.def"
#undef X

/* Takes value. */
void api_answer(struct api_call *c, int status, json_t *value);
void api_answer_text(struct api_call *c, int status, const char *type, struct str text);
void api_fail(struct api_call *c, const struct error *err);
/* The same with more members beside it: takes more. */
void api_fail_with(struct api_call *c, const struct error *err, json_t *more);

/* That of {w}; NULL: it was answered 404. */
struct workspace *api_workspace(struct api_call *c);
/* That has something published; NULL: it was answered 404. */
struct workspace *api_published(struct api_call *c);
/* False where the query has no such name. The value is decoded. */
bool api_query(struct api_call *c, const char *name, struct str *value);
/* `fallback` where it is not there; ERR_INVALID names it. */
MUST_USE bool api_query_number(struct api_call *c, const char *name, int64_t low, int64_t high, int64_t fallback, int64_t *out,
                               struct error *err);
MUST_USE bool api_query_flag(struct api_call *c, const char *name, bool *out, struct error *err);

/* work gets the call; afterwards 200 with c->result, or the error. */
void api_read(struct api_call *c, store_work_fn *work);
void api_write(struct api_call *c, store_work_fn *work);

/* A string, null where s is empty. */
json_t *api_text(struct str s) MUST_USE;

#endif
