/* zone.c — see zone.h. */
#include "trigger/zone.h"

#include "base/buf.h"

#define ZONE_FOLDER "/usr/share/zoneinfo/"
#define FILE_MAX (256 * 1024)
#define NAME_MAX_BYTES 64
#define DAY_S 86400

/* When a rule's half year begins: POSIX's three ways to name a day, and a local time on it. */
struct rule_date {
    enum { DAY_JULIAN, DAY_OF_YEAR, DAY_OF_WEEK } kind; /* J1..J365 without 29 February; 0..365; Mm.w.d */
    int month, week, day;
    int32_t time_s; /* -167 to 167 hours */
};

/* The footer: POSIX's TZ string as extended by RFC 8536, 3.3.1. */
struct rule {
    int32_t standard_s, daylight_s; /* offsets to UTC */
    bool has_daylight;
    struct rule_date start, end; /* of daylight saving; start in standard time, end in daylight time */
};

struct zone {
    size_t count;      /* transitions */
    int64_t *at_s;     /* ascending */
    int32_t *offset_s; /* from that transition on */
    int32_t first_s;   /* the offset before the first */
    struct rule rule;  /* from the last one on */
};

/* ---- the calendar (Howard Hinnant's algorithms, http://howardhinnant.github.io/date_algorithms.html) ---- */

int64_t days_from_date(int64_t year, int month, int day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

void date_from_days(int64_t days, int64_t *year, int *month, int *day) {
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int shifted = (int)((5 * day_of_year + 2) / 153);
    *day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

static bool is_leap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int days_in_month(int64_t year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* ---- the footer ---- */

static bool take(struct str *s, char c) {
    if (!s->len || s->ptr[0] != c)
        return false;
    *s = str_of(s->ptr + 1, s->len - 1);
    return true;
}

static bool take_number(struct str *s, int low, int high, int *out) {
    size_t i = 0;
    int n = 0;
    while (i < s->len && i < 4 && s->ptr[i] >= '0' && s->ptr[i] <= '9')
        n = n * 10 + (s->ptr[i++] - '0');
    if (i == 0 || n < low || n > high)
        return false;
    *out = n;
    *s = str_of(s->ptr + i, s->len - i);
    return true;
}

/* "<+0330>" or three letters and more. */
static bool take_name(struct str *s) {
    size_t i = 0;
    bool quoted = s->len && s->ptr[0] == '<';
    if (quoted) {
        while (i < s->len && s->ptr[i] != '>')
            i++;
        if (i == s->len)
            return false;
        i++;
    } else {
        while (i < s->len && ((s->ptr[i] | 32) >= 'a' && (s->ptr[i] | 32) <= 'z'))
            i++;
    }
    if (i < 3)
        return false;
    *s = str_of(s->ptr + i, s->len - i);
    return true;
}

/* "[+-]hh[:mm[:ss]]" in seconds. */
static bool take_time(struct str *s, int hours_max, int32_t *out) {
    int hours, minutes = 0, seconds = 0;
    bool minus = take(s, '-');
    if (!minus)
        take(s, '+');
    if (!take_number(s, 0, hours_max, &hours))
        return false;
    if (take(s, ':')) {
        if (!take_number(s, 0, 59, &minutes))
            return false;
        if (take(s, ':') && !take_number(s, 0, 59, &seconds))
            return false;
    }
    int32_t total = hours * 3600 + minutes * 60 + seconds;
    *out = minus ? -total : total;
    return true;
}

static bool take_rule_date(struct str *s, struct rule_date *d) {
    if (!take(s, ','))
        return false;
    d->time_s = 2 * 3600;
    if (take(s, 'M')) {
        d->kind = DAY_OF_WEEK;
        if (!take_number(s, 1, 12, &d->month) || !take(s, '.') || !take_number(s, 1, 5, &d->week) || !take(s, '.') ||
            !take_number(s, 0, 6, &d->day))
            return false;
    } else if (take(s, 'J')) {
        d->kind = DAY_JULIAN;
        if (!take_number(s, 1, 365, &d->day))
            return false;
    } else {
        d->kind = DAY_OF_YEAR;
        if (!take_number(s, 0, 365, &d->day))
            return false;
    }
    return !take(s, '/') || take_time(s, 167, &d->time_s);
}

static bool rule_parse(struct str s, struct rule *r) {
    if (!take_name(&s) || !take_time(&s, 24, &r->standard_s))
        return false;
    r->standard_s = -r->standard_s; /* POSIX counts westwards */
    r->has_daylight = s.len > 0;
    if (!r->has_daylight)
        return true;
    if (!take_name(&s))
        return false;
    r->daylight_s = r->standard_s + 3600;
    if (s.len && s.ptr[0] != ',') {
        if (!take_time(&s, 24, &r->daylight_s))
            return false;
        r->daylight_s = -r->daylight_s;
    }
    return take_rule_date(&s, &r->start) && take_rule_date(&s, &r->end) && s.len == 0;
}

/* Local seconds since 1970 of the rule's date in that year. */
static int64_t rule_date_in(const struct rule_date *d, int64_t year) {
    int64_t day;
    if (d->kind == DAY_OF_WEEK) {
        int64_t first = days_from_date(year, d->month, 1);
        int weekday = (int)(((first % 7) + 11) % 7); /* 1970-01-01 was a Thursday */
        int of_month = 1 + (d->day - weekday + 7) % 7 + (d->week - 1) * 7;
        if (of_month > days_in_month(year, d->month))
            of_month -= 7;
        day = first + of_month - 1;
    } else if (d->kind == DAY_JULIAN) {
        day = days_from_date(year, 1, 1) + d->day - 1 + (is_leap(year) && d->day >= 60);
    } else {
        day = days_from_date(year, 1, 1) + d->day;
    }
    return day * DAY_S + d->time_s;
}

static struct zone_span rule_span_at(const struct rule *r, int64_t utc_s) {
    struct zone_span span = {INT64_MIN, INT64_MAX, r->standard_s};
    if (!r->has_daylight)
        return span;
    int64_t days = utc_s / DAY_S - (utc_s % DAY_S < 0), year;
    int month, day;
    date_from_days(days, &year, &month, &day);
    /* Two changes a year, in the order of time; of two at the same instant the later year's counts. */
    for (int64_t y = year - 2; y <= year + 2; y++) {
        int64_t start = rule_date_in(&r->start, y) - r->standard_s;
        int64_t end = rule_date_in(&r->end, y) - r->daylight_s;
        bool starts_first = start <= end;
        for (int i = 0; i < 2; i++) {
            bool is_start = (i == 0) == starts_first;
            int64_t at = is_start ? start : end;
            if (at > utc_s) {
                span.end_s = at;
                return span;
            }
            span.start_s = at;
            span.offset_s = is_start ? r->daylight_s : r->standard_s;
        }
    }
    return span;
}

/* ---- the file ---- */

struct counts {
    uint32_t utc, standard, leap, time, type, chars;
};

static uint32_t read_u32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static int64_t read_i64(const uint8_t *p) { return (int64_t)((uint64_t)read_u32(p) << 32 | read_u32(p + 4)); }

/* A header (RFC 8536, 3.1): "TZif", version, 15 unused bytes, six counts. Its block follows. */
static bool take_header(struct str *s, struct counts *c, size_t time_size, size_t *block) {
    if (s->len < 44 || memcmp(s->ptr, "TZif", 4) != 0 || s->ptr[4] < '2')
        return false;
    const uint8_t *p = (const uint8_t *)s->ptr + 20;
    *c = (struct counts){read_u32(p), read_u32(p + 4), read_u32(p + 8), read_u32(p + 12), read_u32(p + 16), read_u32(p + 20)};
    if (c->utc > 256 || c->standard > 256 || c->leap > 1000 || c->time > FILE_MAX || c->type > 256 || c->chars > FILE_MAX)
        return false;
    *block = c->time * (time_size + 1) + c->type * 6 + c->chars + c->leap * (time_size + 4) + c->standard + c->utc;
    *s = str_of(s->ptr + 44, s->len - 44);
    return s->len >= *block;
}

static bool read_transitions(struct zone *z, const uint8_t *block, const struct counts *c) {
    const uint8_t *indexes = block + c->time * 8;
    const uint8_t *types = indexes + c->time;
    z->count = c->time;
    z->at_s = mem_alloc((c->time + 1) * sizeof *z->at_s);
    z->offset_s = mem_alloc((c->time + 1) * sizeof *z->offset_s);
    z->first_s = (int32_t)read_u32(types);
    for (uint32_t i = 0; i < c->time; i++) {
        z->at_s[i] = read_i64(block + i * 8);
        if (indexes[i] >= c->type || (i && z->at_s[i] <= z->at_s[i - 1]))
            return false;
        z->offset_s[i] = (int32_t)read_u32(types + indexes[i] * 6);
    }
    for (uint32_t i = 0; i < c->type; i++) {
        int32_t offset = (int32_t)read_u32(types + i * 6);
        if (offset < -26 * 3600 || offset > 26 * 3600) /* RFC 8536, 3.2: -25 to 26 hours */
            return false;
    }
    return true;
}

/* False when the bytes are no TZif of version 2 or later. */
static bool read_file(struct zone *z, struct str s) {
    struct counts c;
    size_t block;
    if (!take_header(&s, &c, 4, &block))
        return false;
    s = str_of(s.ptr + block, s.len - block);
    if (!take_header(&s, &c, 8, &block) || c.type == 0 || c.leap != 0)
        return false;
    if (!read_transitions(z, (const uint8_t *)s.ptr, &c))
        return false;
    s = str_of(s.ptr + block, s.len - block);
    struct str footer;
    if (!take(&s, '\n') || !str_cut(&s, '\n', &footer) || !s.ptr)
        return false;
    if (footer.len)
        return rule_parse(footer, &z->rule);
    z->rule.standard_s = z->count ? z->offset_s[z->count - 1] : z->first_s; /* no rule: it stays as it is */
    return true;
}

struct zone *zone_parse(struct str bytes, struct error *err) {
    struct zone *z = mem_alloc(sizeof *z);
    if (read_file(z, bytes))
        return z;
    zone_free(z);
    error_set(err, ERR_CORRUPT, "no time zone file of version 2 or later (TZif, RFC 8536) without leap seconds");
    return NULL;
}

static bool name_is_ok(struct str name) {
    bool first = true; /* of a part: no "..", no "/etc" */
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = ((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9');
        if (!letter && (first || !memchr("_+-/", c, 4)))
            return false;
        first = c == '/';
    }
    return name.len <= NAME_MAX_BYTES && !first;
}

struct zone *zone_open(struct str name, struct error *err) {
    if (name.len == 0)
        return mem_alloc(sizeof(struct zone));
    char path[sizeof ZONE_FOLDER + NAME_MAX_BYTES];
    struct buf bytes;
    struct zone *z = NULL;
    if (!name_is_ok(name)) {
        error_set(err, ERR_INVALID, "`" STR_FMT "` is no name of a time zone: use one like Europe/Berlin", STR_ARG(name));
        return NULL;
    }
    snprintf(path, sizeof path, ZONE_FOLDER STR_FMT, STR_ARG(name));
    buf_init(&bytes, FILE_MAX);
    if (file_read(path, &bytes, err))
        z = zone_parse(buf_str(&bytes), err);
    else if (err->code == ERR_NOT_FOUND)
        error_set(err, ERR_NOT_FOUND, "the system knows no time zone `" STR_FMT "`: see " ZONE_FOLDER " (package tzdata)",
                  STR_ARG(name));
    buf_release(&bytes);
    if (!z && err->code != ERR_NOT_FOUND)
        error_wrap(err, "time zone " STR_FMT, STR_ARG(name));
    return z;
}

void zone_free(struct zone *z) {
    if (!z)
        return;
    free(z->at_s);
    free(z->offset_s);
    free(z);
}

struct zone_span zone_span_at(const struct zone *z, int64_t utc_s) {
    size_t low = 0, high = z->count; /* how many transitions are not after utc_s */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (z->at_s[middle] <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == z->count) {
        struct zone_span span = rule_span_at(&z->rule, utc_s);
        if (low && span.start_s < z->at_s[low - 1])
            span.start_s = z->at_s[low - 1];
        return span;
    }
    return (struct zone_span){low ? z->at_s[low - 1] : INT64_MIN, z->at_s[low], low ? z->offset_s[low - 1] : z->first_s};
}
