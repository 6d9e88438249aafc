/* hostname.h — host names in the form that DNS, SMTP and TLS want.
 *
 *     char name[HOSTNAME_MAX];
 *     if (!hostname_to_ascii(STR("bücher.example"), name, err)) ...      "xn--bcher-kva.example"
 *
 * International names become punycode (IDNA2008 with UTS 46 mapping). What is accepted
 * holds letters, digits, '-', '_' and '.' only, labels of 1 to 63 bytes, 253 in all (RFC 1035
 * 2.3.4), so that it can stand in a command, a header or a log line as it is. One dot at
 * the end is dropped. Thread: any. */
#ifndef FLOWLET_HOSTNAME_H
#define FLOWLET_HOSTNAME_H

#include "base/error.h"
#include "base/str.h"

#define HOSTNAME_MAX 254 /* bytes, with the NUL */

/* ERR_INVALID names what is wrong. out is NUL-ended. */
MUST_USE bool hostname_to_ascii(struct str name, char out[HOSTNAME_MAX], struct error *err);

#endif
