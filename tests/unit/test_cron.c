/* Rules of cron.h and zone.h; the instants were checked against another implementation (Python's zoneinfo). */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "trigger/cron.h"
#include "trigger/zone.h"

/* "2026-03-29T00:59:00" as ms. */
static int64_t at(const char *text) {
    int year, month, day, hour, minute, second = 0;
    cr_assert(sscanf(text, "%d-%d-%dT%d:%d:%d", &year, &month, &day, &hour, &minute, &second) >= 5, "%s", text);
    return (days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second) * 1000;
}

static void is_due(const struct cron *c, int64_t after, const char *const *expected) {
    for (; *expected; expected++) {
        int64_t next = cron_next(c, after);
        char text[CLOCK_TEXT_MAX];
        clock_write(next, text);
        cr_assert_eq(next, at(*expected), "%s instead of %s", text, *expected);
        cr_assert_eq(cron_next(c, next - 1), next);
        after = next;
    }
}

#define LINE_IS_DUE(line, zone, after, ...)                                                                                      \
    do {                                                                                                                         \
        struct error e;                                                                                                          \
        struct cron *cron = cron_parse_line(STR(line), STR(zone), &e);                                                           \
        cr_assert(cron, "%s", e.text);                                                                                           \
        is_due(cron, at(after), (const char *const[]){__VA_ARGS__, NULL});                                                       \
        cron_free(cron);                                                                                                         \
    } while (0)

Test(cron, fields) {
    LINE_IS_DUE("*/20 * * * *", "", "2026-11-23T17:20", "2026-11-23T17:40", "2026-11-23T18:00");
    LINE_IS_DUE("5/20 9 * * *", "", "2026-11-23T09:05", "2026-11-23T09:25", "2026-11-23T09:45", "2026-11-24T09:05");
    LINE_IS_DUE("0,30 8-10/2 * * *", "", "2026-11-23T08:30", "2026-11-23T10:00", "2026-11-23T10:30", "2026-11-24T08:00");
    LINE_IS_DUE(" 0  12\t* feb MON ", "", "2026-11-23T00:00", "2027-02-01T12:00", "2027-02-08T12:00");
    LINE_IS_DUE("0 0 * * sat-sun", "", "2026-11-23T00:00", "2026-11-28T00:00", "2026-11-29T00:00", "2026-12-05T00:00");
    LINE_IS_DUE("0 0 * * 7", "", "2026-11-23T00:00", "2026-11-29T00:00", "2026-12-06T00:00");
}

Test(cron, either_day_is_enough_where_both_are_given) {
    LINE_IS_DUE("0 0 13 * 5", "", "2026-11-06T00:00", "2026-11-13T00:00", "2026-11-20T00:00", "2026-11-27T00:00",
                "2026-12-04T00:00", "2026-12-11T00:00", "2026-12-13T00:00");
}

Test(cron, leap_days) {
    LINE_IS_DUE("0 0 29 2 *", "", "2026-11-23T00:00", "2028-02-29T00:00", "2032-02-29T00:00");
    LINE_IS_DUE("0 0 29 2 *", "", "2096-02-29T00:00", "2104-02-29T00:00"); /* 2100 has none */
}

Test(cron, seconds_after_a_due_time_belong_to_it) {
    LINE_IS_DUE("* * * * *", "", "2026-11-23T17:20:59", "2026-11-23T17:21");
    struct error err;
    struct cron *c = cron_parse_line(STR("* * * * *"), STR(""), &err);
    cr_assert_eq(cron_next(c, at("2026-11-23T17:20:00") - 1), at("2026-11-23T17:20:00"));
    cr_assert_eq(cron_next(c, at("2026-11-23T17:20:00") + 1), at("2026-11-23T17:21:00"));
    cron_free(c);
}

/* Berlin 2026: 02:00 becomes 03:00 on 29 March, 03:00 becomes 02:00 on 25 October, both at 01:00 UTC. */
Test(cron, fixed_time_in_the_gap_fires_right_after_it) {
    LINE_IS_DUE("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00", "2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30");
    LINE_IS_DUE("*/10 2,3 * * *", "Europe/Berlin", "2026-03-28T23:00", "2026-03-29T01:00", "2026-03-29T01:10");
}

Test(cron, fixed_time_that_comes_twice_fires_once) {
    LINE_IS_DUE("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30", "2026-10-26T01:30");
    LINE_IS_DUE("*/30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:00", "2026-10-25T00:30", "2026-10-26T01:00");
    LINE_IS_DUE("0 3 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T02:00", "2026-10-26T02:00");
}

Test(cron, every_hour_goes_with_elapsed_time) {
    LINE_IS_DUE("30 * * * *", "Europe/Berlin", "2026-03-28T23:45", "2026-03-29T00:30", "2026-03-29T01:30", "2026-03-29T02:30");
    LINE_IS_DUE("30 * * * *", "Europe/Berlin", "2026-10-24T23:45", "2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30");
}

/* New York 2026: 02:00 becomes 03:00 on 8 March (07:00 UTC), 02:00 becomes 01:00 on 1 November (06:00 UTC). */
Test(cron, new_york) {
    LINE_IS_DUE("15 2 * * *", "America/New_York", "2026-03-07T12:00", "2026-03-08T07:00", "2026-03-09T06:15");
    LINE_IS_DUE("15 1 * * *", "America/New_York", "2026-10-31T12:00", "2026-11-01T05:15", "2026-11-02T06:15");
    LINE_IS_DUE("0 9 * * mon", "America/New_York", "2026-10-31T12:00", "2026-11-02T14:00", "2026-11-09T14:00");
}

/* Lord Howe moves by half an hour: 02:00 to 02:30 on 4 October 2026 (15:30 UTC the day before), back at 02:00 on 5 April (15:00
 * UTC). */
Test(cron, lord_howe_moves_half_an_hour) {
    LINE_IS_DUE("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T18:00", "2026-10-03T15:30", "2026-10-04T15:15");
    LINE_IS_DUE("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00", "2026-04-04T14:45", "2026-04-05T15:15");
    LINE_IS_DUE("45 * * * *", "Australia/Lord_Howe", "2026-04-04T14:00", "2026-04-04T14:45", "2026-04-04T15:15",
                "2026-04-04T16:15");
}

/* Chatham is 12:45 ahead, 13:45 in summer: 02:45 becomes 03:45 on 27 September 2026 (14:00 UTC the day before). */
Test(cron, chatham_has_quarter_hours) {
    LINE_IS_DUE("0 3 * * *", "Pacific/Chatham", "2026-09-25T18:00", "2026-09-26T14:00", "2026-09-27T13:15");
    LINE_IS_DUE("0 3 * * *", "Pacific/Chatham", "2026-04-04T00:00", "2026-04-04T13:15", "2026-04-05T14:15");
}

/* Samoa had no 30 December 2011; what was due on it fires as the 31st begins. */
Test(cron, samoa_left_out_a_day) {
    LINE_IS_DUE("0 12 * * *", "Pacific/Apia", "2011-12-29T12:00", "2011-12-29T22:00", "2011-12-30T10:00", "2011-12-30T22:00");
}

Test(cron, rules_go_on_past_the_file) {
    LINE_IS_DUE("30 2 * * *", "Europe/Berlin", "2087-03-29T12:00", "2087-03-30T01:00", "2087-03-31T00:30") /* 30 March 2087 */;
    LINE_IS_DUE("30 2 * * *", "Europe/Dublin", "2060-07-01T00:00", "2060-07-01T01:30");
    LINE_IS_DUE("0 0 1 1,7 *", "Australia/Sydney", "2061-01-01T00:00", "2061-06-30T14:00", "2061-12-31T13:00");
}

Test(cron, what_is_no_line_is_refused_by_field) {
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"", "five fields"},          {"* * * *", "five fields"},  {"* * * * * *", "five fields"}, {"60 * * * *", "minute"},
        {"* 24 * * *", "hour"},       {"* * 0 * *", "day of"},     {"* * * 13 *", "month"},        {"* * * * 8", "day of week"},
        {"5-1 * * * *", "minute"},    {"*/0 * * * *", "minute"},   {"1,,2 * * * *", "minute"},     {"-1 * * * *", "minute"},
        {"* * * january *", "month"}, {"1-2-3 * * * *", "minute"}, {"0 0 30 2 *", "never"},        {"@daily", "five fields"},
        {"+5 * * * *", "minute"},     {"1/ * * * *", "minute"},    {"*5 * * * *", "minute"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct error err;
        cr_assert_null(cron_parse_line(str_from(cases[i].line), STR("Europe/Berlin"), &err), "%s", cases[i].line);
        cr_assert(strstr(err.text, cases[i].says), "%s: %s", cases[i].line, err.text);
    }
}

Test(cron, zones_are_names_of_the_database) {
    static const char *const bad[] = {"Europe/Nowhere", "../../etc/passwd", "/etc/passwd", "Europe/../UTC",
                                      "Europe",         "Europe/",          "CET-1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct error err;
        cr_assert_null(cron_parse_line(STR("* * * * *"), str_from(bad[i]), &err), "%s", bad[i]);
        cr_assert(strstr(err.text, bad[i]), "%s", err.text);
    }
}

Test(cron, intervals_keep_their_places) {
    struct error err;
    struct cron *c = cron_parse_every(STR("5 minutes"), STR("scan"), &err);
    int64_t first = cron_next(c, at("2026-11-23T17:20"));
    cr_assert_eq(first % 60000, 0);
    cr_assert(first > at("2026-11-23T17:20") && first <= at("2026-11-23T17:25"));
    cr_assert_eq(cron_next(c, first - 1), first);
    cr_assert_eq(cron_next(c, first), first + 5 * 60000);
    cr_assert_eq(cron_next(c, first + 7 * 60000), first + 10 * 60000);
    cron_free(c);
    static const struct {
        const char *text;
        int64_t minutes;
    } good[] = {{"1 minute", 1},  {"90 minutes", 90}, {"hourly", 60},   {"1 hour", 60},
                {"2 days", 2880}, {"daily", 1440},    {"1 week", 10080}};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        c = cron_parse_every(str_from(good[i].text), STR("x"), &err);
        cr_assert(c, "%s: %s", good[i].text, err.text);
        first = cron_next(c, at("2026-11-23T17:20"));
        cr_assert_eq(cron_next(c, first) - first, good[i].minutes * 60000, "%s", good[i].text);
        cron_free(c);
    }
    static const char *const bad[] = {"",          "5",      "minutes",         "0 minutes", "-1 hour",
                                      "5 seconds", "1 year", "999999999 weeks", "5minutes",  "5 minutes ago"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        cr_assert_null(cron_parse_every(str_from(bad[i]), STR("x"), &err), "%s", bad[i]);
}

Test(cron, dates_there_and_back) {
    for (int64_t days = -800000; days < 800000; days += 13) {
        int64_t year;
        int month, day;
        date_from_days(days, &year, &month, &day);
        cr_assert(month >= 1 && month <= 12 && day >= 1 && day <= days_in_month(year, month));
        cr_assert_eq(days_from_date(year, month, day), days);
    }
    cr_assert_eq(days_from_date(2026, 11, 23), 20780);
}
