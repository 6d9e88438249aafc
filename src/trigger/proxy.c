/* proxy.c — see proxy.h. */
#include "trigger/proxy.h"

#include <arpa/inet.h>

#define ADDRESS_MAX 64

bool proxies_parse(struct proxies *p, const struct arg_list *ranges, struct error *err) {
    p->count = 0;
    for (size_t i = 0; i < ranges->count; i++)
        if (!range_parse(ranges->at[i], &p->range[p->count++]))
            return error_set(err, ERR_INVALID, "--trusted-proxy: `%s` is no address or range, such as 10.1.2.3 or 10.0.0.0/8",
                             ranges->at[i]);
    return true;
}

/* Without brackets and port: "192.0.2.1:80", "[2001:db8::1]:80", "2001:db8::1". Hosts alike. */
static struct str without_port(struct str s) {
    if (s.len && s.ptr[0] == '[') {
        size_t end = str_find(s, STR("]"));
        return end == SIZE_MAX ? s : str_of(s.ptr + 1, end - 1);
    }
    size_t colon = str_find(s, STR(":"));
    bool one = colon != SIZE_MAX && !memchr(s.ptr + colon + 1, ':', s.len - colon - 1);
    return one ? str_of(s.ptr, colon) : s;
}

static bool parse_address(struct str s, uint8_t out[16]) {
    char text[ADDRESS_MAX];
    uint8_t v4[4];
    if (s.len >= sizeof text)
        return false;
    snprintf(text, sizeof text, STR_FMT, STR_ARG(s));
    if (inet_pton(AF_INET, text, v4) == 1) {
        range_map_v4(v4, out);
        return true;
    }
    return inet_pton(AF_INET6, text, out) == 1;
}

static bool is_trusted(const struct proxies *p, const uint8_t address[16]) {
    for (size_t i = 0; i < p->count; i++)
        if (range_has(&p->range[i], address))
            return true;
    return false;
}

static bool peer_is_trusted(const struct proxies *p, struct str peer) {
    uint8_t address[16];
    return p->count && parse_address(peer, address) && is_trusted(p, address);
}

/* The last part of a list, which is taken off. */
static bool cut_last(struct str *list, struct str *part) {
    if (!list->ptr)
        return false;
    size_t at = list->len;
    while (at > 0 && list->ptr[at - 1] != ',')
        at--;
    *part = str_trim(str_of(list->ptr + at, list->len - at));
    *list = at ? str_of(list->ptr, at - 1) : (struct str){NULL, 0};
    return true;
}

struct str proxies_client(const struct proxies *p, struct str peer, const struct httpd_field *headers, size_t n) {
    struct str client = peer, part;
    uint8_t address[16];
    if (!peer_is_trusted(p, peer))
        return peer;
    for (size_t i = n; i-- > 0;) {
        struct str list = headers[i].value;
        if (!str_eq_nocase(headers[i].name, STR("X-Forwarded-For")))
            continue;
        while (cut_last(&list, &part)) {
            part = without_port(part);
            if (!parse_address(part, address))
                return client; /* a proxy that hides its callers, or nonsense: nothing before it can be believed */
            client = part;
            if (!is_trusted(p, address))
                return client;
        }
    }
    return client;
}

static struct str first(const struct httpd_field *headers, size_t n, struct str name) {
    struct str list, part = {NULL, 0};
    for (size_t i = 0; i < n && !part.ptr; i++)
        if (str_eq_nocase(headers[i].name, name)) {
            list = headers[i].value;
            str_cut(&list, ',', &part);
        }
    return without_port(str_trim(part));
}

struct str proxies_host(const struct proxies *p, struct str peer, const struct httpd_field *headers, size_t n) {
    struct str forwarded = {NULL, 0};
    if (peer_is_trusted(p, peer))
        forwarded = first(headers, n, STR("X-Forwarded-Host"));
    return forwarded.len ? forwarded : first(headers, n, STR("Host"));
}
