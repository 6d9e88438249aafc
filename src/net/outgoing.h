/* outgoing.h — which peers the server may connect to, and which name goes where.
 *
 *     o = outgoing_new();
 *     outgoing_allow(o, "10.1.0.0/16", err);                                       --allow-address
 *     outgoing_resolve_add(o, "api.pagerduty.com:443=127.0.0.1:18443", err);       --resolve
 *     outgoing_add_listener(o, sa);                                                our own listeners
 *
 * Whoever connects asks for each name first (outgoing_find: the address it was given by
 * --resolve, which is allowed for that name) and else for each address that the name
 * resolved to (outgoing_check), right before connecting and once more on a redirect, so
 * that no name server and no redirect leads inside. Refused are all addresses that aren't
 * public (IANA special-purpose registries; RFC 6890), also inside the IPv6 forms that carry
 * an IPv4 address, and always our own listeners. What is allowed is a matter of the server's
 * options, never of a workspace.
 *
 * Fill it before anything is started; read only after that. Thread: any. */
#ifndef FLOWLET_OUTGOING_H
#define FLOWLET_OUTGOING_H

#include <sys/socket.h>

#include "base/error.h"
#include "base/str.h"

struct outgoing;
struct outgoing *outgoing_new(void);
void outgoing_free(struct outgoing *o); /* takes NULL */

/* An address or a range: "127.0.0.1", "10.0.0.0/8", "fd00::/8". */
MUST_USE bool outgoing_allow(struct outgoing *o, const char *range, struct error *err);
/* "NAME:PORT=ADDRESS:PORT", an IPv6 address in brackets. */
MUST_USE bool outgoing_resolve_add(struct outgoing *o, const char *rule, struct error *err);
/* Bound to any address (0.0.0.0, ::), it is refused on each address of this machine. */
void outgoing_add_listener(struct outgoing *o, const struct sockaddr *sa);
/* A PEM file whose certificates are trusted beside the system's; NULL: none (--ca-file). Checked to be readable. */
MUST_USE bool outgoing_set_ca_file(struct outgoing *o, const char *path, struct error *err);
const char *outgoing_ca_file(const struct outgoing *o); /* borrowed, or NULL */

/* True when --resolve says where host:port is; then *out is that. Names in any case, with or without a final dot. */
bool outgoing_find(const struct outgoing *o, struct str host, uint16_t port, struct sockaddr_storage *out);
/* Whether to connect to this address and port: ERR_ADDRESS_REFUSED with a sentence that says what to do. */
MUST_USE bool outgoing_check(const struct outgoing *o, const struct sockaddr *sa, struct error *err);

/* "192.0.2.1:443", "[2001:db8::1]:443"; without the port when it is 0. */
#define ADDRESS_TEXT_MAX 64
void address_write(const struct sockaddr *sa, char out[ADDRESS_TEXT_MAX]);
/* The same backwards: "ADDRESS:PORT", no names. */
MUST_USE bool address_parse(struct str text, struct sockaddr_storage *out, struct error *err);
socklen_t address_size(const struct sockaddr *sa);

#endif
