/* transfer.c — see transfer.h. */
#include "net/transfer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/clock.h"

/* Connections kept open for later use, and handles: making one costs as much as three system calls. */
#define KEPT_MAX 256L
#define HANDLES_MAX 64

struct transfers {
    struct loop *loop;
    const struct outgoing *outgoing; /* borrowed */
    struct curl_loop *curl;
    CURL *handles[HANDLES_MAX]; /* for the next transfers */
    size_t handle_count;
};

struct transfers *transfers_new(struct loop *l, const struct outgoing *o) {
    struct transfers *ts = mem_alloc(sizeof *ts);
    *ts = (struct transfers){.loop = l, .outgoing = o, .curl = curl_loop_new(l)};
    curl_multi_setopt(curl_loop_multi(ts->curl), CURLMOPT_MAXCONNECTS, KEPT_MAX);
    /* One request at a time a connection: libcurl 7.88 takes all connections to an address for HTTP/2 once one of them is, puts
     * several requests on one of HTTP/1.1, and hands each another's answer. */
    curl_multi_setopt(curl_loop_multi(ts->curl), CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    return ts;
}

void transfers_free(struct transfers *ts) {
    if (!ts)
        return;
    while (ts->handle_count)
        curl_easy_cleanup(ts->handles[--ts->handle_count]);
    curl_loop_free(ts->curl);
    free(ts);
}

struct loop *transfers_loop(const struct transfers *ts) {
    return ts->loop;
}

/* ---- certificates ---- */

static int64_t time_ms(const ASN1_TIME *time) {
    struct tm tm;
    return ASN1_TIME_to_tm(time, &tm) ? (int64_t)timegm(&tm) * 1000 : 0;
}

static const char *name_text(struct arena *a, const X509_NAME *name) {
    BIO *out = BIO_new(BIO_s_mem());
    char *text;
    X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    long len = BIO_get_mem_data(out, &text);
    const char *copy = arena_strdup(a, str_of(text, len > 0 ? (size_t)len : 0));
    BIO_free(out);
    return copy;
}

static void add_name(struct certificate *c, struct str name) {
    if (c->name_count < CERTIFICATE_NAMES_MAX && name.len && !memchr(name.ptr, 0, name.len) && str_is_utf8(name))
        c->names[c->name_count++] = arena_strdup(&c->arena, name);
}

static void add_names(struct certificate *c, const X509 *x) {
    GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);
        char address[INET6_ADDRSTRLEN];
        if (g->type == GEN_DNS)
            add_name(c, str_of(ASN1_STRING_get0_data(g->d.dNSName), (size_t)ASN1_STRING_length(g->d.dNSName)));
        else if (g->type == GEN_IPADD && (g->d.iPAddress->length == 4 || g->d.iPAddress->length == 16) &&
                 inet_ntop(g->d.iPAddress->length == 4 ? AF_INET : AF_INET6, g->d.iPAddress->data, address, sizeof address))
            add_name(c, str_from(address));
    }
    GENERAL_NAMES_free(all);
    char common[256];
    int len = X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, common, sizeof common);
    if (!c->name_count && len > 0)
        add_name(c, str_of(common, (size_t)len));
}

static struct certificate *certificate_new(const X509 *x, const SSL *ssl) {
    struct certificate *c = mem_alloc(sizeof *c);
    arena_init(&c->arena);
    add_names(c, x);
    c->subject = name_text(&c->arena, X509_get_subject_name(x));
    c->issuer = name_text(&c->arena, X509_get_issuer_name(x));
    c->not_before_ms = time_ms(X509_get0_notBefore(x));
    c->not_after_ms = time_ms(X509_get0_notAfter(x));
    c->protocol = SSL_get_version(ssl);
    return c;
}

static void certificate_free(struct certificate *c) {
    if (!c)
        return;
    arena_release(&c->arena);
    free(c);
}

int certificate_days_left(const struct certificate *c) {
    int64_t day_ms = 24 * 3600 * 1000, left_ms = c->not_after_ms - clock_now_ms();
    return (int)((left_ms - (left_ms < 0 ? day_ms - 1 : 0)) / day_ms);
}

/* OpenSSL's own check, looked at on its way: what is refused is worth knowing too. */
static int on_verify(X509_STORE_CTX *check, void *arg) {
    struct transfer *t = arg;
    const X509 *x = X509_STORE_CTX_get0_cert(check);
    const SSL *ssl = X509_STORE_CTX_get_ex_data(check, SSL_get_ex_data_X509_STORE_CTX_idx());
    certificate_free(t->certificate);
    t->certificate = x && ssl ? certificate_new(x, ssl) : NULL;
    return X509_verify_cert(check) > 0;
}

static CURLcode on_ssl_ctx(CURL *easy, void *ctx, void *arg) {
    (void)easy;
    SSL_CTX_set_cert_verify_callback(ctx, on_verify, arg);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION); /* on_verify's transfer may be gone by then */
    return CURLE_OK;
}

const struct certificate *transfer_certificate(struct transfer *t) {
    struct curl_tlssessioninfo *tls = NULL;
    if (t->certificate || !t->running || curl_easy_getinfo(t->easy, CURLINFO_TLS_SSL_PTR, &tls) != CURLE_OK || !tls->internals ||
        tls->backend != CURLSSLBACKEND_OPENSSL)
        return t->certificate;
    X509 *x = SSL_get1_peer_certificate(tls->internals);
    if (x)
        t->certificate = certificate_new(x, tls->internals);
    X509_free(x);
    return t->certificate;
}

/* ---- where it may go ---- */

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to) {
    struct transfer *t = arg;
    (void)purpose;
    bool pinned =
        t->pinned.ss_family && t->pinned.ss_family == to->family && memcmp(&t->pinned, &to->addr, address_size(&to->addr)) == 0;
    if (!pinned && !outgoing_check(t->all->outgoing, &to->addr, &t->refused))
        return CURL_SOCKET_BAD;
    t->opened = true;
    if (t->stays) /* it is the owner who watches it later */
        return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
    return curl_loop_open(t->all->curl, to->family, to->socktype, to->protocol);
}

/* An entry of CURLOPT_CONNECT_TO: the connection goes there, everything else (SNI, the certificate's check, Host)
 * stays with the name. */
static void set_connect_to(struct transfer *t, struct str host, uint16_t port) {
    curl_slist_free_all(t->connect_to);
    t->connect_to = NULL;
    t->pinned = (struct sockaddr_storage){0};
    if (outgoing_find(t->all->outgoing, host, port, &t->pinned)) {
        char to[ADDRESS_TEXT_MAX], entry[ADDRESS_TEXT_MAX + 2];
        address_write((struct sockaddr *)&t->pinned, to);
        snprintf(entry, sizeof entry, "::%s", to);
        t->connect_to = curl_slist_append(NULL, entry);
    }
    curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to);
}

void transfer_peer(struct transfer *t, char out[ADDRESS_TEXT_MAX]) {
    char *ip = NULL;
    long port = 0;
    curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &ip);
    curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_PORT, &port);
    if (!ip || !*ip || !port)
        out[0] = 0;
    else
        snprintf(out, ADDRESS_TEXT_MAX, strchr(ip, ':') ? "[%s]:%ld" : "%s:%ld", ip, port);
}

/* ---- how it ended ---- */

static enum error_code code_of(CURLcode code) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum"
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return ERR_DNS_FAILED;
    case CURLE_COULDNT_CONNECT:
        return ERR_CONNECT_FAILED;
    case CURLE_OPERATION_TIMEDOUT:
        return ERR_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        return ERR_CERTIFICATE;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_USE_SSL_FAILED:
        return ERR_TLS_FAILED;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
        return ERR_CONNECTION_LOST;
    case CURLE_URL_MALFORMAT:
        return ERR_INVALID;
    case CURLE_FILESIZE_EXCEEDED:
        return ERR_TOO_LARGE;
    default:
        return ERR_PROTOCOL;
    }
#pragma GCC diagnostic pop
}

/* libcurl's own sentence says only that it could not. */
static const char *why_not_connected(struct transfer *t) {
    long number = 0;
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &number);
    if (number)
        snprintf(t->text, sizeof t->text, "could not connect: %s", strerror((int)number));
    return t->text[0] ? t->text : curl_easy_strerror(CURLE_COULDNT_CONNECT);
}

static void on_done(struct curl_transfer *on_loop, CURLcode code) {
    struct transfer *t = container_of(on_loop, struct transfer, on_loop);
    struct error err;
    if (!t->stays) {
        curl_loop_remove(t->all->curl, on_loop);
        t->running = false;
    }
    if (code == CURLE_OK) {
        t->done(t, NULL);
        return;
    }
    if (code == CURLE_COULDNT_CONNECT && t->refused.code && !t->opened)
        err = t->refused;
    else if (code == CURLE_COULDNT_CONNECT)
        error_set(&err, ERR_CONNECT_FAILED, "%s", why_not_connected(t));
    else if (code == CURLE_FILESIZE_EXCEEDED)
        error_set(&err, ERR_TOO_LARGE, "the answer's body is larger than allowed");
    else
        error_set(&err, code_of(code), "%s", t->text[0] ? t->text : curl_easy_strerror(code));
    t->done(t, &err);
}

/* ---- its life ---- */

void transfer_init(struct transfer *t, struct transfers *all, transfer_fn *done) {
    CURL *easy = all->handle_count ? all->handles[--all->handle_count] : curl_easy_init();
    *t = (struct transfer){.easy = easy, .all = all, .done = done, .on_loop.done = on_done};
    ENSURE(t->easy);
    t->on_loop.easy = t->easy;
    curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->text);
    curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->easy, CURLOPT_QUICK_EXIT, 1L); /* ending one never waits for its resolver's thread */
    curl_easy_setopt(t->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(t->easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(t->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(t->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(t->easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
    curl_easy_setopt(t->easy, CURLOPT_SSL_CTX_DATA, t);
    if (outgoing_ca_file(all->outgoing)) /* beside the system's folder of certificates, which libcurl looks into as well */
        curl_easy_setopt(t->easy, CURLOPT_CAINFO, outgoing_ca_file(all->outgoing));
}

void transfer_start(struct transfer *t, struct str host, uint16_t port) {
    ENSURE(!t->running);
    certificate_free(t->certificate);
    t->certificate = NULL;
    t->refused.code = ERR_NONE;
    t->opened = false;
    t->text[0] = 0;
    set_connect_to(t, host, port);
    t->running = true;
    curl_loop_add(t->all->curl, &t->on_loop);
}

/* One that stays has its connection, which goes with it. */
static void handle_release(struct transfer *t) {
    struct transfers *ts = t->all;
    if (t->stays || ts->handle_count == HANDLES_MAX) {
        curl_easy_cleanup(t->easy);
    } else {
        curl_easy_reset(t->easy);
        ts->handles[ts->handle_count++] = t->easy;
    }
    t->easy = NULL;
}

void transfer_release(struct transfer *t) {
    if (!t->easy)
        return;
    if (t->running)
        curl_loop_remove(t->all->curl, &t->on_loop);
    t->running = false;
    handle_release(t);
    curl_slist_free_all(t->connect_to);
    t->connect_to = NULL;
    certificate_free(t->certificate);
    t->certificate = NULL;
}
