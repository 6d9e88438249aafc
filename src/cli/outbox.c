/* outbox.c — `flowlet outbox`: what practice mode captured. */
#include "base/clock.h"
#include "cli/captured.h"
#include "cli/client.h"

#define READABLE_MAX ((size_t)64 * 1024 * 1024)

struct options {
    struct client_options client;
    const char *raw;
    bool clear;
};
static const struct arg args[] = {
    {.flag = "raw",
     .value = "ID",
     .type = ARG_TEXT,
     .offset = offsetof(struct options, raw),
     .help = "one as it would have gone out: a mail as its MIME message"},
    {.flag = "clear", .type = ARG_SWITCH, .offset = offsetof(struct options, clear), .help = "empty it"},
    CLIENT_ARGS(struct options)};

static void write_readable(const json_t *entry, struct buf *out) {
    json_t *readable = captured_readable(jsonx_str(entry, "kind"), jsonx_str(entry, "content"));
    if (json_is_string(readable))
        buf_add(out, jsonx_string_value(readable));
    else
        jsonx_write_pretty(readable, out);
    json_decref(readable);
}

static void print_entry(const json_t *entry) {
    char when[CLOCK_TEXT_MAX];
    struct buf text;
    struct str rest, line;
    clock_write(jsonx_int(entry, "time_ms", 0), when);
    printf("#%lld  %.19s  %s to ", (long long)jsonx_int(entry, "id", 0), when, jsonx_str(entry, "kind").ptr);
    cli_print_safe(jsonx_str(entry, "to"));
    printf("  (%s, run %s)\n", jsonx_str(entry, "flow").ptr, jsonx_str(entry, "run").ptr);
    buf_init(&text, READABLE_MAX);
    write_readable(entry, &text);
    while (text.len && text.ptr[text.len - 1] == '\n')
        text.len--;
    rest = buf_str(&text);
    while (str_cut(&rest, '\n', &line)) {
        printf("    ");
        cli_print_safe(line);
        printf("\n");
    }
    printf("\n");
    buf_release(&text);
}

static int print_raw(const json_t *list, const char *id) {
    size_t i;
    const json_t *entry;
    int64_t wanted;
    if (!str_to_int64(str_from(id), &wanted))
        wanted = -1;
    json_array_foreach(list, i, entry) {
        if (jsonx_int(entry, "id", 0) == wanted) {
            cli_print(jsonx_str(entry, "content"));
            return CLI_OK;
        }
    }
    fprintf(stderr, "flowlet: the outbox holds no %s; `flowlet outbox` lists what it holds\n", id);
    return CLI_FAILED;
}

static int show(const struct options *o, const json_t *answer) {
    const json_t *list = json_object_get(answer, "outbox"), *entry;
    size_t i;
    if (o->raw)
        return print_raw(list, o->raw);
    if (o->client.json)
        cli_print_json(answer);
    else
        json_array_foreach(list, i, entry) print_entry(entry);
    if (!json_array_size(list) && !o->client.json)
        fprintf(stderr, "The outbox is empty: in practice mode it fills with what runs would have sent.\n");
    return CLI_OK;
}

static int run(struct cli *c) {
    const struct options *o = c->options;
    struct client k;
    struct error err;
    const char *path;
    json_t *answer;
    if (!client_open(&k, c, &o->client, &err) || !(path = client_path(&k, &err, "/outbox")) ||
        !(answer = client_ask(&k, o->clear ? "DELETE" : "GET", path, NULL, NULL, &err)))
        return cli_fail(&err);
    int code = o->clear ? CLI_OK : show(o, answer);
    json_decref(answer);
    return code;
}

const struct command command_outbox = {
    .name = "outbox",
    .usage = "[--raw ID] [--clear]",
    .summary = "Shows what practice mode captured: pages, mails and messages that were not sent",
    .text = "Oldest first. A mail is shown as its reader would see it.",
    .example = "    flowlet outbox\n    flowlet outbox --raw 2 > mail.eml",
    .args = args,
    .arg_count = ARRAY_LEN(args),
    .options_size = sizeof(struct options),
    .run = run,
};
