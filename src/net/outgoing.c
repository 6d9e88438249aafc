/* outgoing.c — see outgoing.h. Inside, every address is one of IPv6: an IPv4 address is its mapped form. */
#include "net/outgoing.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include "base/buf.h"
#include "net/range.h"

struct rule {
    char *host; /* lower case, no final dot; owned */
    uint16_t port;
    struct sockaddr_storage to;
};

struct listener {
    uint8_t address[16];
    uint16_t port;
    bool any;
};

struct outgoing {
    struct range *allowed;
    struct rule *rules;
    struct listener *listeners;
    size_t allowed_count, rule_count, listener_count;
    char *ca_file; /* owned */
};

/* IANA's IPv4 and IPv6 special-purpose address registries (RFC 6890), and multicast. The first that fits gives the
 * reason; what none fits is public. */
static const struct {
    const char *range, *what;
} refused[] = {
    {"0.0.0.0/8", "this machine"},
    {"10.0.0.0/8", "a private network"},
    {"100.64.0.0/10", "a carrier's network"},
    {"127.0.0.0/8", "loopback"},
    {"169.254.0.0/16", "link-local"},
    {"172.16.0.0/12", "a private network"},
    {"192.0.0.0/24", "reserved"},
    {"192.0.2.0/24", "for documentation"},
    {"192.88.99.0/24", "reserved"},
    {"192.168.0.0/16", "a private network"},
    {"198.18.0.0/15", "for benchmarks"},
    {"198.51.100.0/24", "for documentation"},
    {"203.0.113.0/24", "for documentation"},
    {"224.0.0.0/4", "multicast"},
    {"240.0.0.0/4", "reserved"},
    {"::/128", "this machine"},
    {"::1/128", "loopback"},
    {"fc00::/7", "a private network"},
    {"fe80::/10", "link-local"},
    {"ff00::/8", "multicast"},
    {"2001::/23", "reserved"}, /* Teredo and others that carry an IPv4 address */
    {"2001:db8::/32", "for documentation"},
    {"2002::/16", "6to4"},
    {"3fff::/20", "for documentation"},
};

struct outgoing *outgoing_new(void) {
    return mem_alloc(sizeof(struct outgoing));
}

void outgoing_free(struct outgoing *o) {
    if (!o)
        return;
    for (size_t i = 0; i < o->rule_count; i++)
        free(o->rules[i].host);
    free(o->rules);
    free(o->allowed);
    free(o->listeners);
    free(o->ca_file);
    free(o);
}

/* ---- addresses as text and bytes ---- */

socklen_t address_size(const struct sockaddr *sa) {
    return sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static uint16_t address_port(const struct sockaddr *sa) {
    return ntohs(sa->sa_family == AF_INET6 ? ((const struct sockaddr_in6 *)(const void *)sa)->sin6_port
                                           : ((const struct sockaddr_in *)(const void *)sa)->sin_port);
}

void address_write(const struct sockaddr *sa, char out[ADDRESS_TEXT_MAX]) {
    char text[INET6_ADDRSTRLEN] = "?";
    bool six = sa->sa_family == AF_INET6;
    if (six)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, text, sizeof text);
    else if (sa->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, text, sizeof text);
    uint16_t port = address_port(sa);
    if (!port)
        snprintf(out, ADDRESS_TEXT_MAX, "%s", text);
    else
        snprintf(out, ADDRESS_TEXT_MAX, six ? "[%s]:%u" : "%s:%u", text, port);
}

/* "NAME:PORT" or "[ADDRESS]:PORT" into its two parts; the port is 1 to 65535. */
static bool split_port(struct str text, struct str *host, uint16_t *port) {
    size_t colon = text.len;
    int64_t number;
    while (colon && text.ptr[colon - 1] != ':')
        colon--;
    if (colon < 2 || !str_to_int64(str_of(text.ptr + colon, text.len - colon), &number) || number < 1 || number > 65535)
        return false;
    *host = str_of(text.ptr, colon - 1);
    if (host->ptr[0] == '[' && host->len > 2 && host->ptr[host->len - 1] == ']')
        *host = str_of(host->ptr + 1, host->len - 2);
    *port = (uint16_t)number;
    return true;
}

bool address_parse(struct str text, struct sockaddr_storage *out, struct error *err) {
    struct str host;
    uint16_t port;
    char name[INET6_ADDRSTRLEN] = "";
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (!split_port(text, &host, &port) || host.len >= sizeof name)
        return error_set(err, ERR_INVALID, "\"" STR_FMT "\" is not ADDRESS:PORT", STR_ARG(text));
    memcpy(name, host.ptr, host.len);
    v4.sin_port = v6.sin6_port = htons(port);
    *out = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, name, &v4.sin_addr) == 1)
        memcpy(out, &v4, sizeof v4);
    else if (inet_pton(AF_INET6, name, &v6.sin6_addr) == 1)
        memcpy(out, &v6, sizeof v6);
    else
        return error_set(err, ERR_INVALID, "\"%s\" is no IP address", name);
    return true;
}

static bool is_v4(const uint8_t a[16]) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(a, mapped, sizeof mapped) == 0;
}

/* NAT64 addresses (RFC 6052) become the IPv4 address that they lead to. */
static void to_bytes(const struct sockaddr *sa, uint8_t out[16]) {
    static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};
    if (sa->sa_family == AF_INET) {
        range_map_v4(&((const struct sockaddr_in *)(const void *)sa)->sin_addr, out);
        return;
    }
    const uint8_t *v6 = ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr.s6_addr;
    if (memcmp(v6, nat64, sizeof nat64) == 0)
        range_map_v4(v6 + 12, out);
    else
        memcpy(out, v6, 16);
}

/* ---- the rules ---- */

bool outgoing_allow(struct outgoing *o, const char *range, struct error *err) {
    struct range r;
    if (!range_parse(range, &r))
        return error_set(err, ERR_INVALID, "\"%s\" is no address or range, such as 10.1.2.3 or 10.0.0.0/8", range);
    o->allowed = mem_realloc(o->allowed, (o->allowed_count + 1) * sizeof *o->allowed);
    o->allowed[o->allowed_count++] = r;
    return true;
}

static struct str without_final_dot(struct str host) {
    if (host.len > 1 && host.ptr[host.len - 1] == '.')
        host.len--;
    return host;
}

bool outgoing_resolve_add(struct outgoing *o, const char *rule, struct error *err) {
    struct str to = str_from(rule), name, host;
    struct rule r;
    str_cut(&to, '=', &name);
    if (!split_port(name, &host, &r.port))
        return error_set(err, ERR_INVALID, "\"%s\" is not NAME:PORT=ADDRESS:PORT", rule);
    if (!address_parse(to, &r.to, err))
        return error_wrap(err, "\"%s\" is not NAME:PORT=ADDRESS:PORT", rule);
    r.host = str_dup(without_final_dot(host));
    o->rules = mem_realloc(o->rules, (o->rule_count + 1) * sizeof *o->rules);
    o->rules[o->rule_count++] = r;
    return true;
}

bool outgoing_find(const struct outgoing *o, struct str host, uint16_t port, struct sockaddr_storage *out) {
    for (size_t i = 0; i < o->rule_count; i++)
        if (o->rules[i].port == port && str_eq_nocase(str_from(o->rules[i].host), without_final_dot(host))) {
            *out = o->rules[i].to;
            return true;
        }
    return false;
}

void outgoing_add_listener(struct outgoing *o, const struct sockaddr *sa) {
    static const uint8_t any[16], any_v4[16] = {[10] = 0xff, [11] = 0xff};
    struct listener l = {.port = address_port(sa)};
    to_bytes(sa, l.address);
    l.any = memcmp(l.address, any, 16) == 0 || memcmp(l.address, any_v4, 16) == 0;
    o->listeners = mem_realloc(o->listeners, (o->listener_count + 1) * sizeof *o->listeners);
    o->listeners[o->listener_count++] = l;
}

bool outgoing_set_ca_file(struct outgoing *o, const char *path, struct error *err) {
    struct buf text;
    buf_init(&text, 4 * 1024 * 1024);
    bool ok = !path || file_read(path, &text, err);
    if (ok && path && str_find(buf_str(&text), STR("-----BEGIN CERTIFICATE-----")) == SIZE_MAX)
        ok = error_set(err, ERR_INVALID, "no certificate in PEM form in it");
    buf_release(&text);
    if (!ok)
        return error_wrap(err, "the CA file %s", path);
    free(o->ca_file);
    o->ca_file = path ? mem_strdup(path) : NULL;
    return true;
}

const char *outgoing_ca_file(const struct outgoing *o) { return o->ca_file; }

/* ---- the check ---- */

static bool is_local(const uint8_t a[16]) {
    static const char *const always[] = {"127.0.0.0/8", "0.0.0.0", "::1", "::"};
    struct ifaddrs *all, *i;
    struct range r;
    bool found = false;
    for (size_t n = 0; n < ARRAY_LEN(always); n++)
        found |= range_parse(always[n], &r) && range_has(&r, a);
    if (found || getifaddrs(&all))
        return found;
    for (i = all; i && !found; i = i->ifa_next) {
        uint8_t own[16];
        if (!i->ifa_addr || (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
            continue;
        to_bytes(i->ifa_addr, own);
        found = memcmp(own, a, 16) == 0;
    }
    freeifaddrs(all);
    return found;
}

static bool is_own(const struct outgoing *o, const uint8_t a[16], uint16_t port) {
    for (size_t i = 0; i < o->listener_count; i++) {
        const struct listener *l = &o->listeners[i];
        if (l->port == port && (memcmp(l->address, a, 16) == 0 || (l->any && is_local(a))))
            return true;
    }
    return false;
}

/* NULL: public. */
static const char *what_is(const uint8_t a[16]) {
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct range r;
        ENSURE(range_parse(refused[i].range, &r));
        if (range_has(&r, a))
            return refused[i].what;
    }
    /* Of IPv6 only 2000::/3 is given out (RFC 4291, 2.4). */
    return is_v4(a) || a[0] >> 5 == 1 ? NULL : "reserved";
}

bool outgoing_check(const struct outgoing *o, const struct sockaddr *sa, struct error *err) {
    uint8_t a[16];
    char text[ADDRESS_TEXT_MAX];
    if (sa->sa_family != AF_INET && sa->sa_family != AF_INET6)
        return error_set(err, ERR_ADDRESS_REFUSED, "only connections over IPv4 and IPv6 are allowed");
    to_bytes(sa, a);
    address_write(sa, text);
    if (is_own(o, a, address_port(sa)))
        return error_set(err, ERR_ADDRESS_REFUSED, "%s is this server itself: call the flow with a block instead", text);
    for (size_t i = 0; i < o->allowed_count; i++)
        if (range_has(&o->allowed[i], a))
            return true;
    const char *what = what_is(a);
    if (!what)
        return true;
    return error_set(
        err, ERR_ADDRESS_REFUSED,
        "connections to %s (%s) are not allowed: start the server with --allow-address for this address if they must be", text,
        what);
}
