/* httpd.h — the HTTP server: libmicrohttpd on our loop.
 *
 *     h = httpd_open(loop, &options, &handler, arg, err);
 *     ... handler.head(arg, rq), handler.request(arg, rq) ...
 *     httpd_answer(rq, 200, fields, n, body);         there and then, or in a later turn
 *     httpd_drain(h, done, arg); ... httpd_close(h);
 *
 * A request goes through these, each call coming once:
 *
 *     head ------------> request ------------> httpd_answer
 *       \                    \--> gone (maybe) --^
 *        \--> httpd_answer (the body is then not read, request is not called)
 *
 * (1) A request that request() was called for must be answered exactly once, gone or not.
 * (2) After httpd_answer the request is no longer the caller's.
 * (3) One that ends while its body still comes in (caller hung up, too slow, too large) just
 *     ends: head() was called, request() never is. What head() made goes with the arena.
 *
 * What is malformed or ambiguous never reaches a handler: it is answered 400 and the connection
 * closed (RFC 9112; several Host or Content-Length, Content-Length with Transfer-Encoding, folded
 * or bare-LF lines, control characters, spaces in names, bad chunks, ...). Neither does what is
 * too much: 413, 414, 431, 503 with Retry-After; 408 for a request that takes longer than the
 * time-out to come in, however steadily. Date, Content-Length and Connection are written here,
 * and HEAD, 204 and 304 get no body. Answers of one turn of the loop leave together.
 * Thread: the loop's. */
#ifndef FLOWLET_HTTPD_H
#define FLOWLET_HTTPD_H

#include "base/arena.h"
#include "base/buf.h"
#include "net/loop.h"

struct httpd_options {
    const char *address;            /* an IP address, 4 or 6 */
    uint16_t port;                  /* 0: any that is free */
    unsigned max_connections;       /* beyond: 503, and far beyond they wait in the kernel */
    size_t header_max;              /* bytes a connection holds for its head and its answer's; 16 KB takes a 7 KB cookie */
    size_t body_max;                /* bytes; what httpd_set_body_max has not set otherwise */
    size_t bodies_max;              /* bytes of all requests' bodies at one time; beyond: 503 */
    unsigned timeout_s;             /* for a whole request to come in, and for a standstill while answering */
    unsigned idle_s;                /* a connection kept alive without a request */
    const char *tls_cert, *tls_key; /* PEM files; NULL: no TLS */
};

struct httpd;
struct httpd_request;

struct httpd_field {
    struct str name, value;
};

struct httpd_handler {
    /* The head is there, the body is not: route, check access, set a body limit, or answer. */
    void (*head)(void *arg, struct httpd_request *rq);
    /* All of it is there. */
    void (*request)(void *arg, struct httpd_request *rq);
    /* May be NULL. The caller closed the connection, or its sending half, before the answer; noticed
     * within about two seconds. The answer is still due (1): one who closed only half reads it, and its
     * connection is closed within a second after it. Of one who reset the connection head and method may be
     * empty from then on. */
    void (*gone)(void *arg, struct httpd_request *rq);
};

/* The handler (copied) gets arg. Fails when the address can't be had or a PEM file is no good. */
struct httpd *httpd_open(struct loop *l, const struct httpd_options *options, const struct httpd_handler *handler, void *arg,
                         struct error *err) MUST_USE;
uint16_t httpd_port(const struct httpd *h);
unsigned httpd_connections(const struct httpd *h);
/* Reads the PEM files again, for the handshakes from now on; on failure the old certificate stays. Without TLS: true. */
MUST_USE bool httpd_reload_certificate(struct httpd *h, struct error *err);
/* Accepts no more; requests under way are finished, those that are slow to come in or go out are cut off, idle connections
 * closed; then done is called, in a later turn. */
void httpd_drain(struct httpd *h, loop_fn *done, void *arg);
/* From now on requests are answered 503 here; those that a handler has may still be answered. */
void httpd_refuse(struct httpd *h);
/* All requests must have been answered; answers still on their way are cut off. Not from a handler. Takes NULL. */
void httpd_close(struct httpd *h);

/* All borrowed, good until the answer. */
struct str httpd_method(const struct httpd_request *rq); /* as sent: "GET" */
struct str httpd_path(const struct httpd_request *rq);   /* as sent, not decoded, without the query: "/a%20b" */
struct str httpd_query(const struct httpd_request *rq);  /* as sent, not decoded; {NULL, 0}: there is no '?' */
struct str httpd_body(const struct httpd_request *rq);   /* empty before request() */
const char *httpd_client(struct httpd_request *rq);      /* the caller's address: "192.0.2.1" */
const struct httpd_field *httpd_headers(const struct httpd_request *rq, size_t *n); /* in order, as sent */
/* The first header of that name, in any case; {NULL, 0}: there is none. */
struct str httpd_header(const struct httpd_request *rq, const char *name);
struct arena *httpd_arena(struct httpd_request *rq); /* goes some time after the answer */
void httpd_set_user(struct httpd_request *rq, void *user);
void *httpd_user(const struct httpd_request *rq);

/* In head() only. */
void httpd_set_body_max(struct httpd_request *rq, size_t bytes);

/* Whether a header may be sent: a token as name, no control characters in the value (RFC 9110, 5.5), and
 * none of those that the server writes itself (Content-Length, Transfer-Encoding, Connection, Date). */
bool httpd_field_is_ok(struct httpd_field f);
/* status 200 to 599. Fields that are not ok are left out with a warning in the log. Everything is copied. */
void httpd_answer(struct httpd_request *rq, int status, const struct httpd_field *headers, size_t n, struct str body);
/* The same, without a copy: body is from malloc and is freed when it was sent. */
void httpd_answer_take(struct httpd_request *rq, int status, const struct httpd_field *headers, size_t n, char *body, size_t len);

/* An answer that goes on for as long as there is something to tell, in pieces (RFC 9112, 7.1). Whoever reads slowly is
 * asked of less often: nothing piles up here. */
struct httpd_source {
    /* Adds to out what there is, some KB at a time; nothing: to be asked again after httpd_stream_wake. False: that was
     * the end. Also called when the caller has hung up, so that it can say so by false: httpd_is_gone. */
    bool (*pull)(void *arg, struct buf *out);
    /* The last call. */
    void (*closed)(void *arg);
};
#define HTTPD_PIECE_MAX ((size_t)256 * 1024) /* what a pull may add */
void httpd_stream(struct httpd_request *rq, const struct httpd_field *headers, size_t n, const struct httpd_source *source,
                  void *arg);
/* There is more to pull, or the end. */
void httpd_stream_wake(struct httpd_request *rq);
bool httpd_is_gone(const struct httpd_request *rq);

#endif
