/* Cron lines and zone files of any bytes: due times only go up, and each is the next of the instant before it. */
#include "trigger/cron.h"
#include "trigger/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_times(const struct cron *c) {
    int64_t after_ms = 1795454560123;
    for (int i = 0; i < 4; i++) {
        int64_t next_ms = cron_next(c, after_ms);
        if (!next_ms)
            return;
        ENSURE(next_ms > after_ms && next_ms % 1000 == 0);
        ENSURE(cron_next(c, next_ms - 1) == next_ms);
        after_ms = next_ms;
    }
}

static void check_zone(const struct zone *z) {
    for (int64_t at_s = -5000000000; at_s < 10000000000; at_s += 333333333) {
        struct zone_span span = zone_span_at(z, at_s);
        ENSURE(span.start_s <= at_s && at_s < span.end_s);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const zones[] = {"", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca"};
    if (size < 1)
        return 0;
    struct str text = str_of(data + 1, size - 1);
    struct error err;
    struct zone *z = zone_parse(str_of(data, size), &err);
    if (z)
        check_zone(z);
    zone_free(z);
    struct cron *c =
        data[0] & 4 ? cron_parse_every(text, STR("flow"), &err) : cron_parse_line(text, str_from(zones[data[0] & 3]), &err);
    if (c)
        check_times(c);
    cron_free(c);
    return 0;
}
