/* certificate.c — see certificate.h. */
#include "net/certificate.h"

#include <gnutls/gnutls.h>
#include <sodium.h>

#include "base/buf.h"

#define FILE_MAX (256 * 1024)

static gnutls_datum_t datum(const struct buf *b) { return (gnutls_datum_t){(unsigned char *)b->ptr, (unsigned)b->len}; }

static bool belong_together(const gnutls_datum_t *cert, const gnutls_datum_t *key) {
    gnutls_certificate_credentials_t both;
    if (gnutls_certificate_allocate_credentials(&both) < 0)
        return false;
    int code = gnutls_certificate_set_x509_key_mem(both, cert, key, GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(both);
    return code >= 0;
}

static bool load(struct certificate *c, const char *cert_file, const char *key_file, struct buf *cert, struct buf *key,
                 struct error *err) {
    if (!file_read(cert_file, cert, err) || !file_read(key_file, key, err))
        return false;
    gnutls_datum_t cert_text = datum(cert), key_text = datum(key);
    unsigned most = CERTIFICATE_CHAIN_MAX;
    int code = gnutls_pcert_list_import_x509_raw(c->chain, &most, &cert_text, GNUTLS_X509_FMT_PEM, 0);
    if (code < 0)
        return error_set(err, ERR_INVALID, "%s holds no certificate chain in PEM form: %s", cert_file, gnutls_strerror(code));
    c->count = most;
    code = gnutls_privkey_import_x509_raw(c->key, &key_text, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (code < 0)
        return error_set(err, ERR_INVALID, "%s holds no private key in PEM form without a password: %s", key_file,
                         gnutls_strerror(code));
    return belong_together(&cert_text, &key_text) ||
           error_set(err, ERR_INVALID, "the key in %s is not that of the first certificate in %s", key_file, cert_file);
}

struct certificate *certificate_load(const char *cert_file, const char *key_file, struct error *err) {
    struct certificate *c = mem_alloc(sizeof *c);
    struct buf cert, key;
    buf_init(&cert, FILE_MAX);
    buf_init(&key, FILE_MAX);
    ENSURE(gnutls_privkey_init(&c->key) >= 0);
    bool ok = load(c, cert_file, key_file, &cert, &key, err);
    sodium_memzero(key.ptr, key.len);
    buf_release(&cert);
    buf_release(&key);
    if (ok)
        return c;
    certificate_free(c);
    return NULL;
}

void certificate_free(struct certificate *c) {
    while (c) {
        struct certificate *older = c->older;
        for (unsigned i = 0; i < c->count; i++)
            gnutls_pcert_deinit(&c->chain[i]);
        gnutls_privkey_deinit(c->key);
        free(c);
        c = older;
    }
}
