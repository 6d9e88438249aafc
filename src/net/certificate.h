/* certificate.h — a listener's certificate chain and key, from PEM files.
 *
 * Errors name the file and what is wrong with it. What a handshake was given must live on until it is over, so
 * a certificate that was replaced is kept (`older`) until the listener closes. Thread: any. */
#ifndef FLOWLET_CERTIFICATE_H
#define FLOWLET_CERTIFICATE_H

#include <gnutls/abstract.h>

#include "base/error.h"

#define CERTIFICATE_CHAIN_MAX 16

struct certificate {
    gnutls_pcert_st chain[CERTIFICATE_CHAIN_MAX];
    unsigned count;
    gnutls_privkey_t key;
    struct certificate *older; /* owned; NULL: none */
};

struct certificate *certificate_load(const char *cert_file, const char *key_file, struct error *err) MUST_USE;
void certificate_free(struct certificate *c); /* and the older ones; takes NULL */

#endif
