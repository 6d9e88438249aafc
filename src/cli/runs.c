/* runs.c — `flowlet runs`: what ran, and what one run did block by block. */
#include "base/clock.h"
#include "cli/client.h"

#define VALUE_SHOWN 200 /* characters of a value in the text form */

struct options {
    struct client_options client;
    const char *flow, *state;
    int64_t limit;
};
static const struct arg args[] = {
    {.flag = "flow", .value = "ID", .type = ARG_TEXT, .offset = offsetof(struct options, flow), .help = "of this flow only"},
    {.flag = "state",
     .value = "STATE",
     .type = ARG_TEXT,
     .offset = offsetof(struct options, state),
     .help = "accepted, running, waiting, done, failed or canceled"},
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

static int list(const struct options *o, struct client *k, struct error *err) {
    struct buf query;
    buf_init(&query, 1000);
    buf_addf(&query, "?limit=%lld", (long long)o->limit);
    if (o->flow)
        buf_addf(&query, "&flow=%s", client_encode(k, str_from(o->flow)));
    if (o->state)
        buf_addf(&query, "&state=%s", client_encode(k, str_from(o->state)));
    const char *path = client_path(k, err, "/runs%s", query.ptr);
    json_t *answer = path ? client_ask(k, "GET", path, NULL, NULL, err) : NULL;
    const json_t *run;
    size_t i;
    buf_release(&query);
    if (!answer)
        return cli_fail(err);
    if (o->client.json)
        cli_print_json(answer);
    else
        json_array_foreach(json_object_get(answer, "runs"), i, run) print_row(run);
    json_decref(answer);
    return CLI_OK;
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
    .usage = "[ID] [--flow ID] [--state STATE]",
    .summary = "Lists runs, newest first, or shows one block by block",
    .text = "Times are UTC. Values are shortened; --json has them as they were kept.",
    .example = "    flowlet runs --state failed\n    flowlet runs 0019a8b3c1d2e4",
    .args = args,
    .arg_count = ARRAY_LEN(args),
    .options_size = sizeof(struct options),
    .words_max = 1,
    .run = run,
};
