/* mail.h — hands one message to a mail server (SMTP submission), on the loop.
 *
 *     mail_start(transfers, &(struct mail_request){.server = url, .from = ..., .recipients = ..., .message = mime,
 *                    .timeout_ms = 20000}, on_done, self, &err) → call
 *     mail_cancel(call);                   on_done still comes, with ERR_CANCELED
 *
 * The server is a URL, user name and password percent-encoded:
 *     smtps://postmaster%40mg.example.com:PASSWORD@smtp.mailgun.org     TLS from the first byte, port 465
 *     smtp://user:PASSWORD@mail.example.com                             STARTTLS, required, port 587
 * The certificate's chain and host name are always checked. Nothing but EHLO and STARTTLS is said
 * in the clear; what a server sent together with its answer to STARTTLS ends the call.
 *
 * libcurl connects, secures and logs in (transfer.h says which peers and certificates are
 * accepted); the mail itself is sent here, since libcurl waits for the answer to it, and to QUIT, with the
 * whole loop standing still, and does not tell which recipient was refused.
 *
 * One connection a message. Recipients that the server refuses are reported, the others get
 * the message; a call fails when none is left. Errors say what is known:
 *     ERR_INVALID          the URL, an address or the size; nothing was sent
 *     ERR_DNS_FAILED, ERR_CONNECT_FAILED, ERR_ADDRESS_REFUSED, ERR_TLS_FAILED, ERR_CERTIFICATE
 *     ERR_MAIL_AUTH        the login was refused (535), or none was offered
 *     ERR_MAIL_REFUSED     5xx, with the server's words and, at RCPT, the recipient
 *     ERR_MAIL_DEFERRED    4xx, the same
 *     ERR_TIMEOUT, ERR_CONNECTION_LOST   result->unknown tells whether the message may have arrived:
 *                          all of it was sent and the answer is missing. Send it again only with the
 *                          same Message-ID.
 *     ERR_PROTOCOL         what came back is no SMTP
 * No password is in any error or result. Thread: the loop's. */
#ifndef FLOWLET_MAIL_H
#define FLOWLET_MAIL_H

#include "base/buf.h"
#include "net/transfer.h"

struct mail_call;

struct mail_request {
    struct str server;            /* URL */
    struct str from;              /* the envelope's, "a@b"; empty: the null sender */
    const struct str *recipients; /* the envelope's: to, cc and bcc, each "a@b" in ASCII */
    size_t recipient_count;
    struct str message; /* from mime_compose: CRLF line ends */
    int timeout_ms;     /* for all of it */
};

struct mail_recipient {
    const char *address;
    bool accepted;
    int code;          /* the server's, such as 250 or 550; 0: it never came to that */
    const char *reply; /* its words, without control characters; "" as long as code is 0 */
};

/* Given to the callback, and gone after it. */
struct mail_result {
    const struct mail_recipient *recipients; /* in the order given */
    size_t recipient_count, accepted_count;
    const char *reply; /* the server's last, such as "250 2.0.0 Great success"; "" if none */
    bool unknown;      /* failed, yet the server may have taken the message */
    int64_t duration_ms;
};

/* err NULL: at least one recipient was accepted and the server took the message. */
typedef void mail_done_fn(void *arg, const struct mail_result *result, const struct error *err);

/* Copies what it needs. NULL and err when the request itself is wrong; then done is never called.
 * Else done is called exactly once, later. */
struct mail_call *mail_start(struct transfers *ts, const struct mail_request *r, mail_done_fn *done, void *arg,
                             struct error *err);
/* Ends it soon, with ERR_CANCELED; the call is gone when done has been called. */
void mail_cancel(struct mail_call *c);

#endif
