/* names.c — see names.h.
 *
 *     start --> LOOK_UP --> ASK <-+          LOOK_UP only for names_lookup, or when the server is given by name
 *                  |         |    | nobody answered, tries left
 *                  v         v----+
 *                 finish, once
 *
 * Each call has a c-ares channel of its own: so each has its own source port, and ending a call is
 * ending its channel. c-ares calls back from inside its own functions, where a channel may not be
 * changed: what it says is only kept, and looked at when the turn ends (on_flush). That also makes
 * each `done` come later than its start. */
#include "net/names.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>

#include "base/clock.h"
#include "net/hostname.h"

#define SERVERS_MAX 8
#define TIMEOUT_MS 3000
#define LOOKUP_TIMEOUT_MS 5000
#define TRIES 2
#define EDNS_SIZE 1232 /* bytes of an answer by UDP that need no fragments */

struct names {
    struct loop *loop;
    const struct outgoing *outgoing; /* borrowed */
};

enum phase { START, LOOK_UP, ASK };

struct names_call {
    struct names *owner;
    names_done_fn *done;
    void *arg;
    enum phase phase;
    bool only_lookup; /* the addresses are what is wanted */
    char name[HOSTNAME_MAX];
    int type;
    char server_name[HOSTNAME_MAX]; /* "": the servers are known */
    uint16_t server_port;
    struct sockaddr_storage servers[SERVERS_MAX];
    size_t server_count;
    size_t asked; /* servers asked so far, each round counted */
    int timeout_ms, tries;
    int64_t started_ms;

    ares_channel channel;    /* NULL: none */
    struct timer ares_timer; /* when c-ares wants to be called */
    struct timer deadline;   /* of this try */
    struct loop_flush flush;
    struct watcher *watchers;

    bool timed_out, canceled;
    int status;                      /* what c-ares said last, */
    struct buf packet;               /* ASK: with this answer, */
    struct ares_addrinfo *addresses; /* LOOK_UP: with these. Owned, or NULL */
    struct error last;               /* why the last try brought nothing */
};

/* One a socket of c-ares. */
struct watcher {
    uv_poll_t poll;
    struct names_call *call;
    ares_socket_t socket;
    struct watcher *next;
};

struct names *names_new(struct loop *l, const struct outgoing *outgoing) {
    ENSURE(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS); /* counted by c-ares */
    struct names *n = mem_alloc(sizeof *n);
    n->loop = l;
    n->outgoing = outgoing;
    return n;
}

void names_free(struct names *n) {
    if (!n)
        return;
    ares_library_cleanup();
    free(n);
}

/* --- c-ares on the loop --- */

static void set_ares_timer(struct names_call *c) {
    struct timeval in;
    if (ares_timeout(c->channel, NULL, &in))
        timer_start(&c->ares_timer, in.tv_sec * 1000 + in.tv_usec / 1000 + 1);
    else
        timer_stop(&c->ares_timer);
}

static void process(struct names_call *c, ares_socket_t in, ares_socket_t out) {
    ares_process_fd(c->channel, in, out);
    set_ares_timer(c);
}

static void on_ares_timer(struct timer *t) {
    process(container_of(t, struct names_call, ares_timer), ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/* An error of the socket is readable too: c-ares meets it there. */
static void on_ready(uv_poll_t *p, int status, int events) {
    struct watcher *w = container_of(p, struct watcher, poll);
    process(w->call, status < 0 || events & UV_READABLE ? w->socket : ARES_SOCKET_BAD,
            status < 0 || events & UV_WRITABLE ? w->socket : ARES_SOCKET_BAD);
}

static void on_closed(uv_handle_t *h) { free(container_of((uv_poll_t *)h, struct watcher, poll)); }

static void on_socket_state(void *arg, ares_socket_t socket, int readable, int writable) {
    struct names_call *c = arg;
    struct watcher **at = &c->watchers;
    while (*at && (*at)->socket != socket)
        at = &(*at)->next;
    struct watcher *w = *at;
    if (!readable && !writable) {
        if (w) {
            *at = w->next;
            uv_poll_stop(&w->poll);
            uv_close((uv_handle_t *)&w->poll, on_closed);
        }
        return;
    }
    if (!w) {
        *at = w = mem_alloc(sizeof *w);
        w->call = c;
        w->socket = socket;
        ENSURE(uv_poll_init_socket(loop_uv(c->owner->loop), &w->poll, socket) == 0);
    }
    uv_poll_start(&w->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0), on_ready);
}

static void close_channel(struct names_call *c) {
    if (c->channel)
        ares_destroy(c->channel);
    c->channel = NULL;
    timer_stop(&c->ares_timer);
    timer_stop(&c->deadline);
}

static bool open_channel(struct names_call *c, int ares_timeout_ms, int flags, struct error *err) {
    close_channel(c);
    struct ares_options o = {.flags = ARES_FLAG_NOALIASES | flags,
                             .timeout = ares_timeout_ms,
                             .tries = 1,
                             .ednspsz = EDNS_SIZE,
                             .sock_state_cb = on_socket_state,
                             .sock_state_cb_data = c};
    int code = ares_init_options(
        &c->channel, &o, ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_STATE_CB);
    if (code == ARES_SUCCESS)
        return true;
    c->channel = NULL;
    return error_set(err, ERR_INTERNAL, "the DNS client could not be set up: %s", ares_strerror(code));
}

/* --- a call's end --- */

static void finish(struct names_call *c, struct names_answer *answer, const struct error *err) {
    struct names_answer none = {.rcode = ""};
    answer = answer ? answer : &none;
    close_channel(c);
    loop_flush_remove(c->owner->loop, &c->flush);
    answer->duration_ms = clock_monotonic_ms() - c->started_ms;
    c->done(c->arg, answer, err);
    json_decref(answer->records);
    if (c->addresses)
        ares_freeaddrinfo(c->addresses);
    buf_release(&c->packet);
    free(c);
}

static void fail(struct names_call *c, enum error_code code, const char *text) {
    struct error err;
    error_set(&err, code, "%s", text);
    finish(c, NULL, &err);
}

static void hear(struct names_call *c, int status) {
    c->status = status;
    if (status != ARES_EDESTRUCTION)
        loop_flush_add(c->owner->loop, &c->flush);
}

static void on_deadline(struct timer *t) {
    struct names_call *c = container_of(t, struct names_call, deadline);
    c->timed_out = true;
    ares_cancel(c->channel); /* calls back */
}

/* --- addresses of a name --- */

static void on_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *found) {
    (void)timeouts;
    struct names_call *c = arg;
    c->addresses = found;
    hear(c, status);
}

static void look_up(struct names_call *c, const char *name) {
    struct error err;
    /* The system's servers, and time for a second one when the first is silent. */
    if (!open_channel(c, c->timeout_ms / 3 + 1, 0, &err)) {
        finish(c, NULL, &err);
        return;
    }
    c->phase = LOOK_UP;
    timer_start(&c->deadline, c->timeout_ms);
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC};
    ares_getaddrinfo(c->channel, name, NULL, &hints, on_addresses, c);
    set_ares_timer(c);
}

static bool check_lookup(struct names_call *c, const char *name, struct error *err) {
    if (c->timed_out || c->status == ARES_ETIMEOUT)
        return error_set(err, ERR_TIMEOUT, "no name server told the address of %s within %d ms", name, c->timeout_ms);
    if (c->status != ARES_SUCCESS || !c->addresses->nodes)
        return error_set(err, ERR_DNS_FAILED, "%s has no address: %s", name, ares_strerror(c->status));
    return true;
}

static void give_addresses(struct names_call *c) {
    struct error err;
    if (!check_lookup(c, c->name, &err)) {
        finish(c, NULL, &err);
        return;
    }
    struct names_answer answer = {.records = json_array(), .rcode = "NOERROR"};
    size_t n = 0;
    for (struct ares_addrinfo_node *a = c->addresses->nodes; a && n < NAMES_RECORDS_MAX; a = a->ai_next, n++) {
        char text[ADDRESS_TEXT_MAX];
        struct sockaddr_storage sa = {0};
        memcpy(&sa, a->ai_addr, a->ai_addrlen);
        bool v6 = a->ai_family == AF_INET6;
        const void *bytes =
            v6 ? (void *)&((struct sockaddr_in6 *)&sa)->sin6_addr : (void *)&((struct sockaddr_in *)&sa)->sin_addr;
        inet_ntop(a->ai_family, bytes, text, sizeof text);
        json_array_append_new(answer.records, json_pack("{ss ss si ss}", "name", c->name, "type", v6 ? "AAAA" : "A", "ttl",
                                                        a->ai_ttl, "address", text));
    }
    finish(c, &answer, NULL);
}

/* --- asking --- */

static void add_server(struct names_call *c, const struct sockaddr *sa) {
    if (c->server_count < SERVERS_MAX)
        memcpy(&c->servers[c->server_count++], sa, address_size(sa));
}

static bool add_allowed_server(struct names_call *c, const struct sockaddr *sa, struct error *err) {
    if (!outgoing_check(c->owner->outgoing, sa, err))
        return error_wrap(err, "name server");
    add_server(c, sa);
    return true;
}

/* Of several addresses those that may be reached. */
static bool add_found_servers(struct names_call *c, struct error *err) {
    if (!check_lookup(c, c->server_name, err))
        return error_wrap(err, "name server");
    for (struct ares_addrinfo_node *a = c->addresses->nodes; a; a = a->ai_next) {
        struct sockaddr_storage sa = {0};
        memcpy(&sa, a->ai_addr, a->ai_addrlen);
        if (a->ai_family == AF_INET6)
            ((struct sockaddr_in6 *)&sa)->sin6_port = htons(c->server_port);
        else
            ((struct sockaddr_in *)&sa)->sin_port = htons(c->server_port);
        if (!add_allowed_server(c, (struct sockaddr *)&sa, err) && !a->ai_next && !c->server_count)
            return false;
    }
    return true;
}

static void to_port_node(const struct sockaddr_storage *sa, struct ares_addr_port_node *out) {
    *out = (struct ares_addr_port_node){.family = sa->ss_family};
    if (sa->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const void *)sa;
        memcpy(&out->addr.addr6, &in->sin6_addr, sizeof out->addr.addr6);
        out->udp_port = out->tcp_port = ntohs(in->sin6_port);
    } else {
        const struct sockaddr_in *in = (const void *)sa;
        out->addr.addr4 = in->sin_addr;
        out->udp_port = out->tcp_port = ntohs(in->sin_port);
    }
}

/* From resolv.conf, as c-ares read it. */
static void add_system_servers(struct names_call *c) {
    struct ares_addr_port_node *list = NULL;
    if (ares_get_servers_ports(c->channel, &list) != ARES_SUCCESS)
        return;
    for (struct ares_addr_port_node *s = list; s; s = s->next) {
        uint16_t port = htons((uint16_t)(s->udp_port ? s->udp_port : 53));
        struct sockaddr_storage sa = {.ss_family = (sa_family_t)s->family};
        if (s->family == AF_INET6) {
            memcpy(&((struct sockaddr_in6 *)&sa)->sin6_addr, &s->addr.addr6, 16);
            ((struct sockaddr_in6 *)&sa)->sin6_port = port;
        } else {
            ((struct sockaddr_in *)&sa)->sin_addr = s->addr.addr4;
            ((struct sockaddr_in *)&sa)->sin_port = port;
        }
        add_server(c, (struct sockaddr *)&sa);
    }
    ares_free_data(list);
}

static const struct sockaddr *current_server(const struct names_call *c) {
    return (const struct sockaddr *)&c->servers[(c->asked - 1) % c->server_count];
}

static void on_packet(void *arg, int status, int timeouts, unsigned char *bytes, int len) {
    (void)timeouts;
    struct names_call *c = arg;
    buf_clear(&c->packet);
    if (status == ARES_SUCCESS)
        buf_add(&c->packet, str_of(bytes, (size_t)len));
    hear(c, status);
}

static void ask_next(struct names_call *c) {
    if (c->asked == c->server_count * (size_t)c->tries) {
        finish(c, NULL, &c->last);
        return;
    }
    c->timed_out = false;
    c->asked++;
    struct ares_addr_port_node server;
    to_port_node(&c->servers[(c->asked - 1) % c->server_count], &server);
    uint16_t id;
    random_bytes(&id, sizeof id);
    unsigned char *query = NULL;
    int len = 0, code = ares_set_servers_ports(c->channel, &server);
    if (code == ARES_SUCCESS)
        code = ares_create_query(c->name, ns_c_in, c->type, id, 1, &query, &len, EDNS_SIZE);
    if (code != ARES_SUCCESS) {
        fail(c, ERR_INVALID, ares_strerror(code));
        return;
    }
    timer_start(&c->deadline, c->timeout_ms);
    ares_send(c->channel, query, len, on_packet, c);
    ares_free_string(query);
    set_ares_timer(c);
}

/* The deadline counts here, so c-ares' own time-out comes after it. All answers count: NOCHECKRESP. */
static void ask_first(struct names_call *c) {
    struct error err;
    if (!open_channel(c, c->timeout_ms + 1000, ARES_FLAG_NOCHECKRESP | ARES_FLAG_EDNS, &err)) {
        finish(c, NULL, &err);
        return;
    }
    if (!c->server_count)
        add_system_servers(c);
    if (!c->server_count) {
        fail(c, ERR_DNS_FAILED, "the system names no name server");
        return;
    }
    c->phase = ASK;
    ask_next(c);
}

static void take_answer(struct names_call *c) {
    char server[ADDRESS_TEXT_MAX];
    address_write(current_server(c), server);
    timer_stop(&c->deadline);
    if (c->status == ARES_SUCCESS) {
        struct names_answer answer = {0};
        if (names_parse(buf_str(&c->packet), &answer, &c->last)) {
            memcpy(answer.server, server, sizeof server);
            finish(c, &answer, NULL);
            return;
        }
        error_wrap(&c->last, "%s", server);
    } else if (c->timed_out) {
        error_set(&c->last, ERR_TIMEOUT, "the name server %s did not answer within %d ms", server, c->timeout_ms);
    } else if (c->status == ARES_ECONNREFUSED || c->status == ARES_ETIMEOUT) { /* before our own time: refused, in newer c-ares */
        error_set(&c->last, ERR_CONNECT_FAILED, "nobody answers at the name server %s", server);
    } else {
        error_set(&c->last, ERR_PROTOCOL, "the name server %s: %s", server, ares_strerror(c->status));
    }
    ask_next(c);
}

static void on_flush(void *arg) {
    struct names_call *c = arg;
    struct error err;
    if (c->canceled) {
        fail(c, ERR_CANCELED, "canceled");
    } else if (c->phase == ASK) {
        take_answer(c);
    } else if (c->only_lookup) {
        if (c->phase == START)
            look_up(c, c->name);
        else
            give_addresses(c);
    } else if (c->phase == START && c->server_name[0]) {
        look_up(c, c->server_name);
    } else if (c->phase == LOOK_UP && !add_found_servers(c, &err)) {
        finish(c, NULL, &err);
    } else {
        ask_first(c);
    }
}

/* --- starting --- */

static struct names_call *new_call(struct names *n, names_done_fn *done, void *arg) {
    struct names_call *c = mem_alloc(sizeof *c);
    c->owner = n;
    c->done = done;
    c->arg = arg;
    c->started_ms = clock_monotonic_ms();
    c->flush = (struct loop_flush){.fn = on_flush, .arg = c};
    buf_init(&c->packet, 65536);
    timer_init(&c->ares_timer, n->loop, on_ares_timer);
    timer_init(&c->deadline, n->loop, on_deadline);
    return c;
}

static int clamp(int value, int fallback, int max) { return value <= 0 ? fallback : value > max ? max : value; }

/* "ADDRESS", "ADDRESS:PORT", "[ADDRESS]:PORT", "NAME", "NAME:PORT". */
static bool set_server(struct names_call *c, struct str text, struct error *err) {
    struct sockaddr_storage sa;
    struct error no_address;
    char with_port[HOSTNAME_MAX + 16];
    struct in6_addr v6;
    int64_t port = 53;
    if (text.len > HOSTNAME_MAX + 8)
        return error_set(err, ERR_INVALID, "server: too long");
    snprintf(with_port, sizeof with_port, STR_FMT, STR_ARG(text));
    bool bare_v6 = inet_pton(AF_INET6, with_port, &v6) == 1;
    size_t colon = bare_v6 ? SIZE_MAX : str_find(text, STR(":"));
    if (text.len && text.ptr[0] == '[') {
        size_t end = str_find(text, STR("]:"));
        colon = end == SIZE_MAX ? SIZE_MAX : end + 1;
    }
    struct str host = {text.ptr, colon == SIZE_MAX ? text.len : colon};
    if (colon != SIZE_MAX &&
        (!str_to_int64((struct str){text.ptr + colon + 1, text.len - colon - 1}, &port) || port < 1 || port > 65535))
        return error_set(err, ERR_INVALID, "server: its port is not a number from 1 to 65535");
    if (outgoing_find(c->owner->outgoing, host, (uint16_t)port, &sa)) {
        add_server(c, (struct sockaddr *)&sa);
        return true;
    }
    snprintf(with_port, sizeof with_port, bare_v6 ? "[" STR_FMT "]:%d" : STR_FMT ":%d", STR_ARG(host), (int)port);
    if (address_parse(str_from(with_port), &sa, &no_address))
        return add_allowed_server(c, (struct sockaddr *)&sa, err);
    c->server_port = (uint16_t)port;
    return hostname_to_ascii(host, c->server_name, err) || error_wrap(err, "server");
}

/* Takes c. A name that is refused here is refused before anything is sent. */
static struct names_call *start_question(struct names_call *c, const struct names_question *q, struct error *err) {
    c->timeout_ms = clamp(q->timeout_ms, TIMEOUT_MS, NAMES_TIMEOUT_MAX_MS);
    c->tries = clamp(q->tries, TRIES, NAMES_TRIES_MAX);
    if (q->server.len && !set_server(c, q->server, err)) {
        buf_release(&c->packet);
        free(c);
        return NULL;
    }
    loop_flush_add(c->owner->loop, &c->flush);
    return c;
}

struct names_call *names_resolve(struct names *n, const struct names_question *q, names_done_fn *done, void *arg,
                                 struct error *err) {
    char name[HOSTNAME_MAX];
    int type = names_type_number(q->type);
    if (type < 0) {
        error_set(err, ERR_INVALID, "type: one of A AAAA CNAME MX NS SOA TXT SRV CAA PTR");
        return NULL;
    }
    if (!hostname_to_ascii(q->name, name, err)) {
        error_wrap(err, "name");
        return NULL;
    }
    struct names_call *c = new_call(n, done, arg);
    memcpy(c->name, name, sizeof name);
    c->type = type;
    return start_question(c, q, err);
}

/* RFC 1035, 3.5 and RFC 3596, 2.5. */
static bool reverse_name(struct str address, char out[HOSTNAME_MAX]) {
    char text[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    if (address.len >= sizeof text)
        return false;
    snprintf(text, sizeof text, STR_FMT, STR_ARG(address));
    int at = 0;
    if (inet_pton(AF_INET, text, bytes) == 1) {
        snprintf(out, HOSTNAME_MAX, "%d.%d.%d.%d.in-addr.arpa", bytes[3], bytes[2], bytes[1], bytes[0]);
        return true;
    }
    if (inet_pton(AF_INET6, text, bytes) != 1)
        return false;
    for (int i = 15; i >= 0; i--)
        at += snprintf(out + at, (size_t)(HOSTNAME_MAX - at), "%x.%x.", bytes[i] & 15, bytes[i] >> 4);
    snprintf(out + at, (size_t)(HOSTNAME_MAX - at), "ip6.arpa");
    return true;
}

struct names_call *names_reverse(struct names *n, const struct names_question *q, names_done_fn *done, void *arg,
                                 struct error *err) {
    char name[HOSTNAME_MAX];
    if (!reverse_name(q->name, name)) {
        error_set(err, ERR_INVALID, "an IPv4 or IPv6 address is wanted");
        return NULL;
    }
    struct names_question pointer = *q;
    pointer.name = str_from(name);
    pointer.type = STR("PTR");
    return names_resolve(n, &pointer, done, arg, err);
}

struct names_call *names_lookup(struct names *n, struct str name, int timeout_ms, names_done_fn *done, void *arg,
                                struct error *err) {
    char ascii[HOSTNAME_MAX];
    if (!hostname_to_ascii(name, ascii, err)) {
        error_wrap(err, "name");
        return NULL;
    }
    struct names_call *c = new_call(n, done, arg);
    memcpy(c->name, ascii, sizeof ascii);
    c->only_lookup = true;
    c->timeout_ms = clamp(timeout_ms, LOOKUP_TIMEOUT_MS, NAMES_TIMEOUT_MAX_MS);
    loop_flush_add(n->loop, &c->flush);
    return c;
}

void names_cancel(struct names_call *c) {
    c->canceled = true;
    loop_flush_add(c->owner->loop, &c->flush);
}
