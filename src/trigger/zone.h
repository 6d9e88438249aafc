/* zone.h — time zones, read from the TZif files of the system (RFC 8536).
 *
 *     struct zone *z = zone_open(STR("Europe/Berlin"), err);
 *     struct zone_span s = zone_span_at(z, utc_s);        the span of one offset that utc_s lies in
 *
 * A zone is a row of spans, each with one offset to UTC; local time jumps only where one ends.
 * Past the file's last transition the rule in its footer goes on for ever. libc's TZ, and what
 * JavaScript's Intl believes, play no part. */
#ifndef FLOWLET_ZONE_H
#define FLOWLET_ZONE_H

#include "base/error.h"
#include "base/str.h"

struct zone; /* opaque */

struct zone_span {
    int64_t start_s, end_s; /* UTC, the end not included; INT64_MIN and INT64_MAX: for ever */
    int32_t offset_s;       /* local time = UTC + offset */
};

/* A name of the tz database; "" is UTC. ERR_NOT_FOUND when the system has no such zone. */
struct zone *zone_open(struct str name, struct error *err) MUST_USE;
/* The same from a file's bytes. */
struct zone *zone_parse(struct str bytes, struct error *err) MUST_USE;
void zone_free(struct zone *z); /* takes NULL */
struct zone_span zone_span_at(const struct zone *z, int64_t utc_s);

/* The proleptic Gregorian calendar: days since 1970-01-01, and back. */
int64_t days_from_date(int64_t year, int month, int day);
void date_from_days(int64_t days, int64_t *year, int *month, int *day);
int days_in_month(int64_t year, int month);

#endif
