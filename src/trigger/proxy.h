/* proxy.h — who calls, where a reverse proxy stands in between (--trusted-proxy RANGE).
 *
 * Only what a trusted proxy says is believed: X-Forwarded-For is read from its end, each address that is itself a
 * trusted proxy's passed over; the first that is none is the caller. X-Forwarded-Host is the host that was asked for.
 * Thread: any. */
#ifndef FLOWLET_PROXY_H
#define FLOWLET_PROXY_H

#include "config/args.h"
#include "net/httpd.h"
#include "net/range.h"

struct proxies {
    size_t count;
    struct range range[ARG_LIST_MAX];
};

/* ERR_INVALID names the range that is none. */
MUST_USE bool proxies_parse(struct proxies *p, const struct arg_list *ranges, struct error *err);
/* The caller's address; peer: who is connected. Borrowed from peer or from the headers. */
struct str proxies_client(const struct proxies *p, struct str peer, const struct httpd_field *headers, size_t n);
/* The host asked for, without a port; of the request line's Host unless a trusted proxy names another. {NULL, 0}: none. */
struct str proxies_host(const struct proxies *p, struct str peer, const struct httpd_field *headers, size_t n);

#endif
