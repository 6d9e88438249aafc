/* runs.c — `flowlet runs`: what ran, and what one run did block by block. */
#include "base/clock.h"
#include "cli/client.h"

#define VALUE_SHOWN 200 /* characters of a value in the text form */

struct options {
    struct client_options client;
    const char *flow, *state, *text, *since, *until;
    int64_t limit;
};
static const struct arg args[] = {
    {.flag = "flow", .value = "ID", .type = ARG_TEXT, .offset = offsetof(struct options, flow), .help = "of this flow only"},
    {.flag = "state",
     .value = "STATE",
     .type = ARG_TEXT,
     .offset = offsetof(struct options, state),
     .help = "accepted, running, waiting, done, failed or canceled"},
    {.flag = "text",
     .value = "TEXT",
     .type = ARG_TEXT,
     .offset = offsetof(struct options, text),
     .help = "that have this in what is kept of them: names, inputs, outputs, errors, logs"},
    {.flag = "since",
     .value = "TIME",
     .type = ARG_TEXT,
     .offset = offsetof(struct options, since),
     .help = "30m, 6h or 7d ago, or a time: 2026-11-23, 2026-11-23T17:00 (UTC)"},
    {.flag = "until", .value = "TIME", .type = ARG_TEXT, .offset = offsetof(struct options, until), .help = "the same"},
    {.flag = "limit",
     .value = "N",
     .type = ARG_NUMBER,
     .low = 1,
     .high = 1000,
     .standard = "30",
     .offset = offsetof(struct options, limit),
     .help = "the newest N"},
    CLIENT_ARGS(struct options)};

/* "2026-11-23 17:22:40", UTC. */
static const char *time_text(int64_t ms, char out[CLOCK_TEXT_MAX]) {
    clock_write(ms, out);
    out[10] = ' ';
    out[19] = 0;
    return out;
}

static const char *duration_text(const json_t *run, char *out, size_t size) {
    int64_t ended = jsonx_int(run, "ended_ms", 0), ms = ended - jsonx_int(run, "started_ms", 0);
    if (!ended)
        snprintf(out, size, "-");
    else if (ms < 10000)
        snprintf(out, size, "%lld ms", (long long)ms);
    else
        snprintf(out, size, "%.1f s", (double)ms / 1000);
    return out;
}

static void print_row(const json_t *run) {
    char when[CLOCK_TEXT_MAX], took[32];
    printf("%s  %s  %-9s %9s  %-24s ", jsonx_str(run, "id").ptr, time_text(jsonx_int(run, "started_ms", 0), when),
           jsonx_str(run, "state").ptr, duration_text(run, took, sizeof took), jsonx_str(run, "flow").ptr);
    cli_print_safe(jsonx_str(run, "error").len ? jsonx_str(run, "error") : jsonx_str(run, "trigger"));
    printf("\n");
}

/* "6h" before now, or a time. */
static bool time_parse(const char *text, int64_t now_ms, int64_t *out, struct error *err) {
    static const struct {
        char letter;
        int64_t ms;
    } units[] = {{'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"};
    struct str s = str_from(text);
    int64_t n;
    for (size_t i = 0; s.len && i < ARRAY_LEN(units); i++)
        if (text[s.len - 1] == units[i].letter && str_to_int64(str_of(text, s.len - 1), &n) && n >= 0 &&
            n <= now_ms / units[i].ms) {
            *out = now_ms - n * units[i].ms;
            return true;
        }
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct tm tm = {0};
        const char *end = strptime(text, forms[i], &tm);
        if (end && (*end == 0 || strcmp(end, "Z") == 0) && tm.tm_year >= 70) {
            *out = (int64_t)timegm(&tm) * 1000;
            return true;
        }
    }
    return error_set(err, ERR_INVALID, "`%.100s` is no time: say 30m, 6h or 7d, 2026-11-23 or 2026-11-23T17:00", text);
}

static bool add_time(const char *name, const char *text, struct buf *query, struct error *err) {
    int64_t ms = 0;
    if (!text)
        return true;
    return time_parse(text, clock_now_ms(), &ms, err) && buf_addf(query, "&%s=%lld", name, (long long)ms);
}

static bool build_query(const struct options *o, struct client *k, struct buf *query, struct error *err) {
    if (o->flow)
        buf_addf(query, "&flow=%s", client_encode(k, str_from(o->flow)));
    if (o->state)
        buf_addf(query, "&state=%s", client_encode(k, str_from(o->state)));
    if (o->text)
        buf_addf(query, "&text=%s", client_encode(k, str_from(o->text)));
    return add_time("from", o->since, query, err) && add_time("to", o->until, query, err) &&
           (buf_ok(query) || error_set(err, ERR_TOO_LARGE, "--text is too long"));
}

/* One page after the other, until there are enough: a search gives what it found within a moment, and where to go on. */
static bool list_pages(const struct options *o, struct client *k, struct str query, json_t *runs, json_t **next,
                       struct error *err) {
    *next = NULL;
    do {
        struct str before = jsonx_string_value(*next);
        const char *path =
            client_path(k, err, "/runs?limit=%lld%s" STR_FMT STR_FMT, (long long)o->limit - (long long)json_array_size(runs),
                        before.len ? "&before=" : "", STR_ARG(before), STR_ARG(query));
        json_t *page = path ? client_ask(k, "GET", path, NULL, NULL, err) : NULL;
        json_decref(*next);
        *next = json_incref(json_object_get(page, "next"));
        if (!page)
            return false;
        json_array_extend(runs, json_object_get(page, "runs"));
        json_decref(page);
    } while (*next && json_array_size(runs) < (size_t)o->limit);
    return true;
}

static int list(const struct options *o, struct client *k, struct error *err) {
    struct buf query;
    json_t *runs = json_array(), *next = NULL;
    const json_t *run;
    size_t i;
    buf_init(&query, 4000);
    bool ok = build_query(o, k, &query, err) && list_pages(o, k, buf_str(&query), runs, &next, err);
    buf_release(&query);
    if (ok && o->client.json) {
        json_t *answer = json_pack("{s:O}", "runs", runs);
        if (next)
            json_object_set(answer, "next", next);
        cli_print_json(answer);
        json_decref(answer);
    } else if (ok) {
        json_array_foreach(runs, i, run) print_row(run);
    }
    json_decref(next);
    json_decref(runs);
    return ok ? CLI_OK : cli_fail(err);
}

/* ---- one run ---- */

static void print_value(const char *name, const json_t *value) {
    struct buf text;
    if (!value)
        return;
    buf_init(&text, (size_t)64 * 1024 * 1024);
    jsonx_write(value, &text);
    size_t shown = text.len;
    if (shown > VALUE_SHOWN)
        for (shown = VALUE_SHOWN; shown && (text.ptr[shown] & 0xC0) == 0x80;)
            shown--; /* never half a character */
    printf("      %-7s", name);
    cli_print_safe(str_of(text.ptr, shown));
    printf("%s\n", shown < text.len ? " ..." : "");
    buf_release(&text);
}

static void print_block(const json_t *b) {
    char when[CLOCK_TEXT_MAX];
    const char *pin = jsonx_str(b, "pin").ptr;
    printf("  %s  %-24s %6lld ms  -> %s", time_text(jsonx_int(b, "t", 0), when) + 11, jsonx_str(b, "path").ptr,
           (long long)jsonx_int(b, "ms", 0), pin ? pin : "failed");
    if (jsonx_int(b, "attempts", 1) > 1)
        printf(" (%lld attempts)", (long long)jsonx_int(b, "attempts", 1));
    printf("\n");
    print_value("input", json_object_get(b, "input"));
    print_value("output", json_object_get(b, "output"));
    print_value("error", json_object_get(b, "error"));
}

static void print_effect(const json_t *e) {
    const json_t *error = json_object_get(e, "error");
    struct str captured = jsonx_str(e, "captured");
    printf("  %-24s %6lld ms  ", jsonx_str(e, "id").ptr, (long long)jsonx_int(e, "ms", 0));
    if (captured.len)
        printf("captured as " STR_FMT ": ", STR_ARG(captured));
    cli_print_safe(jsonx_str(e, "about"));
    if (jsonx_int(e, "attempts", 1) > 1)
        printf(" (%lld attempts)", (long long)jsonx_int(e, "attempts", 1));
    if (error) {
        printf(": ");
        cli_print_safe(json_is_object(error) ? jsonx_str(error, "message") : jsonx_string_value(error));
    }
    printf("\n");
}

static void print_log(const json_t *l) {
    char when[CLOCK_TEXT_MAX];
    printf("  %s  %-5s %s: ", time_text(jsonx_int(l, "t", 0), when) + 11, jsonx_str(l, "level").ptr, jsonx_str(l, "path").ptr);
    cli_print_safe(jsonx_str(l, "text"));
    printf("\n");
}

static void print_part(const json_t *history, const char *key, const char *title, void (*print)(const json_t *)) {
    const json_t *list = json_object_get(history, key), *one;
    size_t i;
    if (!json_array_size(list))
        return;
    printf("\n%s\n", title);
    json_array_foreach(list, i, one) print(one);
}

static void print_run(const json_t *run) {
    const json_t *history = json_object_get(run, "history");
    print_row(run);
    printf("mode %s, release %lld, %s, started by ", jsonx_str(run, "mode").ptr, (long long)jsonx_int(run, "release", 0),
           jsonx_bool(run, "durable", false) ? "durable" : "not durable");
    cli_print_safe(jsonx_str(run, "trigger"));
    printf("\n");
    print_part(history, "blocks", "Blocks", print_block);
    print_part(history, "effects", "Effects", print_effect);
    print_part(history, "logs", "Log", print_log);
    if (!history)
        printf("(what its blocks did is kept when the run has ended)\n");
}

static int detail(struct cli *c, const struct options *o, struct client *k, struct error *err) {
    const char *path = client_path(k, err, "/runs/%s", client_encode(k, str_from(c->words.at[0])));
    json_t *run = path ? client_ask(k, "GET", path, NULL, NULL, err) : NULL;
    if (!run)
        return cli_fail(err);
    if (o->client.json)
        cli_print_json(run);
    else
        print_run(run);
    json_decref(run);
    return CLI_OK;
}

static int run(struct cli *c) {
    const struct options *o = c->options;
    struct client k;
    struct error err;
    if (!client_open(&k, c, &o->client, &err))
        return cli_fail(&err);
    return c->words.count ? detail(c, o, &k, &err) : list(o, &k, &err);
}

const struct command command_runs = {
    .name = "runs",
    .usage = "[ID] [--flow ID] [--state STATE] [--text TEXT] [--since TIME]",
    .summary = "Lists runs, newest first, or shows one block by block",
    .text = "Times are UTC. Values are shortened; --json has them as they were kept.",
    .example =
        "    flowlet runs --state failed --since 6h\n    flowlet runs --text ada@example.com\n    flowlet runs 0019a8b3c1d2e4",
    .args = args,
    .arg_count = ARRAY_LEN(args),
    .options_size = sizeof(struct options),
    .words_max = 1,
    .run = run,
};
