/* names.h — asking the DNS: any type, of any server, with what it really said.
 *
 *     names_resolve(n, &(struct names_question){.name = STR("example.com"), .type = STR("MX"),
 *                       .server = STR("127.0.0.1:5353"), .timeout_ms = 3000, .tries = 2}, on_done, self, &err)
 *     names_cancel(call);                  on_done still comes, with ERR_CANCELED
 *
 * UDP first, TCP when the answer was cut short. Without a server those of the system are asked in
 * turn. Each try waits for timeout_ms. Whatever a server answers is an answer, NXDOMAIN and
 * SERVFAIL too: rcode tells. Errors are what kept it from answering:
 *     ERR_INVALID          the name, the type or the server
 *     ERR_DNS_FAILED       the server's own name could not be resolved
 *     ERR_ADDRESS_REFUSED  the server given is at an address that may not be reached
 *     ERR_TIMEOUT          nobody answered
 *     ERR_CONNECT_FAILED   the server's machine says that nobody listens there
 *     ERR_PROTOCOL         the answer is no DNS message
 *
 * A record is an object {type, name, ttl, ...}, names without the dot at the end:
 *     A, AAAA         address
 *     CNAME, NS, PTR  target
 *     MX              preference, exchange
 *     SRV             priority, weight, port, target
 *     TXT             text (its strings joined)
 *     CAA             flags, tag, value
 *     SOA             primary, mailbox, serial, refresh, retry, expire, minimum
 * Other types that came along (RRSIG, ...) are left out. Thread: the loop's. */
#ifndef FLOWLET_NAMES_H
#define FLOWLET_NAMES_H

#include "base/json.h"
#include "net/outgoing.h"
#include "net/loop.h"

#define NAMES_RECORDS_MAX 1000     /* of one answer; the rest is dropped and `truncated` set */
#define NAMES_TIMEOUT_MAX_MS 60000 /* longer is taken as this */
#define NAMES_TRIES_MAX 10

struct names;
struct names_call;

/* outgoing says which servers may be asked; those of the system may always. Borrowed. */
struct names *names_new(struct loop *l, const struct outgoing *outgoing);
/* No call may be under way: cancel them and wait. Takes NULL. */
void names_free(struct names *n);

struct names_question {
    struct str name;
    struct str type;   /* "A" ... "PTR" */
    struct str server; /* "192.0.2.1", "192.0.2.1:53", "[2001:db8::1]:53", "ns1.example.com[:53]"; empty: the system's */
    int timeout_ms;    /* a try; 0: 3000 */
    int tries;         /* a server; 0: 2 */
};

/* Given to the callback, and gone after it. */
struct names_answer {
    json_t *records;               /* the answer section, an array; borrowed (json_incref to keep) */
    const char *rcode;             /* "NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED", ... */
    bool authoritative;            /* the AA bit */
    bool truncated;                /* not all records are here */
    char server[ADDRESS_TEXT_MAX]; /* "192.0.2.1:53", who answered; "" when only the hosts file was asked */
    int64_t duration_ms;
};

typedef void names_done_fn(void *arg, const struct names_answer *answer, const struct error *err);

/* All three: NULL and err when the question itself is wrong (done is never called), else done is
 * called exactly once, later. */
struct names_call *names_resolve(struct names *n, const struct names_question *q, names_done_fn *done, void *arg,
                                 struct error *err);
/* The names of an address: PTR of its reverse name. */
struct names_call *names_reverse(struct names *n, const struct names_question *address, names_done_fn *done, void *arg,
                                 struct error *err);
/* As a program would connect: hosts file, then the system's servers, addresses of both families
 * as A and AAAA records in the order to try them (RFC 6724). ERR_DNS_FAILED when there are none. */
struct names_call *names_lookup(struct names *n, struct str name, int timeout_ms, names_done_fn *done, void *arg,
                                struct error *err);
void names_cancel(struct names_call *c);

/* Underneath (names_parse.c): a DNS message's header and answer section into out, whose records the caller then
 * owns. A record that is damaged makes all of it ERR_PROTOCOL. And the number of a type's name, -1 for others. */
MUST_USE bool names_parse(struct str packet, struct names_answer *out, struct error *err);
int names_type_number(struct str name);

#endif
