/* schedules.c — `flowlet schedules`: when cron flows are due next, and what became of what was due. */
#include "base/clock.h"
#include "cli/client.h"

struct options {
    struct client_options client;
    int64_t limit;
};
static const struct arg args[] = {{.flag = "limit",
                                   .value = "N",
                                   .type = ARG_NUMBER,
                                   .low = 1,
                                   .high = 100,
                                   .standard = "5",
                                   .offset = offsetof(struct options, limit),
                                   .help = "the next N times of each"},
                                  CLIENT_ARGS(struct options)};

/* "2026-03-29 03:00 +02:00" of RFC 3339 text. */
static void print_local(struct str text) {
    if (text.len >= 25)
        printf("%.10s %.5s %.6s", text.ptr, text.ptr + 11, text.ptr + 19);
}

static void print_instant(const json_t *i) {
    char when[CLOCK_TEXT_MAX];
    struct str run = jsonx_str(i, "run"), reason = jsonx_str(i, "reason");
    clock_write(jsonx_int(i, "due_ms", 0), when);
    printf("    %.10s %.5s UTC  %s", when, when + 11, jsonx_str(i, "outcome").ptr);
    if (jsonx_int(i, "instants", 1) > 1)
        printf(" (%lld times)", (long long)jsonx_int(i, "instants", 1));
    if (run.len)
        printf("  run %s", run.ptr);
    if (reason.len) {
        printf("  ");
        cli_print_safe(reason);
    }
    printf("\n");
}

static void print_schedule(const json_t *s) {
    const json_t *list, *one, *change = json_object_get(s, "clock_change");
    struct str every = jsonx_str(s, "every"), line = jsonx_str(s, "line"), zone = jsonx_str(s, "zone");
    size_t i;
    printf("%s: ", jsonx_str(s, "flow").ptr);
    cli_print_safe(every.len ? STR("every ") : STR(""));
    cli_print_safe(every.len ? every : line);
    if (line.len)
        printf(", %s", zone.len ? zone.ptr : "UTC");
    printf("; overlap %s, missed %s\n", jsonx_str(s, "overlap").ptr, jsonx_str(s, "missed").ptr);
    if (jsonx_str(s, "error").len) {
        printf("  never due: ");
        cli_print_safe(jsonx_str(s, "error"));
        printf("\n");
    }
    list = json_object_get(s, "next");
    json_array_foreach(list, i, one) {
        printf(i ? "        " : "  next  ");
        print_local(jsonx_str(one, "local"));
        printf("\n");
    }
    if (change && !json_is_null(change)) {
        printf("  the clock changes meanwhile: ");
        print_local(jsonx_str(change, "local_before"));
        printf(" becomes ");
        print_local(jsonx_str(change, "local_after"));
        printf("\n");
    }
    list = json_object_get(s, "recent");
    if (json_array_size(list))
        printf("  before\n");
    json_array_foreach(list, i, one) print_instant(one);
}

static int show(const struct cli *c, const json_t *answer) {
    const struct options *o = c->options;
    const json_t *list = json_object_get(answer, "schedules"), *one;
    size_t i;
    if (o->client.json) {
        cli_print_json(answer);
    } else if (c->words.count) {
        print_schedule(answer);
    } else {
        json_array_foreach(list, i, one) print_schedule(one);
        if (!json_array_size(list))
            fprintf(stderr, "No flow of the workspace is of type cron.\n");
    }
    return CLI_OK;
}

static int run(struct cli *c) {
    const struct options *o = c->options;
    struct client k;
    struct error err;
    const char *path = NULL;
    json_t *answer;
    if (!client_open(&k, c, &o->client, &err))
        return cli_fail(&err);
    if (c->words.count)
        path =
            client_path(&k, &err, "/schedules/%s?limit=%lld", client_encode(&k, str_from(c->words.at[0])), (long long)o->limit);
    else
        path = client_path(&k, &err, "/schedules?limit=%lld", (long long)o->limit);
    if (!path || !(answer = client_ask(&k, "GET", path, NULL, NULL, &err)))
        return cli_fail(&err);
    int code = show(c, answer);
    json_decref(answer);
    return code;
}

const struct command command_schedules = {
    .name = "schedules",
    .usage = "[FLOW] [--limit N]",
    .summary = "Shows when cron flows are due next, and what became of what was due",
    .text = "Times to come are those of the schedule's zone, with their distance to UTC.",
    .example = "    flowlet schedules\n    flowlet schedules nightly --limit 30",
    .args = args,
    .arg_count = ARRAY_LEN(args),
    .options_size = sizeof(struct options),
    .words_max = 1,
    .run = run,
};
