/* mail.c — see mail.h.
 *
 *     CONNECT --on_connected--> MAIL --250--> RCPT, one by one --250--> DATA --354--> BODY --250--> over
 *
 * In CONNECT libcurl says EHLO, STARTTLS and AUTH by itself; on_line listens in. From MAIL on its
 * connection is ours (CURLOPT_CONNECT_ONLY), by curl_easy_send and curl_easy_recv, which never wait.
 * Whatever ends a call only notes it (end_with); who was called by the loop then calls settle. */
#include "net/mail.h"

#include "base/clock.h"
#include "net/hostname.h"

#define TIMEOUT_MS 20000
#define RECIPIENTS_MAX 1000
#define MESSAGE_MAX (64u * 1024 * 1024)
#define LINE_MAX_BYTES 4096 /* of a reply; RFC 5321, 4.5.3.1.5 says 512 */
#define LINES_MAX 1000
#define TEXT_MAX 400 /* bytes of a reply that are kept */

#define TURN_BYTES (256u * 1024) /* sent in one turn of the loop */

enum stage { CONNECT, MAIL, RCPT, DATA, BODY };

struct mail_call {
    struct transfer transfer;
    struct loop *loop;
    mail_done_fn *done;
    void *arg;
    struct timer deadline;
    struct loop_flush canceled;
    int64_t started_ms;
    int timeout_ms;

    char host[HOSTNAME_MAX];
    uint16_t port;
    bool tls_first;
    char *user, *password;             /* owned, "" for none */
    char *from;                        /* owned */
    struct mail_recipient *recipients; /* owned, with the address and reply of each */
    size_t recipient_count, accepted_count;
    size_t message_size;
    struct buf body; /* the message with its dots doubled, and the final dot */

    enum stage stage;
    size_t recipient; /* RCPT: which one */
    bool over;
    struct error err; /* ERR_NONE when it worked */

    /* What the server said last. */
    char line[LINE_MAX_BYTES];
    size_t line_len, lines;
    int code; /* 0: not all of it has come yet */
    char text[TEXT_MAX];
    /* What it said in CONNECT. */
    bool greeted, secured, said_hello, offers_starttls, logged_in;
    int64_t size_max; /* 0: not told */

    uv_poll_t *poll; /* of libcurl's socket; NULL in CONNECT */
    struct buf out;  /* the command */
    size_t sent;     /* bytes of out, or in BODY of body */
};

/* --- the end --- */

static void on_poll_closed(uv_handle_t *h) { free(h); }

static void close_poll(struct mail_call *c) {
    if (!c->poll)
        return;
    uv_poll_stop(c->poll);
    uv_close((uv_handle_t *)c->poll, on_poll_closed);
    c->poll = NULL;
}

static void free_call(struct mail_call *c) {
    for (size_t i = 0; i < c->recipient_count; i++) {
        free((void *)(uintptr_t)c->recipients[i].address);
        free((void *)(uintptr_t)c->recipients[i].reply);
    }
    free(c->recipients);
    free(c->user);
    if (c->password)
        explicit_bzero(c->password, strlen(c->password));
    free(c->password);
    free(c->from);
    buf_release(&c->body);
    buf_release(&c->out);
    free(c);
}

/* All of it was sent, and what the server did with it was never heard. */
static bool is_unknown(const struct mail_call *c) { return c->stage == BODY && c->sent == c->body.len && !c->code; }

static void end_with(struct mail_call *c, enum error_code code, const char *format, ...) PRINTF_LIKE(3, 4);
static void end_with(struct mail_call *c, enum error_code code, const char *format, ...) {
    char what[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    c->over = true;
    error_set(&c->err, code, "mail server %s:%d: %s%s", c->host, c->port, what,
              is_unknown(c) ? "; it had been given the whole mail, which may have arrived" : "");
}

/* By the class of its reply: RFC 5321, 4.2.1. */
static void end_with_reply(struct mail_call *c, int code, const char *about, const char *text) {
    end_with(c, code / 100 == 4 ? ERR_MAIL_DEFERRED : code / 100 == 5 ? ERR_MAIL_REFUSED : ERR_PROTOCOL, "%s: %s", about, text);
}

static void settle(struct mail_call *c) {
    if (!c->over)
        return;
    struct mail_result r = {.recipients = c->recipients,
                            .recipient_count = c->recipient_count,
                            .accepted_count = c->accepted_count,
                            .reply = c->text,
                            .unknown = c->err.code != ERR_NONE && is_unknown(c),
                            .duration_ms = clock_monotonic_ms() - c->started_ms};
    timer_stop(&c->deadline);
    loop_flush_remove(c->loop, &c->canceled);
    close_poll(c);
    transfer_release(&c->transfer);
    c->done(c->arg, &r, c->err.code == ERR_NONE ? NULL : &c->err);
    free_call(c);
}

static void on_deadline(struct timer *t) {
    struct mail_call *c = container_of(t, struct mail_call, deadline);
    static const char *const waiting_for[] = {"a connection and a login", "the sender to be accepted",
                                              "a recipient to be accepted", "the mail to be asked for", "the mail to be taken"};
    end_with(c, ERR_TIMEOUT, "%d ms passed, the last of them waiting for %s", c->timeout_ms, waiting_for[c->stage]);
    settle(c);
}

static void on_canceled(void *arg) {
    struct mail_call *c = arg;
    end_with(c, ERR_CANCELED, "canceled");
    settle(c);
}

void mail_cancel(struct mail_call *c) { loop_flush_add(c->loop, &c->canceled); }

/* --- replies --- */

/* A server that repeats a login must not bring it into results and errors. */
static bool repeats_login(const struct mail_call *c, struct str text) {
    if (!c->password[0])
        return false;
    struct buf plain, coded;
    buf_init(&plain, 4096);
    buf_init(&coded, 8192);
    buf_addc(&plain, 0);
    buf_adds(&plain, c->user);
    buf_addc(&plain, 0);
    buf_adds(&plain, c->password);
    buf_add_base64(&coded, buf_str(&plain)); /* AUTH PLAIN: RFC 4616 */
    bool found = str_find(text, buf_str(&coded)) != SIZE_MAX || str_find(text, str_from(c->password)) != SIZE_MAX;
    buf_clear(&coded);
    buf_add_base64(&coded, str_from(c->password)); /* AUTH LOGIN */
    found = found || str_find(text, buf_str(&coded)) != SIZE_MAX;
    buf_release(&plain);
    buf_release(&coded);
    return found;
}

static void keep_text(struct mail_call *c, struct str line) {
    if (repeats_login(c, line))
        line.len = 3;
    bool utf8 = line.len < TEXT_MAX && str_is_utf8(line);
    if (line.len >= TEXT_MAX)
        line.len = TEXT_MAX - 1;
    for (size_t i = 0; i < line.len; i++) {
        unsigned char b = (unsigned char)line.ptr[i];
        c->text[i] = b < 0x20 || b == 0x7f ? ' ' : b >= 0x80 && !utf8 ? '?' : (char)b;
    }
    c->text[line.len] = 0;
}

/* A line of a reply (RFC 5321, 4.2); with the last one code is set. False: this is no SMTP. */
static bool take_line(struct mail_call *c, struct str line) {
    int64_t code;
    if (line.len && line.ptr[line.len - 1] == '\n')
        line.len--;
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (line.len < 3 || !str_to_int64((struct str){line.ptr, 3}, &code) || code < 200 || code > 599)
        return false;
    if (line.len > 3 && line.ptr[3] != ' ' && line.ptr[3] != '-')
        return false;
    keep_text(c, line);
    bool last = line.len == 3 || line.ptr[3] == ' ';
    c->lines = last ? 0 : c->lines + 1;
    c->code = last ? (int)code : 0;
    return c->lines < LINES_MAX;
}

/* --- CONNECT --- */

/* libcurl gives each line of a reply here. What came before STARTTLS is forgotten (RFC 3207, 4.2). */
static size_t on_line(char *ptr, size_t size, size_t n, void *arg) {
    struct mail_call *c = arg;
    struct str line = {ptr, size * n};
    if (!take_line(c, line) || line.len < 4)
        return size * n;
    struct str word = str_trim((struct str){c->text + 4, strlen(c->text) > 4 ? strlen(c->text) - 4 : 0});
    bool is_hello = str_starts(line, STR("250"));
    if (c->code == 220 && c->greeted) {
        c->secured = true;
        c->said_hello = c->offers_starttls = false;
        c->size_max = 0;
    }
    c->greeted = c->greeted || c->code == 220;
    c->logged_in = c->logged_in || c->code == 235;
    c->said_hello = c->said_hello || c->code == 250;
    if (is_hello && str_eq_nocase(word, STR("STARTTLS")))
        c->offers_starttls = true;
    if (is_hello && word.len > 5 && str_eq_nocase((struct str){word.ptr, 5}, STR("SIZE ")) &&
        (!str_to_int64((struct str){word.ptr + 5, word.len - 5}, &c->size_max) || c->size_max < 0))
        c->size_max = 0;
    return size * n;
}

static bool is_private(const struct mail_call *c) { return c->tls_first || c->secured; }

static void end_connecting(struct mail_call *c, const struct error *err) {
    if (c->code >= 400 && is_private(c) && c->said_hello) {
        if (c->code / 100 == 4)
            end_with_reply(c, c->code, "login", c->text);
        else
            end_with(c, ERR_MAIL_AUTH, "it refused the user name or password: %s", c->text);
    } else if (c->code >= 400 && !is_private(c) && c->said_hello) {
        end_with(c, ERR_TLS_FAILED, "it refused STARTTLS: %s", c->text);
    } else if (c->code >= 400) {
        end_with_reply(c, c->code, "greeting", c->text);
    } else if (!is_private(c) && c->said_hello && !c->offers_starttls) {
        end_with(c, ERR_TLS_FAILED,
                 "it offers no STARTTLS, and a mail is only sent in private; does it take smtps:// (port 465)?");
    } else {
        c->over = true;
        c->err = *err;
        error_wrap(&c->err, "mail server");
    }
}

static void pump(struct mail_call *c);
static void say(struct mail_call *c, enum stage stage, const char *format, ...) PRINTF_LIKE(3, 4);

static void take_connection(struct mail_call *c) {
    curl_socket_t socket = CURL_SOCKET_BAD;
    curl_easy_getinfo(c->transfer.easy, CURLINFO_ACTIVESOCKET, &socket);
    if (!is_private(c) || socket == CURL_SOCKET_BAD) {
        end_with(c, ERR_TLS_FAILED, "no private connection");
        return;
    }
    if (c->user[0] && !c->logged_in) {
        end_with(c, ERR_MAIL_AUTH, "it offers no login by user name and password (AUTH PLAIN or LOGIN)");
        return;
    }
    if (c->size_max && (int64_t)c->message_size > c->size_max) {
        end_with(c, ERR_MAIL_REFUSED, "the mail has %zu bytes, and it takes %lld", c->message_size, (long long)c->size_max);
        return;
    }
    uv_poll_t *poll = mem_alloc(sizeof *poll);
    int code = uv_poll_init_socket(loop_uv(c->loop), poll, socket);
    if (code) {
        free(poll);
        end_with(c, ERR_INTERNAL, "its connection cannot be watched: %s", uv_strerror(code));
        return;
    }
    poll->data = c;
    c->poll = poll;
    if (c->size_max)
        say(c, MAIL, "MAIL FROM:<%s> SIZE=%zu\r\n", c->from, c->message_size); /* RFC 1870 */
    else
        say(c, MAIL, "MAIL FROM:<%s>\r\n", c->from);
    pump(c);
}

static void on_connected(struct transfer *t, const struct error *err) {
    struct mail_call *c = container_of(t, struct mail_call, transfer);
    if (err)
        end_connecting(c, err);
    else
        take_connection(c);
    settle(c);
}

/* --- the mail itself --- */

static void expect(struct mail_call *c, enum stage stage) {
    c->stage = stage;
    c->code = 0;
    c->sent = 0;
}

static void say(struct mail_call *c, enum stage stage, const char *format, ...) {
    char text[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_clear(&c->out);
    buf_adds(&c->out, text);
    expect(c, stage);
}

static struct str to_send(const struct mail_call *c) { return c->stage == BODY ? buf_str(&c->body) : buf_str(&c->out); }

static void take_recipient_reply(struct mail_call *c) {
    struct mail_recipient *r = &c->recipients[c->recipient++], *last = &c->recipients[c->recipient_count - 1];
    free((void *)(uintptr_t)r->reply);
    r->code = c->code;
    r->reply = mem_strdup(c->text);
    r->accepted = c->code / 100 == 2;
    c->accepted_count += r->accepted;
    if (r->code == 421) { /* it goes away: RFC 5321, 3.8 */
        end_with_reply(c, r->code, r->address, r->reply);
    } else if (r < last) {
        say(c, RCPT, "RCPT TO:<%s>\r\n", r[1].address);
    } else if (c->accepted_count) {
        say(c, DATA, "DATA\r\n");
    } else { /* told by the first that may be taken later, since it makes another try worth it */
        for (r = c->recipients; r < last && r->code / 100 != 4;)
            r++;
        r = r->code / 100 == 4 ? r : c->recipients;
        end_with_reply(c, r->code, r->address, r->reply);
    }
}

static void take_reply(struct mail_call *c) {
    bool early = c->sent < to_send(c).len;
    if (c->stage == RCPT) {
        take_recipient_reply(c);
    } else if (c->code / 100 != (c->stage == DATA ? 3 : 2)) {
        end_with_reply(c, c->code, c->stage == MAIL ? c->from : "the mail", c->text);
    } else if (early) {
        end_with(c, ERR_PROTOCOL, "it answered before it was asked");
    } else if (c->stage == MAIL) {
        say(c, RCPT, "RCPT TO:<%s>\r\n", c->recipients[0].address);
    } else if (c->stage == DATA) {
        expect(c, BODY);
    } else {
        size_t n; /* goes out or not: the mail is theirs now */
        (void)curl_easy_send(c->transfer.easy, "QUIT\r\n", 6, &n);
        c->over = true;
    }
}

/* As much as the socket takes now, and no more than a turn's share. */
static void send_some(struct mail_call *c) {
    struct str all = to_send(c);
    size_t end = all.len - c->sent > TURN_BYTES ? c->sent + TURN_BYTES : all.len;
    while (c->sent < end && !c->over) {
        size_t n = 0;
        CURLcode code = curl_easy_send(c->transfer.easy, all.ptr + c->sent, end - c->sent, &n);
        if (code == CURLE_AGAIN)
            return;
        if (code != CURLE_OK)
            end_with(c, ERR_CONNECTION_LOST, "the connection was closed");
        c->sent += n;
    }
}

/* Up to the end of a reply: true when there is one. */
static bool receive_reply(struct mail_call *c) {
    while (!c->over) {
        char *end = memchr(c->line, '\n', c->line_len);
        if (end) {
            size_t used = (size_t)(end - c->line) + 1;
            if (!take_line(c, (struct str){c->line, used}))
                break;
            memmove(c->line, c->line + used, c->line_len - used);
            c->line_len -= used;
            if (c->code)
                return true;
            continue;
        }
        if (c->line_len == sizeof c->line)
            break;
        size_t n = 0;
        CURLcode code = curl_easy_recv(c->transfer.easy, c->line + c->line_len, sizeof c->line - c->line_len, &n);
        if (code == CURLE_AGAIN)
            return false;
        if (code != CURLE_OK || !n)
            end_with(c, ERR_CONNECTION_LOST, "the connection was closed before its reply");
        c->line_len += n;
    }
    if (!c->over)
        end_with(c, ERR_PROTOCOL, "its reply is no SMTP");
    return false;
}

static void on_ready(uv_poll_t *p, int status, int events) {
    (void)status, (void)events; /* an error shows when reading */
    struct mail_call *c = p->data;
    pump(c);
    settle(c);
}

/* TLS may hold bytes that it has read, and may have to read before it writes: so both are tried each time. */
static void pump(struct mail_call *c) {
    send_some(c);
    while (!c->over && receive_reply(c)) {
        take_reply(c);
        send_some(c);
    }
    if (!c->over)
        uv_poll_start(c->poll, UV_READABLE | (c->sent < to_send(c).len ? UV_WRITABLE : 0), on_ready);
}

/* --- starting --- */

/* RFC 5321, 4.5.2: a line that starts with a dot gets another one. */
static void write_body(struct buf *out, struct str message) {
    bool at_start = true;
    for (size_t i = 0; i < message.len;) {
        char *end = memchr(message.ptr + i, '\n', message.len - i);
        size_t n = end ? (size_t)(end - (message.ptr + i)) + 1 : message.len - i;
        if (message.ptr[i] == '.')
            buf_addc(out, '.');
        buf_add(out, (struct str){message.ptr + i, n});
        i += n;
        at_start = end != NULL;
    }
    buf_adds(out, at_start ? ".\r\n" : "\r\n.\r\n");
}

/* What may stand between < and > of a command. */
static bool is_plain_address(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f || s.ptr[i] == '<' || s.ptr[i] == '>')
            return false;
    return s.len <= 320;
}

static bool check_request(const struct mail_request *r, struct error *err) {
    if (!r->recipient_count || r->recipient_count > RECIPIENTS_MAX)
        return error_set(err, ERR_INVALID, "a mail needs 1 to %d recipients", RECIPIENTS_MAX);
    if (r->message.len > MESSAGE_MAX)
        return error_set(err, ERR_TOO_LARGE, "a mail of more than %u MB", MESSAGE_MAX / 1024 / 1024);
    if (!is_plain_address(r->from))
        return error_set(err, ERR_INVALID, "from: no mail address");
    for (size_t i = 0; i < r->recipient_count; i++)
        if (!r->recipients[i].len || !is_plain_address(r->recipients[i]))
            return error_set(err, ERR_INVALID, "to: no mail address");
    return true;
}

/* A part of the URL, decoded; "" where there is none. free() it. */
static char *take_part(CURLU *url, CURLUPart part, unsigned flags) {
    char *value = NULL;
    char *copy = curl_url_get(url, part, &value, flags) == CURLUE_OK ? mem_strdup(value) : mem_strdup("");
    curl_free(value);
    return copy;
}

/* No error here repeats the URL: it holds the password. */
static bool set_server(struct mail_call *c, struct str server, struct error *err) {
    bool ok = false;
    char *text = str_dup(server), *scheme = NULL, *host = NULL, *port = NULL, *path = NULL;
    CURLU *url = curl_url();
    int64_t number;
    if (server.len > 2000 || strlen(text) != server.len || curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME)) {
        error_set(err, ERR_INVALID,
                  "server: not of the form smtps://USER:PASSWORD@HOST with user and password percent-encoded (@ is %%40)");
        goto out;
    }
    scheme = take_part(url, CURLUPART_SCHEME, 0);
    host = take_part(url, CURLUPART_HOST, 0);
    port = take_part(url, CURLUPART_PORT, 0);
    path = take_part(url, CURLUPART_PATH, 0);
    c->user = take_part(url, CURLUPART_USER, CURLU_URLDECODE);
    c->password = take_part(url, CURLUPART_PASSWORD, CURLU_URLDECODE);
    c->tls_first = !strcmp(scheme, "smtps");
    if (!c->tls_first && strcmp(scheme, "smtp")) {
        error_set(err, ERR_INVALID, "server: starts with smtps:// (TLS, port 465) or smtp:// (STARTTLS, port 587)");
        goto out;
    }
    if (path[0] && strcmp(path, "/")) {
        error_set(err, ERR_INVALID,
                  "server: nothing may stand after the host and port; is a / in the password percent-encoded (%%2F)?");
        goto out;
    }
    if (!hostname_to_ascii(str_from(host), c->host, err)) {
        error_set(err, ERR_INVALID, "server: its host is no host name");
        goto out;
    }
    number = c->tls_first ? 465 : 587;
    if (port[0] && (!str_to_int64(str_from(port), &number) || number < 1 || number > 65535)) {
        error_set(err, ERR_INVALID, "server: its port is not a number from 1 to 65535");
        goto out;
    }
    c->port = (uint16_t)number;
    ok = true;
out:
    curl_url_cleanup(url);
    free(text);
    free(scheme);
    free(host);
    free(port);
    free(path);
    return ok;
}

static void set_transfer(struct mail_call *c) {
    CURL *easy = c->transfer.easy;
    char url[HOSTNAME_MAX + 32];
    snprintf(url, sizeof url, "%s://%s:%d/", c->tls_first ? "smtps" : "smtp", c->host, c->port);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL); /* or nothing: no AUTH in the clear */
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_line);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, c);
    if (c->user[0]) {
        curl_easy_setopt(easy, CURLOPT_USERNAME, c->user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, c->password);
        curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS,
                         "AUTH=PLAIN;AUTH=LOGIN"); /* what all offer and nothing breaks on, under TLS */
        curl_easy_setopt(easy, CURLOPT_SASL_IR, 1L);
    }
}

struct mail_call *mail_start(struct transfers *ts, const struct mail_request *r, mail_done_fn *done, void *arg,
                             struct error *err) {
    if (!check_request(r, err))
        return NULL;
    struct mail_call *c = mem_alloc(sizeof *c);
    buf_init(&c->body, 2 * (size_t)MESSAGE_MAX + 8);
    buf_init(&c->out, 2000);
    if (!set_server(c, r->server, err)) {
        free_call(c);
        return NULL;
    }
    c->loop = transfers_loop(ts);
    c->done = done;
    c->arg = arg;
    c->started_ms = clock_monotonic_ms();
    c->timeout_ms = r->timeout_ms > 0 ? r->timeout_ms : TIMEOUT_MS;
    c->canceled = (struct loop_flush){.fn = on_canceled, .arg = c};
    c->from = str_dup(r->from);
    c->recipient_count = r->recipient_count;
    c->recipients = mem_alloc(r->recipient_count * sizeof *c->recipients);
    for (size_t i = 0; i < r->recipient_count; i++)
        c->recipients[i] = (struct mail_recipient){.address = str_dup(r->recipients[i]), .reply = mem_strdup("")};
    c->message_size = r->message.len;
    write_body(&c->body, r->message);
    timer_init(&c->deadline, c->loop, on_deadline);
    timer_start(&c->deadline, c->timeout_ms);
    transfer_init(&c->transfer, ts, on_connected);
    c->transfer.stays = true;
    set_transfer(c);
    transfer_start(&c->transfer, str_from(c->host), c->port);
    return c;
}
