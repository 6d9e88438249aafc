/* probe.c — see probe.h. A transfer that only connects, by http for TCP and by https for TLS. */
#include "net/probe.h"

#define TIMEOUT_DEFAULT_MS 5000

struct probe {
    struct transfer transfer;
    struct timer later; /* what ended before it began, or was canceled */
    struct error err;
    bool tls;
    char peer[ADDRESS_TEXT_MAX];
    probe_fn *done;
    void *arg;
};

static void finish(struct probe *p, const struct probe_result *result, const struct error *err) {
    p->done(p->arg, result, err);
    timer_stop(&p->later);
    transfer_release(&p->transfer);
    free(p);
}

static double ms(struct probe *p, CURLINFO what) {
    curl_off_t us = 0;
    curl_easy_getinfo(p->transfer.easy, what, &us);
    return (double)us / 1000;
}

static void on_transfer(struct transfer *t, const struct error *failed) {
    struct probe *p = container_of(t, struct probe, transfer);
    transfer_peer(t, p->peer);
    struct probe_result result = {.peer = str_from(p->peer),
                                  .connect_ms = ms(p, CURLINFO_CONNECT_TIME_T) - ms(p, CURLINFO_NAMELOOKUP_TIME_T),
                                  .total_ms = ms(p, CURLINFO_TOTAL_TIME_T),
                                  .certificate = transfer_certificate(t),
                                  .verified = !failed};
    /* A certificate that is not trusted is what was asked for all the same. */
    if (p->tls && failed && failed->code == ERR_CERTIFICATE && result.certificate) {
        result.why_not = failed->text;
        failed = NULL;
    }
    finish(p, &result, failed);
}

static void on_later(struct timer *t) {
    struct probe *p = container_of(t, struct probe, later);
    struct probe_result result = {0};
    finish(p, &result, &p->err);
}

static struct probe *start(struct transfers *ts, struct str host, uint16_t port, int64_t timeout_ms, bool tls, probe_fn *done,
                           void *arg) {
    struct probe *p = mem_alloc(sizeof *p);
    char url[512];
    p->tls = tls;
    p->done = done;
    p->arg = arg;
    timer_init(&p->later, transfers_loop(ts), on_later);
    transfer_init(&p->transfer, ts, on_transfer);
    CURL *e = p->transfer.easy;
    bool six = host.len && memchr(host.ptr, ':', host.len);
    bool clean = host.len && host.len < 256 && port;
    for (size_t i = 0; clean && i < host.len; i++)
        clean = (uint8_t)host.ptr[i] > ' ' && host.ptr[i] != 0x7f && !strchr("/?#@\\[]%", host.ptr[i]);
    if (!clean) {
        error_set(&p->err, ERR_INVALID, "\"" STR_FMT "\", port %u, is no host name or address with a port", STR_ARG(host), port);
        timer_start(&p->later, 0);
        return p;
    }
    snprintf(url, sizeof url, six ? "%s://[" STR_FMT "]:%u/" : "%s://" STR_FMT ":%u/", tls ? "https" : "http", STR_ARG(host),
             port);
    curl_easy_setopt(e, CURLOPT_URL, url);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(timeout_ms ? timeout_ms : TIMEOUT_DEFAULT_MS));
    transfer_start(&p->transfer, host, port);
    return p;
}

struct probe *tcp_check(struct transfers *ts, struct str host, uint16_t port, int64_t timeout_ms, probe_fn *done, void *arg) {
    return start(ts, host, port, timeout_ms, false, done, arg);
}

struct probe *tls_certificate(struct transfers *ts, struct str host, uint16_t port, int64_t timeout_ms, probe_fn *done,
                              void *arg) {
    return start(ts, host, port, timeout_ms, true, done, arg);
}

void probe_cancel(struct probe *p) {
    transfer_release(&p->transfer);
    error_set(&p->err, ERR_CANCELED, "the check was canceled");
    timer_start(&p->later, 0);
}
