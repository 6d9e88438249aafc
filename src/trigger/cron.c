/* cron.c — see cron.h. */
#include "trigger/cron.h"

#include "trigger/zone.h"

#define LINE_MAX_BYTES 256
#define MINUTE_S 60
#define HOUR_S 3600
#define DAY_S 86400
#define HORIZON_S ((int64_t)(8 * 366) * DAY_S)
/* Times that cron_next looks at, so that no sum overflows: the years 1 to 9999 or so. */
#define TIME_MIN_S (-(int64_t)62000000000)
#define TIME_MAX_S ((int64_t)253000000000)

struct cron {
    int64_t interval_s, offset_s; /* an interval; interval 0: a line */
    struct zone *zone;
    /* A bit for each value that fits. */
    uint64_t minutes;
    uint32_t hours, days, months, weekdays;
    bool any_day, any_weekday; /* the field is `*` */
};

/* ---- intervals ---- */

static const struct unit {
    const char *one, *many, *alone;
    int64_t seconds;
} units[] = {
    {"minute", "minutes", NULL, MINUTE_S},
    {"hour", "hours", "hourly", HOUR_S},
    {"day", "days", "daily", DAY_S},
    {"week", "weeks", "weekly", 7 * DAY_S},
};

static bool parse_interval(struct str text, int64_t *interval_s) {
    struct str rest = str_trim(text), number;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (units[i].alone && str_is(rest, units[i].alone)) {
            *interval_s = units[i].seconds;
            return true;
        }
    }
    int64_t n;
    if (!str_cut(&rest, ' ', &number) || !rest.ptr || !str_to_int64(number, &n) || n < 1 || n > 366 * DAY_S / MINUTE_S)
        return false;
    rest = str_trim(rest);
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (str_is(rest, units[i].one) || str_is(rest, units[i].many)) {
            *interval_s = n * units[i].seconds;
            return *interval_s <= 366 * DAY_S;
        }
    }
    return false;
}

struct cron *cron_parse_every(struct str every, struct str salt, struct error *err) {
    int64_t interval_s;
    if (!parse_interval(every, &interval_s)) {
        error_set(err, ERR_INVALID,
                  "`" STR_FMT "` is no interval: write one like \"5 minutes\", \"1 hour\" or \"2 days\", from a minute to a year",
                  STR_ARG(every));
        return NULL;
    }
    struct cron *c = mem_alloc(sizeof *c);
    c->interval_s = interval_s;
    c->offset_s = (int64_t)(str_hash(salt) % (uint64_t)(interval_s / MINUTE_S)) * MINUTE_S;
    return c;
}

/* ---- lines ---- */

struct field {
    const char *name;
    int low, high;
    const char *const *names; /* of low, low + 1, ... */
};

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                          "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};
static const struct field fields[] = {
    {"minute", 0, 59, NULL},
    {"hour", 0, 23, NULL},
    {"day of month", 1, 31, NULL},
    {"month", 1, 12, month_names},
    {"day of week", 0, 7, weekday_names},
};

static bool parse_value(const struct field *f, struct str text, int *out) {
    for (int i = 0; f->names && f->names[i]; i++) {
        if (str_eq_nocase(text, str_from(f->names[i]))) {
            *out = f->low + i;
            return true;
        }
    }
    int64_t n;
    if (text.len > 2 || !str_to_int64(text, &n) || n < f->low || n > f->high)
        return false;
    *out = (int)n;
    return true;
}

/* "*", "5", "1-5", each with "/2": from its first value in steps to its last. */
static bool parse_item(const struct field *f, struct str item, uint64_t *bits) {
    struct str range, first, step = {NULL, 0};
    int low, high;
    int64_t by = 1;
    if (!str_cut(&item, '/', &range))
        return false;
    bool has_step = item.ptr != NULL;
    step = item;
    if (str_is(range, "*")) {
        low = f->low;
        high = f->high;
    } else {
        if (!str_cut(&range, '-', &first) || !parse_value(f, first, &low))
            return false;
        high = has_step && !range.ptr ? f->high : low; /* "5/10": from 5 on */
        if (range.ptr && !parse_value(f, range, &high))
            return false;
        if (f->high == 7 && high == 0 && low > 0) /* "sat-sun" */
            high = 7;
    }
    if (has_step && (step.len > 2 || !str_to_int64(step, &by) || by < 1))
        return false;
    if (low > high)
        return false;
    for (int64_t i = low; i <= high; i += by)
        *bits |= (uint64_t)1 << i;
    return true;
}

static bool parse_field(const struct field *f, struct str text, uint64_t *bits, struct error *err) {
    struct str rest = text, item;
    *bits = 0;
    while (str_cut(&rest, ',', &item)) {
        if (!parse_item(f, item, bits))
            return error_set(err, ERR_INVALID,
                             "%s `" STR_FMT
                             "`: write `*`, numbers from %d to %d%s, ranges (1-5), steps (*/10) or a list of these",
                             f->name, STR_ARG(text), f->low, f->high, f->names ? ", names (three letters)" : "");
    }
    return true;
}

/* Splits at spaces and tabs. False unless there are exactly five fields. */
static bool split_line(struct str line, struct str field[5]) {
    size_t n = 0;
    for (size_t i = 0; i < line.len;) {
        size_t start = i;
        while (i < line.len && line.ptr[i] != ' ' && line.ptr[i] != '\t')
            i++;
        if (i > start) {
            if (n == 5)
                return false;
            field[n++] = str_of(line.ptr + start, i - start);
        }
        i += i < line.len;
    }
    return n == 5;
}

/* Whether any month that fits ever has one of the days. */
static bool has_a_date(const struct cron *c) {
    if (!c->any_weekday)
        return true;
    for (int month = 1; month <= 12; month++) {
        uint32_t days = (uint32_t)((((uint64_t)1 << days_in_month(2000, month)) - 1) << 1);
        if ((c->months >> month & 1) && (c->days & days))
            return true;
    }
    return false;
}

static bool parse_line(struct cron *c, struct str line, struct error *err) {
    struct str field[5];
    uint64_t bits[5];
    if (line.len > LINE_MAX_BYTES || !split_line(line, field))
        return error_set(err, ERR_INVALID,
                         "a cron line has five fields: minute, hour, day of month, month, day of week, like `30 8 * * mon-fri`");
    for (size_t i = 0; i < 5; i++)
        if (!parse_field(&fields[i], field[i], &bits[i], err))
            return false;
    c->minutes = bits[0];
    c->hours = (uint32_t)bits[1];
    c->days = (uint32_t)bits[2];
    c->months = (uint32_t)bits[3];
    c->weekdays = (uint32_t)((bits[4] | bits[4] >> 7) & 0x7F); /* 7 is Sunday too */
    c->any_day = str_is(field[2], "*");
    c->any_weekday = str_is(field[4], "*");
    if (!has_a_date(c))
        return error_set(err, ERR_INVALID,
                         "no month that it names has such a day, so it would never be due: change the day or the month");
    return true;
}

struct cron *cron_parse_line(struct str line, struct str zone, struct error *err) {
    struct cron *c = mem_alloc(sizeof *c);
    if (parse_line(c, line, err) && (c->zone = zone_open(zone, err)))
        return c;
    cron_free(c);
    return NULL;
}

void cron_free(struct cron *c) {
    if (!c)
        return;
    zone_free(c->zone);
    free(c);
}

/* ---- what is due next ---- */

static int64_t divide_down(int64_t n, int64_t by) { return n / by - (n % by < 0); }

static bool fits_date(const struct cron *c, int64_t days, int day) {
    int weekday = (int)((days % 7 + 11) % 7); /* 1970-01-01 was a Thursday */
    bool day_fits = c->days >> day & 1, weekday_fits = c->weekdays >> weekday & 1;
    if (!c->any_day && !c->any_weekday)
        return day_fits || weekday_fits;
    return day_fits && weekday_fits;
}

/* The first time from `minute` of the day on that fits, in minutes; -1: none. */
static int next_of_day(const struct cron *c, int minute) {
    for (int hour = minute / 60; hour < 24; hour++, minute = 0) {
        uint64_t left = c->minutes >> minute % 60;
        if ((c->hours >> hour & 1) && left)
            return hour * 60 + minute % 60 + __builtin_ctzll(left);
    }
    return -1;
}

/* The first local time from `from` up to (without) `to` that the line names, both in local seconds. */
static bool next_local(const struct cron *c, int64_t from, int64_t to, int64_t *found) {
    from = divide_down(from + MINUTE_S - 1, MINUTE_S) * MINUTE_S;
    while (from < to) {
        int64_t days = divide_down(from, DAY_S), year;
        int month, day;
        date_from_days(days, &year, &month, &day);
        if (!(c->months >> month & 1)) {
            from = (days + days_in_month(year, month) - day + 1) * DAY_S;
            continue;
        }
        int minute = fits_date(c, days, day) ? next_of_day(c, (int)((from - days * DAY_S) / MINUTE_S)) : -1;
        if (minute >= 0) {
            *found = days * DAY_S + minute * MINUTE_S;
            return *found < to;
        }
        from = (days + 1) * DAY_S;
    }
    return false;
}

static int64_t next_of_line(const struct cron *c, int64_t from_s) {
    bool every_hour = c->hours == 0xFFFFFF;
    int64_t limit_s = from_s + HORIZON_S, local;
    while (from_s < limit_s) {
        struct zone_span span = zone_span_at(c->zone, from_s);
        int64_t end_s = span.end_s < limit_s ? span.end_s : limit_s;
        int64_t from_local = from_s + span.offset_s;
        if (!every_hour && span.start_s > TIME_MIN_S) {
            int64_t shown_s = span.start_s + zone_span_at(c->zone, span.start_s - 1).offset_s; /* the clock before the change */
            if (from_s == span.start_s && next_local(c, shown_s, from_local, &local))
                return from_s; /* it was in the gap */
            if (from_local < shown_s)
                from_local = shown_s; /* these times came before the change already */
        }
        if (next_local(c, from_local, end_s + span.offset_s, &local))
            return local - span.offset_s;
        from_s = end_s;
    }
    return 0;
}

int64_t cron_next(const struct cron *c, int64_t after_ms) {
    int64_t from_s = divide_down(after_ms, 1000) + 1; /* due times are whole seconds */
    if (from_s < TIME_MIN_S || from_s > TIME_MAX_S)
        return 0;
    if (c->interval_s)
        return (divide_down(from_s - c->offset_s + c->interval_s - 1, c->interval_s) * c->interval_s + c->offset_s) * 1000;
    return next_of_line(c, from_s) * 1000;
}

int32_t cron_offset_s(const struct cron *c, int64_t at_ms) {
    return c->zone ? zone_span_at(c->zone, divide_down(at_ms, 1000)).offset_s : 0;
}

int64_t cron_clock_change(const struct cron *c, int64_t after_ms, int64_t until_ms) {
    if (!c->zone)
        return 0;
    int64_t until_s = divide_down(until_ms, 1000);
    struct zone_span span = zone_span_at(c->zone, divide_down(after_ms, 1000));
    while (span.end_s <= until_s) {
        struct zone_span next = zone_span_at(c->zone, span.end_s);
        if (next.offset_s != span.offset_s)
            return span.end_s * 1000;
        span = next;
    }
    return 0;
}

struct cron *cron_parse(struct str every, struct str line, struct str zone, struct str flow, struct error *err) {
    return every.len ? cron_parse_every(every, flow, err) : cron_parse_line(line, zone, err);
}

bool cron_check(struct str every, struct str line, struct str zone, struct error *err) {
    struct cron *c = cron_parse(every, line, zone, STR("any"), err);
    cron_free(c);
    return c != NULL;
}
