/* range.h — ranges of IP addresses: "10.0.0.0/8", "fd00::/8", "192.0.2.1".
 *
 * An address is 16 bytes; one of IPv4 is its mapped form (::ffff:a.b.c.d). Thread: any. */
#ifndef FLOWLET_RANGE_H
#define FLOWLET_RANGE_H

#include "base/str.h"

struct range {
    uint8_t net[16];
    unsigned bits;
};

/* An address without "/BITS" is a range of one. */
MUST_USE bool range_parse(const char *text, struct range *out);
bool range_has(const struct range *r, const uint8_t address[16]);
void range_map_v4(const void *v4, uint8_t out[16]);

#endif
