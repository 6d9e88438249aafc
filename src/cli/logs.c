/* logs.c — `flowlet logs`: what happens, as it happens. */
#include "base/clock.h"
#include "cli/client.h"

struct options {
    struct client_options client;
    bool follow;
};
static const struct arg args[] = {{.flag = "follow",
                                   .letter = 'f',
                                   .type = ARG_SWITCH,
                                   .offset = offsetof(struct options, follow),
                                   .help = "go on until interrupted"},
                                  CLIENT_ARGS(struct options)};

static void print_event(const json_t *e) {
    char when[CLOCK_TEXT_MAX];
    clock_write(jsonx_int(e, "time_ms", 0), when);
    struct str text = jsonx_str(e, "text"), level = jsonx_str(e, "level");
    printf("%s %s %-20s %-9s", when, jsonx_str(e, "run").ptr, jsonx_str(e, "flow").ptr,
           level.len ? level.ptr : jsonx_str(e, "kind").ptr);
    if (text.len) {
        printf(" ");
        cli_print_safe(text);
    }
    printf("\n");
}

/* With --json one event a line: a stream has no end to close a list at. */
static void print_line(const json_t *e) {
    struct buf text;
    buf_init(&text, 1u << 20);
    jsonx_write(e, &text);
    buf_addc(&text, '\n');
    cli_print(buf_str(&text));
    buf_release(&text);
}

static int run(struct cli *c) {
    const struct options *o = c->options;
    struct client k;
    struct error err;
    int64_t after = 0;
    const char *wait = "";
    if (!client_open(&k, c, &o->client, &err))
        return cli_fail(&err);
    do {
        const json_t *e;
        size_t i;
        const char *path = client_path(&k, &err, "/logs?after=%lld%s", (long long)after, wait);
        json_t *answer = path ? client_ask(&k, "GET", path, NULL, NULL, &err) : NULL;
        if (!answer)
            return cli_fail(&err);
        json_array_foreach(json_object_get(answer, "events"), i, e) {
            if (o->client.json)
                print_line(e);
            else
                print_event(e);
        }
        fflush(stdout);
        after = jsonx_int(answer, "newest", after);
        wait = "&wait=25"; /* from now on the server answers when there is something */
        json_decref(answer);
    } while (o->follow);
    return CLI_OK;
}

const struct command command_logs = {
    .name = "logs",
    .usage = "[-f]",
    .summary = "Shows what runs begin, end and log, the last few thousand lines",
    .text = "With --json one document a line.",
    .example = "    flowlet logs -f",
    .args = args,
    .arg_count = ARRAY_LEN(args),
    .options_size = sizeof(struct options),
    .run = run,
};
