/* transfer.h — one libcurl transfer on our loop, under Flowlet's rules.
 *
 *     transfer_init(&t, transfers, on_done);
 *     curl_easy_setopt(t.easy, ...);                what the protocol needs
 *     transfer_start(&t, "api.example.com", 443);   on_done is called once, in a later turn
 *     transfer_release(&t);                         may be in on_done; before it: cancels, on_done is not called
 *
 * The rules: each peer address is checked when connecting (outgoing.h), --resolve and
 * --ca-file hold, certificates are always verified, against the name that was asked for,
 * proxies of the environment and .netrc are ignored, libcurl follows no redirects by itself,
 * and nothing blocks: names are resolved in threads of their own. HTTP, mail and the probes
 * are built on it. Thread: the loop's. */
#ifndef FLOWLET_TRANSFER_H
#define FLOWLET_TRANSFER_H

#include <curl/curl.h>

#include "net/loop.h"
#include "net/outgoing.h"

/* All transfers of the server: shared connections, name and TLS session caches. */
struct transfers;
struct transfers *transfers_new(struct loop *l, const struct outgoing *o);
void transfers_free(struct transfers *ts); /* all transfers must have been released; takes NULL */

/* What a TLS peer showed. */
#define CERTIFICATE_NAMES_MAX 32
struct certificate {
    char *names[CERTIFICATE_NAMES_MAX + 1]; /* DNS names and addresses it is for, NULL-ended */
    char *subject, *issuer;                 /* "CN=..., O=..." */
    int64_t not_before_ms, not_after_ms;    /* since 1970 */
    const char *protocol;                   /* "TLSv1.3" */
};

struct transfer;
/* err NULL: it worked. */
typedef void transfer_fn(struct transfer *t, const struct error *err);

/* To embed; members are for reading. */
struct transfer {
    CURL *easy;
    struct transfers *all; /* borrowed */
    transfer_fn *done;
    struct certificate *certificate; /* NULL: no TLS, or it did not come that far. Owned */
    struct curl_slist *connect_to;   /* owned */
    struct sockaddr_storage pinned;  /* ss_family 0: not by --resolve */
    struct error refused;            /* code 0: no address was refused */
    char text[CURL_ERROR_SIZE];
    char host[256];
    bool running;
};
void transfer_init(struct transfer *t, struct transfers *all, transfer_fn *done);
void transfer_release(struct transfer *t); /* may be called twice */
/* host as in the URL; port that will be connected to. May be started again after done (a redirect). */
void transfer_start(struct transfer *t, const char *host, uint16_t port);
/* The certificate of the connection in use; NULL: none. Call while the transfer goes on (a new
 * connection's is there at the end as well). */
const struct certificate *transfer_certificate(struct transfer *t);

#endif
