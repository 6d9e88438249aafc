/* httpd.c — see httpd.h. Each libmicrohttpd connection has a `struct peer`; a request is part of it, as there is
 * one at a time.
 *
 * While a handler works on a request libmicrohttpd asks for its answer in each MHD_run: the request *lingers*. Most are
 * answered meanwhile. One that is not within LINGER_MS, or of which there are too many, is suspended, which takes it
 * out of libmicrohttpd's epoll set and time-outs: two epoll_ctl, an eventfd's write and a recv for nothing. Answers wait for
 * the one MHD_run at the end of the turn, which sends them all.
 *
 * A caller who closes while his request lingers takes the connection with him: the request stays as an *orphan*, without
 * its headers, until it is answered. */
#include "net/httpd.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "net/certificate.h"
#include "net/httpd_head.h"

/* Of a body that was refused, this much is read and dropped, so that the caller gets to see the answer: closing
 * with bytes unread would reset the connection and take the answer with it. */
#define DROP_MAX (8 * 1024 * 1024)
#define SWEEP_MS 1000
#define DRAIN_MS 2000 /* for what comes in and goes out while draining */
/* Rounds of one go before the rest of the loop gets its turn. */
#define ROUNDS_MAX 16
#define LINGER_MS 4
#define LINGER_MAX 64 /* each costs a call in each MHD_run */
#define NEVER INT64_MAX
#define PIECE_SIZE ((size_t)16 * 1024) /* of an answer in pieces: a chunk */
/* RFC 8996: nothing below TLS 1.2. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

enum state {
    STATE_NONE,    /* no request line yet */
    STATE_LINE,    /* the request line is there */
    STATE_HEAD,    /* the head was handled, the body comes in */
    STATE_LINGERS, /* handler.request was called, its answer is expected soon */
    STATE_WAITING, /* suspended */
    STATE_ORPHAN,  /* lingered when its connection was closed: nobody reads the answer */
    STATE_ANSWERED,
    STATES,
};

/* An answer in pieces. */
struct stream {
    const struct httpd_source *source; /* borrowed; NULL: none */
    void *arg;
    struct buf piece;
    size_t sent; /* of it */
    bool over, suspended;
};

struct httpd_request {
    enum state state;
    struct str target; /* the request line's */
    struct str method, path, query;
    struct httpd_field *fields; /* in arena */
    size_t field_count;
    size_t body_max, dropped;
    struct buf body;
    struct arena arena;
    struct MHD_Response *response; /* owned; to be queued when libmicrohttpd asks for it */
    unsigned status;
    int64_t lingers_until_ms;
    bool gone; /* told */
    char client[INET6_ADDRSTRLEN];
    void *user;
    struct stream stream;
};

struct peer {
    struct httpd *h;
    struct MHD_Connection *mhd;
    struct peer *next, **at; /* in httpd.peers */
    int fd;
    int64_t deadline_ms; /* for what must come in by then */
    bool used;           /* a request ended since the last sweep */
    struct httpd_request rq;
};

struct httpd {
    struct loop *loop;
    struct httpd_options options;
    struct httpd_handler handler;
    void *arg;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    struct timer sweep, again;
    struct loop_flush runs; /* one MHD_run a turn */
    struct peer *peers;
    unsigned peer_count;
    unsigned in_state[STATES]; /* of all peers */
    size_t bodies;             /* bytes held in all */
    uint16_t port;
    loop_fn *drained; /* NULL: not draining */
    void *drained_arg;
    bool refusing;
    struct certificate *certificate; /* owned; NULL: no TLS */
};

static struct peer *peer_of(struct httpd_request *rq) { return container_of(rq, struct peer, rq); }

static void set_state(struct httpd_request *rq, enum state to) {
    struct httpd *h = peer_of(rq)->h;
    h->in_state[rq->state]--;
    h->in_state[to]++;
    rq->state = to;
}

/* ---- running libmicrohttpd ---- */

static void run(struct httpd *h) {
    unsigned rounds = 0, rounds_max;
    unsigned long long wait_ms;
    bool more;
    do {
        MHD_run(h->daemon);
        more = MHD_get_timeout(h->daemon, &wait_ms) == MHD_YES && wait_ms == 0;
        /* Those that linger always want more. Beside them only what comes in may need many rounds; the second one finds
         * those who were answered in the first and asked again, so that workers get larger batches. */
        rounds_max = h->in_state[STATE_LINGERS] && !h->in_state[STATE_HEAD] ? 2 : ROUNDS_MAX;
    } while (more && ++rounds < rounds_max);
    if (more && !timer_is_running(&h->again))
        timer_start(&h->again, h->in_state[STATE_HEAD] ? 0 : LINGER_MS);
}

static void on_readable(uv_poll_t *p, int status, int events) {
    struct httpd *h = container_of(p, struct httpd, poll);
    (void)status, (void)events;
    loop_flush_add(h->loop, &h->runs);
}

static void on_again(struct timer *t) { run(container_of(t, struct httpd, again)); }
static void on_turn_ends(void *arg) { run(arg); }

/* ---- answers ---- */

bool httpd_field_is_ok(struct httpd_field f) {
    static const char *const ours[] = {"content-length", "transfer-encoding", "connection", "date"};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (str_eq_nocase(f.name, str_from(ours[i])))
            return false;
    return httpd_is_token(f.name) && httpd_is_value(f.value);
}

static void add_field(struct MHD_Response *response, struct httpd_field f) {
    char name[128], value[8192];
    if (!httpd_field_is_ok(f) || f.name.len >= sizeof name || f.value.len >= sizeof value) {
        log_warn("httpd", "msg=\"a header of an answer is not valid and was left out\" name=%s", log_quote(f.name));
        return;
    }
    memcpy(name, f.name.ptr, f.name.len);
    name[f.name.len] = 0;
    struct str trimmed = str_trim(f.value);
    for (size_t i = 0; i < trimmed.len; i++) /* libmicrohttpd takes no tabs */
        value[i] = trimmed.ptr[i] == '\t' ? ' ' : trimmed.ptr[i];
    value[trimmed.len] = 0;
    if (trimmed.len) /* nor empty values */
        MHD_add_response_header(response, name, value);
}

static enum MHD_Result send_answer(struct httpd_request *rq) {
    struct MHD_Response *response = rq->response;
    rq->response = NULL;
    set_state(rq, STATE_ANSWERED);
    enum MHD_Result result = MHD_queue_response(peer_of(rq)->mhd, rq->status, response);
    MHD_destroy_response(response);
    return result;
}

static void peer_free(struct peer *p);

static void answer(struct httpd_request *rq, int status, const struct httpd_field *headers, size_t n,
                   struct MHD_Response *response) {
    ENSURE(response && rq->state != STATE_ANSWERED && !rq->response && status >= 200 && status <= 599);
    struct peer *p = peer_of(rq);
    for (size_t i = 0; i < n; i++)
        add_field(response, headers[i]);
    if (p->h->drained)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    rq->response = response;
    rq->status = (unsigned)status;
    if (rq->state == STATE_ORPHAN) {
        set_state(rq, STATE_ANSWERED);
        peer_free(p);
    } else if (rq->state == STATE_WAITING) {
        send_answer(rq);
        MHD_resume_connection(p->mhd);
        loop_flush_add(p->h->loop, &p->h->runs);
    } else if (rq->state == STATE_LINGERS) {
        loop_flush_add(p->h->loop, &p->h->runs);
    }
}

void httpd_answer(struct httpd_request *rq, int status, const struct httpd_field *headers, size_t n, struct str body) {
    answer(rq, status, headers, n, MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.ptr, MHD_RESPMEM_MUST_COPY));
}

void httpd_answer_take(struct httpd_request *rq, int status, const struct httpd_field *headers, size_t n, char *body,
                       size_t len) {
    answer(rq, status, headers, n, MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE));
}

/* ---- answers in pieces ---- */

/* MHD asks for bytes. 0: there are none yet, and the connection is suspended. */
static ssize_t on_piece(void *arg, uint64_t at, char *out, size_t max) {
    struct httpd_request *rq = arg;
    struct stream *s = &rq->stream;
    (void)at;
    if (s->sent == s->piece.len && !s->over) {
        buf_clear(&s->piece);
        s->sent = 0;
        s->over = !s->source->pull(s->arg, &s->piece);
    }
    size_t left = s->piece.len - s->sent, n = left < max ? left : max;
    if (n == 0 && s->over)
        return rq->gone ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
    if (n == 0) {
        s->suspended = true;
        MHD_suspend_connection(peer_of(rq)->mhd);
    }
    memcpy(out, s->piece.ptr + s->sent, n);
    s->sent += n;
    return (ssize_t)n;
}

void httpd_stream(struct httpd_request *rq, const struct httpd_field *headers, size_t n, const struct httpd_source *source,
                  void *arg) {
    rq->stream = (struct stream){.source = source, .arg = arg};
    buf_init(&rq->stream.piece, HTTPD_PIECE_MAX);
    answer(rq, 200, headers, n, MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE_SIZE, on_piece, rq, NULL));
}

void httpd_stream_wake(struct httpd_request *rq) {
    struct peer *p = peer_of(rq);
    if (!rq->stream.suspended)
        return;
    rq->stream.suspended = false;
    MHD_resume_connection(p->mhd);
    loop_flush_add(p->h->loop, &p->h->runs);
}

bool httpd_is_gone(const struct httpd_request *rq) { return rq->gone; }

static void refuse(struct httpd_request *rq, int status, const char *why) {
    struct httpd_field headers[] = {{STR("Content-Type"), STR("text/plain; charset=utf-8")}, {STR("Retry-After"), STR("1")}};
    char text[256];
    int n = snprintf(text, sizeof text, "%s\n", why);
    httpd_answer(rq, status, headers, status == 503 ? 2 : 1, str_of(text, (size_t)n));
}

/* ---- a request comes in ---- */

/* Whether its handler still owes the answer. */
static bool is_due(const struct httpd_request *rq) {
    return rq->state >= STATE_LINGERS && rq->state <= STATE_ORPHAN && !rq->response;
}

static size_t held(const struct httpd_request *rq) { return rq->body.len; }

static void request_release(struct httpd_request *rq) {
    struct peer *p = peer_of(rq);
    if (rq->state == STATE_NONE)
        return;
    ENSURE(!is_due(rq));
    if (rq->stream.source) {
        rq->stream.source->closed(rq->stream.arg);
        buf_release(&rq->stream.piece);
    }
    p->h->bodies -= held(rq);
    buf_release(&rq->body);
    arena_release(&rq->arena);
    if (rq->response)
        MHD_destroy_response(rq->response);
    set_state(rq, STATE_NONE);
    *rq = (struct httpd_request){0};
}

static enum MHD_Result add_one_field(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value,
                                     size_t value_len) {
    struct httpd_request *rq = arg;
    (void)kind;
    rq->fields[rq->field_count++] = (struct httpd_field){{name, name_len}, {value, value_len}};
    return MHD_YES;
}

/* An absolute target, "http://host/path", is as good as "/path" (RFC 9112, 3.2.2). */
static void split_target(struct httpd_request *rq) {
    struct str s = rq->target, part;
    if (s.len > 8 && (str_eq_nocase(str_of(s.ptr, 7), STR("http://")) || str_eq_nocase(str_of(s.ptr, 8), STR("https://")))) {
        const char *path = strchr(s.ptr + 8, '/');
        s = path ? str_from(path) : STR("/");
    }
    str_cut(&s, '?', &part);
    rq->path = part;
    /* libmicrohttpd takes the query apart where it stands. */
    if (s.ptr)
        rq->query = arena_str(&rq->arena, s);
}

static struct peer *peer_find(struct MHD_Connection *c) {
    return MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

/* The request line is there. What this returns libmicrohttpd hands to the other callbacks. */
static void *on_line(void *arg, const char *target, struct MHD_Connection *c) {
    struct httpd *h = arg;
    struct peer *p = peer_find(c);
    struct httpd_request *rq = &p->rq;
    request_release(rq);
    arena_init(&rq->arena);
    set_state(rq, STATE_LINE);
    rq->target = str_from(target ? target : "");
    rq->body_max = h->options.body_max;
    split_target(rq);
    int64_t deadline_ms = loop_now_ms(h->loop) + h->options.timeout_s * 1000;
    if (p->deadline_ms > deadline_ms)
        p->deadline_ms = deadline_ms;
    return rq;
}

/* The body, if there is one, is not wanted: reads it to its end where that is not far, so that the connection can
 * be used again, else answers at once and closes. */
static enum MHD_Result drop_body(struct httpd_request *rq, int64_t length) {
    bool waits = str_eq_nocase(httpd_header(rq, "expect"), STR("100-continue"));
    if (length > 0 && (waits || length > DROP_MAX))
        return send_answer(rq);
    return MHD_YES;
}

static enum MHD_Result on_head(struct httpd_request *rq, struct str method, struct str version) {
    struct peer *p = peer_of(rq);
    struct httpd *h = p->h;
    const char *why;
    rq->method = method;
    int count = MHD_get_connection_values_n(p->mhd, MHD_HEADER_KIND, NULL, NULL);
    rq->fields = arena_alloc(&rq->arena, (size_t)count * sizeof *rq->fields);
    MHD_get_connection_values_n(p->mhd, MHD_HEADER_KIND, add_one_field, rq);
    size_t size = MHD_get_connection_info(p->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    int status =
        httpd_check_head(&(struct httpd_head){method, rq->target, rq->path, version, rq->fields, rq->field_count, size}, &why);
    if (!status && h->peer_count > h->options.max_connections) {
        status = 503;
        why = "Too many connections.";
    }
    if (!status && h->refusing) {
        status = 503;
        why = "The server stops.";
    }
    if (status) {
        refuse(rq, status, why);
        return send_answer(rq); /* the body, if any, is not read: libmicrohttpd closes the connection */
    }
    int64_t length = 0;
    struct str text = httpd_header(rq, "content-length");
    if (text.len && !str_to_int64(text, &length))
        length = INT64_MAX;
    set_state(rq, STATE_HEAD);
    h->handler.head(h->arg, rq);
    if (!rq->response && length > 0 && (uint64_t)length > rq->body_max)
        refuse(rq, 413, "The body is too large.");
    if (rq->response)
        return drop_body(rq, length);
    buf_init(&rq->body, rq->body_max);
    return MHD_YES;
}

static enum MHD_Result on_body(struct httpd_request *rq, struct str part) {
    struct httpd *h = peer_of(rq)->h;
    if (!rq->response) {
        if (part.len > rq->body_max - rq->body.len)
            refuse(rq, 413, "The body is too large.");
        else if (h->bodies + part.len > h->options.bodies_max)
            refuse(rq, 503, "Too many large requests at the moment.");
    }
    if (rq->response) {
        rq->dropped += part.len;
        return rq->dropped > DROP_MAX ? MHD_NO : MHD_YES;
    }
    buf_add(&rq->body, part);
    h->bodies += part.len;
    return MHD_YES;
}

static enum MHD_Result on_complete(struct httpd_request *rq) {
    struct peer *p = peer_of(rq);
    struct httpd *h = p->h;
    p->deadline_ms = NEVER;
    if (!rq->response && h->refusing && !is_due(rq))
        refuse(rq, 503, "The server stops.");
    if (!rq->response && rq->state == STATE_HEAD) {
        set_state(rq, STATE_LINGERS);
        rq->lingers_until_ms = loop_now_ms(h->loop) + LINGER_MS;
        h->handler.request(h->arg, rq);
    }
    if (rq->response)
        return send_answer(rq);
    if (loop_now_ms(h->loop) >= rq->lingers_until_ms || h->in_state[STATE_LINGERS] > LINGER_MAX) {
        set_state(rq, STATE_WAITING);
        MHD_suspend_connection(p->mhd);
    }
    return MHD_YES;
}

/* Called by libmicrohttpd for the head, then for each part of the body, then for its end until it is answered. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                                  const char *data, size_t *size, void **context) {
    struct httpd_request *rq = *context;
    (void)arg, (void)c, (void)url;
    if (rq->state == STATE_LINE)
        return on_head(rq, str_from(method), str_from(version));
    if (*size) {
        struct str part = str_of(data, *size);
        *size = 0;
        return on_body(rq, part);
    }
    return on_complete(rq);
}

static void tell_gone(struct peer *p) {
    if (p->rq.gone)
        return;
    p->rq.gone = true;
    if (p->rq.stream.source)
        httpd_stream_wake(&p->rq);
    else if (p->h->handler.gone)
        p->h->handler.gone(p->h->arg, &p->rq);
}

/* What stood in the connection's memory goes with it. */
static void make_orphan(struct httpd_request *rq) {
    set_state(rq, STATE_ORPHAN);
    rq->method = rq->target = rq->path = STR("");
    rq->field_count = 0;
    httpd_client(rq);
}

static void on_ended(void *arg, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode code) {
    struct httpd_request *rq = *context;
    (void)arg, (void)c, (void)code;
    if (!rq)
        return;
    *context = NULL;
    struct peer *p = peer_of(rq);
    if (rq->state == STATE_LINGERS && !rq->response) {
        make_orphan(rq);
        return;
    }
    request_release(rq);
    p->used = true;
    bool last = p->h->drained; /* nothing more is wanted of it: a stream did not say that it would be the last answer */
    p->deadline_ms = loop_now_ms(p->h->loop) + (last ? 0 : (p->h->options.idle_s + p->h->options.timeout_s) * 1000);
}

/* ---- connections ---- */

static void peer_open(struct httpd *h, struct MHD_Connection *c, void **context) {
    struct peer *p = mem_alloc(sizeof *p);
    p->h = h;
    p->mhd = c;
    p->fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    p->deadline_ms = loop_now_ms(h->loop) + h->options.timeout_s * 1000;
    p->next = h->peers;
    p->at = &h->peers;
    if (p->next)
        p->next->at = &p->next;
    h->peers = p;
    h->in_state[STATE_NONE]++;
    if (!h->peer_count++)
        timer_start(&h->sweep, SWEEP_MS);
    *context = p;
}

static void peer_free(struct peer *p) {
    struct httpd *h = p->h;
    request_release(&p->rq);
    h->in_state[STATE_NONE]--;
    *p->at = p->next;
    if (p->next)
        p->next->at = p->at;
    free(p);
    if (--h->peer_count == 0 && h->drained)
        loop_post(h->loop, h->drained, h->drained_arg);
}

/* The descriptor is closed after this. */
static void peer_close(struct peer *p) {
    p->mhd = NULL;
    p->fd = -1;
    if (p->rq.state == STATE_ORPHAN)
        tell_gone(p);
    else
        peer_free(p);
}

static void on_connection(void *arg, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        peer_open(arg, c, context);
    else if (*context)
        peer_close(*context);
}

/* libmicrohttpd notices that the socket is shut and closes the connection. */
static void peer_shut(struct peer *p) {
    static const char late[] = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    if ((p->rq.state == STATE_LINE || p->rq.state == STATE_HEAD) && !p->h->options.tls_cert)
        (void)!send(p->fd, late, sizeof late - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(p->fd, SHUT_RDWR);
    p->deadline_ms = NEVER;
}

/* The caller has closed the connection, or its sending half. */
static bool has_hung_up(const struct peer *p) {
    struct pollfd fd = {.fd = p->fd, .events = POLLRDHUP};
    return poll(&fd, 1, 0) > 0;
}

/* libmicrohttpd does not see the end of what a caller sends when it comes together with a request that then lingers. */
static void look_for_end(struct peer *p) {
    p->used = false;
    if (p->rq.state == STATE_NONE && has_hung_up(p))
        peer_shut(p);
}

/* Once a second: who is late, who has hung up, and libmicrohttpd's own time-outs. */
static void on_sweep(struct timer *t) {
    struct httpd *h = container_of(t, struct httpd, sweep);
    int64_t now_ms = loop_now_ms(h->loop);
    for (struct peer *p = h->peers; p; p = p->next) {
        if (p->deadline_ms <= now_ms)
            peer_shut(p);
        else if (!p->rq.gone && (p->rq.state == STATE_WAITING || p->rq.stream.suspended) && has_hung_up(p))
            tell_gone(p);
        else if (p->used)
            look_for_end(p);
    }
    run(h);
    if (h->peers)
        timer_start(&h->sweep, SWEEP_MS);
}

/* ---- opening and closing ---- */

static bool parse_address(const struct httpd_options *o, struct sockaddr_storage *out, socklen_t *size, struct error *err) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    if (uv_ip4_addr(o->address, o->port, v4) == 0)
        *size = sizeof *v4;
    else if (uv_ip6_addr(o->address, o->port, v6) == 0)
        *size = sizeof *v6;
    else
        return error_set(err, ERR_INVALID, "%s is no IP address to listen on", o->address);
    return true;
}

static bool open_socket(struct httpd *h, int *out, struct error *err) {
    struct sockaddr_storage sa = {0};
    socklen_t size;
    if (!parse_address(&h->options, &sa, &size, err))
        return false;
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int yes = 1;
    if (fd < 0)
        return error_errno(err, "socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&sa, size) || listen(fd, SOMAXCONN) || getsockname(fd, (struct sockaddr *)&sa, &size)) {
        if (errno == EADDRINUSE)
            error_set(err, ERR_CONFLICT, "port %u of %s is in use: end the other program or choose another port", h->options.port,
                      h->options.address);
        else
            error_errno(err, "listen");
        close(fd);
        return error_wrap(err, "cannot listen on %s, port %u", h->options.address, h->options.port);
    }
    h->port = ntohs(sa.ss_family == AF_INET ? ((struct sockaddr_in *)&sa)->sin_port : ((struct sockaddr_in6 *)&sa)->sin6_port);
    *out = fd;
    return true;
}

static size_t leave_escaped(void *arg, struct MHD_Connection *c, char *text) {
    (void)arg, (void)c;
    return strlen(text);
}

/* A certificate that was read again is used from the next handshake on; connections stay as they are. */
static int on_handshake(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
                        const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **chain,
                        unsigned int *chain_length, gnutls_privkey_t *key) {
    struct peer *p = peer_find(gnutls_session_get_ptr(session));
    struct certificate *c = p->h->certificate;
    (void)authorities, (void)authority_count, (void)algorithms, (void)algorithm_count;
    *chain = c->chain;
    *chain_length = c->count;
    *key = c->key;
    return 0;
}

bool httpd_reload_certificate(struct httpd *h, struct error *err) {
    if (!h->certificate)
        return true;
    struct certificate *c = certificate_load(h->options.tls_cert, h->options.tls_key, err);
    if (!c)
        return false;
    c->older = h->certificate;
    h->certificate = c;
    return true;
}

static bool start(struct httpd *h, struct error *err) {
    const struct httpd_options *o = &h->options;
    struct MHD_OptionItem tls[] = {{MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}, {MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
    int fd = -1;
    if (o->tls_cert) {
        h->certificate = certificate_load(o->tls_cert, o->tls_key, err);
        if (!h->certificate)
            return false;
        tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)on_handshake};
        tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES};
        flags |= MHD_USE_TLS;
    }
    if (!open_socket(h, &fd, err))
        return false;
    unsigned idle_s = o->idle_s > o->timeout_s ? o->idle_s : o->timeout_s;
    h->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_MEMORY_LIMIT, o->header_max,
        MHD_OPTION_CONNECTION_LIMIT, o->max_connections + o->max_connections / 8 + 16, MHD_OPTION_CONNECTION_TIMEOUT, idle_s,
        MHD_OPTION_NOTIFY_COMPLETED, on_ended, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_URI_LOG_CALLBACK,
        on_line, h, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, h, MHD_OPTION_STRICT_FOR_CLIENT,
        MHD_VERSION >= 0x00097600 ? 1 : 0, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (!h->daemon) /* which has closed fd */
        return error_set(err, ERR_INVALID, "the HTTP server did not start");
    return true;
}

static void free_on_close(uv_handle_t *handle) {
    struct httpd *h = container_of((uv_poll_t *)handle, struct httpd, poll);
    certificate_free(h->certificate);
    free(h);
}

struct httpd *httpd_open(struct loop *l, const struct httpd_options *options, const struct httpd_handler *handler, void *arg,
                         struct error *err) {
    struct httpd *h = mem_alloc(sizeof *h);
    *h = (struct httpd){.loop = l, .options = *options, .handler = *handler, .arg = arg};
    h->runs = (struct loop_flush){.fn = on_turn_ends, .arg = h};
    timer_init(&h->sweep, l, on_sweep);
    timer_init(&h->again, l, on_again);
    if (!start(h, err)) {
        certificate_free(h->certificate);
        free(h);
        return NULL;
    }
    uv_poll_init(loop_uv(l), &h->poll, MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
    uv_poll_start(&h->poll, UV_READABLE, on_readable);
    run(h);
    return h;
}

uint16_t httpd_port(const struct httpd *h) { return h->port; }
unsigned httpd_connections(const struct httpd *h) { return h->peer_count; }

void httpd_drain(struct httpd *h, loop_fn *done, void *arg) {
    ENSURE(!h->drained);
    h->drained = done;
    h->drained_arg = arg;
    close(MHD_quiesce_daemon(h->daemon));
    int64_t deadline_ms = loop_now_ms(h->loop) + DRAIN_MS;
    for (struct peer *p = h->peers; p; p = p->next) {
        if (p->rq.state == STATE_NONE)
            peer_shut(p);
        else if (!is_due(&p->rq) && p->deadline_ms > deadline_ms)
            p->deadline_ms = deadline_ms;
    }
    loop_flush_add(h->loop, &h->runs);
    if (!h->peers)
        loop_post(h->loop, done, arg);
}

void httpd_refuse(struct httpd *h) { h->refusing = true; }

void httpd_close(struct httpd *h) {
    if (!h)
        return;
    httpd_refuse(h);
    for (struct peer *p = h->peers; p; p = p->next)
        ENSURE(!is_due(&p->rq) && !p->rq.stream.suspended);
    run(h); /* what was answered just now leaves */
    h->drained = NULL;
    uv_poll_stop(&h->poll);
    MHD_stop_daemon(h->daemon);
    timer_stop(&h->sweep);
    timer_stop(&h->again);
    loop_flush_remove(h->loop, &h->runs);
    uv_close((uv_handle_t *)&h->poll, free_on_close);
}

/* ---- what handlers read ---- */

struct str httpd_method(const struct httpd_request *rq) {
    return rq->method;
}
struct str httpd_path(const struct httpd_request *rq) {
    return rq->path;
}
struct str httpd_query(const struct httpd_request *rq) {
    return rq->query;
}
struct str httpd_body(const struct httpd_request *rq) {
    return buf_str(&rq->body);
}
struct arena *httpd_arena(struct httpd_request *rq) {
    return &rq->arena;
}
void httpd_set_user(struct httpd_request *rq, void *user) { rq->user = user; }
void *httpd_user(const struct httpd_request *rq) { return rq->user; }
void httpd_set_body_max(struct httpd_request *rq, size_t bytes) { rq->body_max = bytes; }

const struct httpd_field *httpd_headers(const struct httpd_request *rq, size_t *n) {
    *n = rq->field_count;
    return rq->fields;
}

struct str httpd_header(const struct httpd_request *rq, const char *name) {
    for (size_t i = 0; i < rq->field_count; i++)
        if (str_eq_nocase(rq->fields[i].name, str_from(name)))
            return rq->fields[i].value;
    return (struct str){NULL, 0};
}

const char *httpd_client(struct httpd_request *rq) {
    if (!rq->client[0])
        uv_ip_name(MHD_get_connection_info(peer_of(rq)->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr, rq->client,
                   sizeof rq->client);
    return rq->client;
}
