/* http.h — HTTP requests to others: one call, redirects followed, one result.
 *
 *     call = http_start(transfers, &request, on_done, arg);     on_done once, in a later turn
 *     http_cancel(call);                                        on_done with ERR_CANCELED, in a later turn
 *
 * Only http and https. Connections are kept and used again, HTTP/2 where the peer speaks it.
 * transfer.h has the rules about addresses, names and certificates; they hold for each hop of
 * a redirect. Redirects to another host lose Authorization, Cookie and Host; 303 (and 301, 302
 * after POST) go on as GET without the body (RFC 9110, 15.4). Answers are not asked to be
 * compressed.
 *
 * Failures are told apart by code: INVALID (the request), DNS_FAILED, ADDRESS_REFUSED,
 * CONNECT_FAILED, TLS_FAILED, CERTIFICATE, TIMEOUT, CONNECTION_LOST, PROTOCOL, TOO_LARGE (the
 * answer), LIMIT (redirects). A status of 400 and more is no failure here. Thread: the loop's. */
#ifndef FLOWLET_HTTP_H
#define FLOWLET_HTTP_H

#include "base/arena.h"
#include "net/transfer.h"

struct http_header {
    struct str name, value;
};

struct http_request {
    struct str method;                 /* "GET" */
    struct str url;                    /* http or https, no user name in it */
    const struct http_header *headers; /* Content-Length, Connection and the like are ours and left out */
    size_t header_count;
    struct str body;
    int64_t timeout_ms;         /* for all of it, redirects included; 0: 10 s */
    int64_t connect_timeout_ms; /* for name, TCP and TLS of a hop; 0: 5 s */
    bool follow_redirects;      /* at most HTTP_REDIRECTS_MAX */
    bool once;                  /* changes something: a new connection, as libcurl repeats what a kept one swallowed */
    size_t max_body;            /* bytes of answer; 0: 16 MB */
};
#define HTTP_REDIRECTS_MAX 5

struct http_redirect {
    int status;
    struct str url; /* where it led to */
};

/* Whole milliseconds are not fine enough for a peer next door. Sums over all hops; a phase that a kept
 * connection did not need is 0. first_byte_ms is the wait after the request was sent. */
struct http_timing {
    double dns_ms, connect_ms, tls_ms, first_byte_ms, total_ms;
};

/* Lives until done returns, like all it points to. After a failure: what was known by then, status 0 when no answer came. */
struct http_result {
    int status;
    struct http_header *headers; /* in order, names as sent */
    size_t header_count;
    struct str body;
    struct str url; /* the last one */
    struct http_redirect redirects[HTTP_REDIRECTS_MAX];
    size_t redirect_count;
    struct http_timing timing;
    struct str peer;                       /* "192.0.2.1:443"; empty: not connected */
    const struct certificate *certificate; /* NULL: no TLS */
};

struct http_call;
/* err NULL: an answer came. The call is freed after it returns. */
typedef void http_fn(void *arg, const struct http_result *result, const struct error *err);
/* Everything in request is copied. */
struct http_call *http_start(struct transfers *ts, const struct http_request *request, http_fn *done, void *arg);
void http_cancel(struct http_call *call);

#endif
