/* transfer.h — one libcurl transfer on our loop, under Flowlet's rules.
 *
 *     transfer_init(&t, transfers, on_done);
 *     curl_easy_setopt(t.easy, ...);                what the protocol needs
 *     transfer_start(&t, STR("a.example"), 443);    on_done is called once, in a later turn
 *     transfer_release(&t);                         may be in on_done; before it: cancels, on_done is not called
 *
 * The rules: each peer address is checked when connecting (outgoing.h), --resolve and
 * --ca-file hold, certificates are always verified, against the name that was asked for,
 * proxies of the environment and .netrc are ignored, libcurl follows no redirects by itself,
 * and nothing blocks: names are resolved in threads of their own. HTTP, mail and the probes
 * are built on it. Thread: the loop's. */
#ifndef FLOWLET_TRANSFER_H
#define FLOWLET_TRANSFER_H

#include "base/arena.h"
#include "net/curl_loop.h"
#include "net/outgoing.h"

/* All transfers of the server: shared connections, name and TLS session caches. */
struct transfers;
struct transfers *transfers_new(struct loop *l, const struct outgoing *o);
void transfers_free(struct transfers *ts); /* all transfers must have been released; takes NULL */
struct loop *transfers_loop(const struct transfers *ts);

/* What a TLS peer showed. */
#define CERTIFICATE_NAMES_MAX 64
struct certificate {
    const char *names[CERTIFICATE_NAMES_MAX]; /* DNS names and addresses it is for; the common name when there are none */
    size_t name_count;
    const char *subject, *issuer;        /* "CN=R11,O=Let's Encrypt,C=US" */
    int64_t not_before_ms, not_after_ms; /* since 1970 */
    const char *protocol;                /* "TLSv1.3" */
    struct arena arena;
};
int certificate_days_left(const struct certificate *c); /* whole days until not_after; negative when past */

struct transfer;
/* err NULL: it worked. */
typedef void transfer_fn(struct transfer *t, const struct error *err);

/* To embed. Only `easy` is for others to change, and only what the rules above leave open. */
struct transfer {
    CURL *easy;
    struct transfers *all; /* borrowed */
    transfer_fn *done;
    struct curl_transfer on_loop;
    struct certificate *certificate; /* owned; NULL: none seen */
    struct curl_slist *connect_to;   /* owned */
    struct sockaddr_storage pinned;  /* by --resolve; ss_family 0: not */
    struct error refused;            /* code 0: no address was refused */
    bool opened;                     /* an address was not refused */
    bool stays;                      /* set before the start: after done the connection is the owner's until release
                                        (CURLOPT_CONNECT_ONLY, curl_easy_send and curl_easy_recv) */
    bool running;
    char text[CURL_ERROR_SIZE];
};
void transfer_init(struct transfer *t, struct transfers *all, transfer_fn *done);
void transfer_release(struct transfer *t); /* may be called twice */
/* host as in the URL (an IPv6 address without brackets), port that will be connected to. May be started
 * again after done (a redirect). */
void transfer_start(struct transfer *t, struct str host, uint16_t port);
/* The certificate of this transfer's connection, NULL without TLS. A kept connection's can be had only
 * while the transfer goes on; a new one's stays, also when it was refused. Borrowed until the next start. */
const struct certificate *transfer_certificate(struct transfer *t);
/* "192.0.2.1:443"; "" when not connected. */
void transfer_peer(struct transfer *t, char out[ADDRESS_TEXT_MAX]);

#endif
