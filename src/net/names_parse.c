/* names_parse.c — DNS messages (RFC 1035) as records. c-ares 1.18 gives no TTL for most types, so the bytes are
 * read here, by libresolv's ns_ functions, which check every length and every pointer. */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <resolv.h>

#include "net/names.h"

/* The data of one record: a cursor that refuses to leave it. */
struct cursor {
    const ns_msg *message;
    const uint8_t *at, *end;
    bool bad;
};

static uint32_t take_number(struct cursor *c, int bytes) {
    uint32_t value = 0;
    if (c->bad || c->end - c->at < bytes) {
        c->bad = true;
        return 0;
    }
    while (bytes--)
        value = value << 8 | *c->at++;
    return value;
}

static struct str take_bytes(struct cursor *c, size_t n) {
    if (c->bad || (size_t)(c->end - c->at) < n) {
        c->bad = true;
        return (struct str){NULL, 0};
    }
    c->at += n;
    return str_of(c->at - n, n);
}

/* A name, which may point back into the message. */
static json_t *take_name(struct cursor *c) {
    char name[NS_MAXDNAME];
    int used = c->bad ? -1 : ns_name_uncompress(ns_msg_base(*c->message), c->end, c->at, name, sizeof name);
    if (used < 0) {
        c->bad = true;
        return json_null();
    }
    c->at += used;
    return jsonx_from_str(str_from(name));
}

static json_t *take_address(struct cursor *c, int family, size_t size) {
    char text[INET6_ADDRSTRLEN];
    struct str bytes = take_bytes(c, size);
    return bytes.ptr && inet_ntop(family, bytes.ptr, text, sizeof text) ? json_string(text) : json_null();
}

/* Strings of up to 255 bytes each, joined (RFC 7208, 3.3 joins them without a space). */
static json_t *take_text(struct cursor *c) {
    struct buf text;
    buf_init(&text, 65536);
    while (!c->bad && c->at < c->end)
        buf_add(&text, take_bytes(c, take_number(c, 1)));
    json_t *value = jsonx_from_str(buf_str(&text));
    buf_release(&text);
    return value;
}

static void set_number(json_t *record, const char *key, struct cursor *c, int bytes) {
    json_object_set_new(record, key, json_integer(take_number(c, bytes)));
}

static void set_name(json_t *record, const char *key, struct cursor *c) { json_object_set_new(record, key, take_name(c)); }

static void read_soa(json_t *r, struct cursor *c) {
    set_name(r, "primary", c);
    set_name(r, "mailbox", c);
    set_number(r, "serial", c, 4);
    set_number(r, "refresh", c, 4);
    set_number(r, "retry", c, 4);
    set_number(r, "expire", c, 4);
    set_number(r, "minimum", c, 4);
}

static void read_srv(json_t *r, struct cursor *c) { /* RFC 2782 */
    set_number(r, "priority", c, 2);
    set_number(r, "weight", c, 2);
    set_number(r, "port", c, 2);
    set_name(r, "target", c);
}

static void read_mx(json_t *r, struct cursor *c) {
    set_number(r, "preference", c, 2);
    set_name(r, "exchange", c);
}

static void read_caa(json_t *r, struct cursor *c) { /* RFC 8659, 4.1 */
    set_number(r, "flags", c, 1);
    json_object_set_new(r, "tag", jsonx_from_str(take_bytes(c, take_number(c, 1))));
    json_object_set_new(r, "value", jsonx_from_str(take_bytes(c, (size_t)(c->end - c->at))));
}

static void read_target(json_t *r, struct cursor *c) { set_name(r, "target", c); }
static void read_text(json_t *r, struct cursor *c) { json_object_set_new(r, "text", take_text(c)); }
static void read_a(json_t *r, struct cursor *c) { json_object_set_new(r, "address", take_address(c, AF_INET, 4)); }
static void read_aaaa(json_t *r, struct cursor *c) { json_object_set_new(r, "address", take_address(c, AF_INET6, 16)); }

static const struct type {
    const char *name;
    int number;
    void (*read)(json_t *record, struct cursor *c);
} types[] = {
    {"A", ns_t_a, read_a},        {"AAAA", ns_t_aaaa, read_aaaa}, {"CNAME", ns_t_cname, read_target}, {"MX", ns_t_mx, read_mx},
    {"NS", ns_t_ns, read_target}, {"SOA", ns_t_soa, read_soa},    {"TXT", ns_t_txt, read_text},       {"SRV", ns_t_srv, read_srv},
    {"CAA", 257, read_caa},       {"PTR", ns_t_ptr, read_target},
};

int names_type_number(struct str name) {
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_eq_nocase(name, str_from(types[i].name)))
            return types[i].number;
    return -1;
}

static const struct type *find_type(int number) {
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i].number == number)
            return &types[i];
    return NULL;
}

static const char *rcode_name(unsigned rcode) {
    static const char *const names[] = {"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
                                        "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE"};
    return rcode < ARRAY_LEN(names) ? names[rcode] : "OTHER";
}

static bool read_record(const ns_msg *message, const ns_rr *rr, json_t *records) {
    const struct type *type = ns_rr_class(*rr) == ns_c_in ? find_type(ns_rr_type(*rr)) : NULL;
    if (!type)
        return true;
    struct cursor c = {message, ns_rr_rdata(*rr), ns_rr_rdata(*rr) + ns_rr_rdlen(*rr), false};
    json_t *record = json_object();
    json_object_set_new(record, "name", jsonx_from_str(str_from(ns_rr_name(*rr))));
    json_object_set_new(record, "type", json_string(type->name));
    json_object_set_new(record, "ttl", json_integer(ns_rr_ttl(*rr) & 0x80000000u ? 0 : ns_rr_ttl(*rr))); /* RFC 2181, 8 */
    type->read(record, &c);
    bool ok = !c.bad && c.at == c.end;
    if (ok)
        json_array_append(records, record);
    json_decref(record);
    return ok;
}

bool names_parse(struct str packet, struct names_answer *out, struct error *err) {
    ns_msg message;
    if (packet.len > 65535 || ns_initparse((const u_char *)packet.ptr, (int)packet.len, &message) < 0)
        return error_set(err, ERR_PROTOCOL, "the name server's answer is no DNS message");
    json_t *records = json_array();
    int count = ns_msg_count(message, ns_s_an);
    for (int i = 0; i < count && i < NAMES_RECORDS_MAX; i++) {
        ns_rr rr;
        if (ns_parserr(&message, ns_s_an, i, &rr) < 0 || !read_record(&message, &rr, records)) {
            json_decref(records);
            return error_set(err, ERR_PROTOCOL, "record %d of the name server's answer is damaged", i + 1);
        }
    }
    out->records = records;
    out->rcode = rcode_name((unsigned)ns_msg_getflag(message, ns_f_rcode));
    out->authoritative = ns_msg_getflag(message, ns_f_aa);
    out->truncated = ns_msg_getflag(message, ns_f_tc) || count > NAMES_RECORDS_MAX;
    return true;
}
