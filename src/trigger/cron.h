/* cron.h — when a schedule is due: intervals and five-field cron lines in a time zone.
 *
 *     c = cron_parse_line(STR("30 2 * * 1-5"), STR("Europe/Berlin"), err);
 *     due = cron_next(c, after_ms);
 *
 * Due instants are a function of the text, the zone and the flow's id alone, never of when
 * a server started. Zones come from the TZif files of the system (zone.h), not from libc's TZ.
 *
 * A line has five fields: minute, hour, day of month, month, day of week (0 and 7 are Sunday);
 * each `*` or a list of numbers, names (jan, mon) and ranges, with steps: "0,30 8-18/2 * * mon-fri".
 * Where both days are given, either is enough. When clocks change:
 *
 * (1) A line that names its hours has fixed times. One that is skipped fires at the first instant
 *     after the gap, together with what is due there; one that comes twice fires the first time.
 * (2) A line of every hour ("30 * * * *") goes with elapsed time: it fires whenever the clock shows it. */
#ifndef FLOWLET_CRON_H
#define FLOWLET_CRON_H

#include "base/error.h"
#include "base/str.h"

struct cron; /* opaque */
/* "5 minutes", "1 hour", "hourly", "2 days", "daily", "1 week": from a minute to a year. The instants are the
 * multiples of the interval since 1970 (UTC) plus whole minutes that `salt` (the flow's id) chooses. */
struct cron *cron_parse_every(struct str every, struct str salt, struct error *err) MUST_USE;
/* An empty zone is UTC. The error names the field. */
struct cron *cron_parse_line(struct str line, struct str zone, struct error *err) MUST_USE;
void cron_free(struct cron *c); /* takes NULL */
/* A cron flow's: `every`, or `line` in `zone` where `every` is empty. */
struct cron *cron_parse(struct str every, struct str line, struct str zone, struct str flow, struct error *err) MUST_USE;
/* Whether they are a schedule: what release_env wants. */
MUST_USE bool cron_check(struct str every, struct str line, struct str zone, struct error *err);
/* The first instant (ms since 1970) after `after_ms`; 0 when there is none in the next eight years. */
int64_t cron_next(const struct cron *c, int64_t after_ms);
/* What the clock of its zone shows at an instant: UTC plus this. Intervals are in UTC. */
int32_t cron_offset_s(const struct cron *c, int64_t at_ms);
/* The first instant after `after_ms`, up to `until_ms`, at which that clock jumps; 0: it does not. */
int64_t cron_clock_change(const struct cron *c, int64_t after_ms, int64_t until_ms);

#endif
