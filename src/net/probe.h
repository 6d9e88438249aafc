/* probe.h — is somebody listening there, and with what certificate?
 *
 * Built on transfer.h, so the same addresses are refused and --resolve holds. done is called
 * once, in a later turn; probe_cancel makes it come with ERR_CANCELED. Thread: the loop's. */
#ifndef FLOWLET_PROBE_H
#define FLOWLET_PROBE_H

#include "net/transfer.h"

/* Lives until done returns. */
struct probe_result {
    struct str peer;             /* "192.0.2.1:443"; empty: not connected */
    double connect_ms, total_ms; /* TCP alone; name, TCP and TLS */
    /* tls_certificate only. */
    const struct certificate *certificate;
    bool verified;
    const char *why_not; /* NULL when verified */
};

struct probe;
/* err NULL: connected (tcp_check), or a certificate was seen, verified or not (tls_certificate). */
typedef void probe_fn(void *arg, const struct probe_result *result, const struct error *err);
/* host is a name or an address; timeout_ms 0: 5 s. */
struct probe *tcp_check(struct transfers *ts, struct str host, uint16_t port, int64_t timeout_ms, probe_fn *done, void *arg);
struct probe *tls_certificate(struct transfers *ts, struct str host, uint16_t port, int64_t timeout_ms, probe_fn *done,
                              void *arg);
void probe_cancel(struct probe *p);

#endif
