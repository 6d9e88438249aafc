/* cron_times — when lines are due and what zones' clocks show, in bulk, for comparisons that are written elsewhere.
 *
 * One question a line on standard input, its parts between tabs, times in seconds since 1970; one line of numbers each on
 * standard output, or `error: SENTENCE`:
 *
 *     spans ZONE FROM TO           each offset to UTC and from when it holds: FROM OFFSET AT OFFSET ...
 *     times ZONE FROM TO LINE      the due times from FROM up to TO, the end not included */
#include <inttypes.h>

#include "trigger/cron.h"
#include "trigger/zone.h"

static bool say_spans(struct str name, int64_t from, int64_t to, struct error *err) {
    struct zone *z = zone_open(name, err);
    if (!z)
        return false;
    for (int64_t at = from; at < to;) {
        struct zone_span span = zone_span_at(z, at);
        printf("%" PRId64 " %d ", at, span.offset_s);
        while (span.end_s < to && zone_span_at(z, span.end_s).offset_s == span.offset_s)
            span.end_s = zone_span_at(z, span.end_s).end_s;
        at = span.end_s;
    }
    zone_free(z);
    return true;
}

static bool say_times(struct str zone, int64_t from, int64_t to, struct str line, struct error *err) {
    struct cron *c = cron_parse_line(line, zone, err);
    if (!c)
        return false;
    for (int64_t at = from * 1000 - 1; (at = cron_next(c, at)) && at < to * 1000;)
        printf("%" PRId64 " ", at / 1000);
    cron_free(c);
    return true;
}

static bool answer(struct str question, struct error *err) {
    struct str word = {0}, zone = {0}, from_text = {0}, to_text = {0};
    int64_t from, to;
    bool complete = str_cut(&question, '\t', &word) && str_cut(&question, '\t', &zone) && str_cut(&question, '\t', &from_text) &&
                    str_cut(&question, '\t', &to_text) && str_to_int64(from_text, &from) && str_to_int64(to_text, &to);
    if (complete && str_is(word, "spans"))
        return say_spans(zone, from, to, err);
    if (complete && str_is(word, "times"))
        return say_times(zone, from, to, question, err);
    return error_set(err, ERR_INVALID, "no question");
}

int main(void) {
    char text[1000];
    struct error err;
    while (fgets(text, sizeof text, stdin)) {
        struct str question = str_from(text);
        question.len -= str_ends(question, STR("\n"));
        if (!answer(question, &err))
            printf("error: %s", err.text);
        putchar('\n');
    }
    return 0;
}
