/* certificate.h — a peer's certificate as operations give it. */
#ifndef FLOWLET_CERTIFICATE_H
#define FLOWLET_CERTIFICATE_H

#include "base/json.h"
#include "net/transfer.h"

/* {names, subject, issuer, not_before, not_after, days_left, protocol}; times as in RFC 3339. */
json_t *certificate_json(const struct certificate *c) MUST_USE;

#endif
