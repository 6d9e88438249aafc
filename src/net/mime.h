/* mime.h — from what a flow says about a mail to the bytes that travel.
 *
 *     struct mail_address from, *to;
 *     mail_address_parse(STR("Ops <ops@example.com>"), &arena, &from, err);
 *     mail_address_parse_list(STR("a@b.example, \"C, D\" <c@d.example>"), &arena, &to, &n, err);
 *     mime_compose(&(struct mime_message){.from = &from, .to = to, .to_count = n, ...}, &out, err);
 *
 * The result is a complete message after RFC 5322, 2045, 2046, 2047 and 2231: CRLF line ends,
 * lines of at most 78 bytes where they can be folded and never over 998, ASCII only. Nothing
 * in it is random: the same input gives the same bytes, so a repeated mail is known
 * by its Message-ID.
 *
 * All text is UTF-8 from outside and may be hostile: a CR, LF, NUL or other control in what
 * goes into a header is ERR_INVALID, which names the field. Thread: any. */
#ifndef FLOWLET_MIME_H
#define FLOWLET_MIME_H

#include "base/arena.h"
#include "base/buf.h"

#define MIME_RECIPIENTS_MAX 100
#define MIME_ATTACHMENTS_MAX 50
#define MIME_HEADERS_MAX 50
#define MIME_SIZE_MAX (25u * 1024 * 1024) /* bytes of a whole message, as Mailgun takes them */

/* The address has an ASCII local part and a domain in punycode, so it can stand in an SMTP
 * command as it is. A local part that is not ASCII would need SMTPUTF8: refused. */
struct mail_address {
    struct str name;    /* display name, UTF-8, unquoted; may be empty */
    struct str address; /* local@domain, never empty */
};

/* "a@b", "<a@b>", "Name <a@b>", "\"Quoted, name\" <a@b>"; no groups, comments or routes.
 * What is found lives in the arena. ERR_INVALID quotes the text. */
MUST_USE bool mail_address_parse(struct str text, struct arena *a, struct mail_address *out, struct error *err);
/* The same, several with commas between. An empty text is a list of none. */
MUST_USE bool mail_address_parse_list(struct str text, struct arena *a, struct mail_address **out, size_t *count,
                                      struct error *err);

struct mime_attachment {
    struct str name; /* file name; may be empty */
    struct str type; /* "application/pdf"; empty: application/octet-stream */
    struct str bytes;
};

struct mime_header {
    struct str name, value; /* not one of those that mime_compose writes itself */
};

/* Everything is borrowed for the call. */
struct mime_message {
    const struct mail_address *from;     /* needed */
    const struct mail_address *reply_to; /* or NULL */
    const struct mail_address *to, *cc;  /* blind copies are in the envelope only: see mail.h */
    size_t to_count, cc_count;
    struct str subject;
    struct str text, html; /* ptr NULL: none. Both: alternatives. Line ends may be LF or CRLF */
    const struct mime_attachment *attachments;
    size_t attachment_count;
    const struct mime_header *headers; /* others, such as X-Mailgun-Tag */
    size_t header_count;
    struct str message_id;     /* "unique@domain", with or without <>; needed */
    int64_t date_ms;           /* since 1970, UTC */
    struct str auto_submitted; /* RFC 3834: "auto-generated" when empty; "no" leaves the header out */
};

/* Appends the message to out. ERR_INVALID, or ERR_TOO_LARGE when it does not fit into out. */
MUST_USE bool mime_compose(const struct mime_message *m, struct buf *out, struct error *err);

#endif
