/* cron.h — when a schedule is due: intervals and five-field cron lines in a time zone.
 *
 *     c = cron_parse_line(STR("30 2 * * 1-5"), STR("Europe/Berlin"), err);
 *     due = cron_next(c, after_ms);
 *
 * Due instants are a function of the text, the zone and the flow's id alone, never of when
 * a server started. Zones come from the TZif files of the system (RFC 8536), not from libc's TZ. */
#ifndef FLOWLET_CRON_H
#define FLOWLET_CRON_H

#include "base/error.h"
#include "base/str.h"

struct cron; /* opaque */
/* "5 minutes", "1 hour", "2 days": at least a minute; `salt` (the flow's id) chooses where in the interval. */
struct cron *cron_parse_every(struct str every, struct str salt, struct error *err);
struct cron *cron_parse_line(struct str line, struct str zone, struct error *err);
void cron_free(struct cron *c);
/* The first instant (ms since 1970) after `after_ms`; 0 when there is none in the next eight years. */
int64_t cron_next(const struct cron *c, int64_t after_ms);

#endif
