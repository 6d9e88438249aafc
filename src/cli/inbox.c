/* inbox.c — `flowlet inbox`: requests to stored endpoints, as they came; and `flowlet enable` and `disable` of a flow. */
#include "base/clock.h"
#include "cli/client.h"

struct options {
    struct client_options client;
    const char *flow, *outcome;
    int64_t limit;
};
static const struct arg args[] = {{.flag = "flow",
                                   .value = "FLOW",
                                   .type = ARG_TEXT,
                                   .offset = offsetof(struct options, flow),
                                   .help = "list: only those for it"},
                                  {.flag = "outcome",
                                   .value = "WHAT",
                                   .type = ARG_TEXT,
                                   .offset = offsetof(struct options, outcome),
                                   .help = "list: accepted, duplicate, repeated, refused, failed, busy or disabled"},
                                  {.flag = "limit",
                                   .value = "N",
                                   .type = ARG_NUMBER,
                                   .low = 1,
                                   .high = 1000,
                                   .standard = "50",
                                   .offset = offsetof(struct options, limit),
                                   .help = "list: how many, the newest first"},
                                  CLIENT_ARGS(struct options)};

static void print_row(const json_t *row) {
    char when[CLOCK_TEXT_MAX];
    clock_write(jsonx_int(row, "time_ms", 0), when);
    printf("#%-6lld %.19s  %-9s ", (long long)jsonx_int(row, "id", 0), when, jsonx_str(row, "outcome").ptr);
    cli_print_safe(jsonx_str(row, "method"));
    printf(" ");
    cli_print_safe(jsonx_str(row, "path"));
    if (json_is_string(json_object_get(row, "run")))
        printf("  run %s", jsonx_str(row, "run").ptr);
    if (json_is_integer(json_object_get(row, "status")))
        printf("  %lld", (long long)jsonx_int(row, "status", 0));
    printf("\n");
}

static void print_lines(struct str text) {
    struct str line;
    while (str_cut(&text, '\n', &line)) {
        cli_print_safe(line);
        printf("\n");
    }
}

static void print_whole(const json_t *row) {
    const json_t *pair, *body = json_object_get(row, "body");
    size_t i;
    print_row(row);
    printf("from ");
    cli_print_safe(jsonx_str(row, "client"));
    printf(", for %s, query ", jsonx_str(row, "flow").ptr);
    cli_print_safe(jsonx_str(row, "query"));
    printf("\n");
    if (json_is_string(json_object_get(row, "reason")))
        print_lines(jsonx_str(row, "reason"));
    json_array_foreach(json_object_get(row, "headers"), i, pair) {
        cli_print_safe(jsonx_string_value(json_array_get(pair, 0)));
        printf(": ");
        cli_print_safe(jsonx_string_value(json_array_get(pair, 1)));
        printf("\n");
    }
    printf("\n");
    if (json_is_string(body))
        print_lines(jsonx_string_value(body));
    else
        printf("(%lld bytes that are no text; --json has them in Base64)\n", (long long)jsonx_int(row, "bytes", 0));
}

static const char *list_path(struct client *k, const struct options *o, struct error *err) {
    struct str flow = str_from(o->flow), outcome = str_from(o->outcome);
    return client_path(k, err, "/inbox?limit=%lld%s%s%s%s", (long long)o->limit, flow.len ? "&flow=" : "",
                       flow.len ? client_encode(k, flow) : "", outcome.len ? "&outcome=" : "",
                       outcome.len ? client_encode(k, outcome) : "");
}

static int run(struct cli *c) {
    const struct options *o = c->options;
    const char *verb = c->words.at[0], *path;
    bool lists = strcmp(verb, "list") == 0, replays = strcmp(verb, "replay") == 0;
    const json_t *row;
    struct client k;
    struct error err;
    json_t *answer;
    size_t i;
    if (!lists && !replays && strcmp(verb, "show") != 0)
        return cli_usage(c, "`%s` is neither list, show nor replay", verb);
    if (c->words.count != (lists ? 1 : 2))
        return cli_usage(c, lists ? "list takes no more words" : "say which: flowlet inbox %s ID", verb);
    if (!client_open(&k, c, &o->client, &err))
        return cli_fail(&err);
    path = lists ? list_path(&k, o, &err)
                 : client_path(&k, &err, "/inbox/%s%s", client_encode(&k, str_from(c->words.at[1])), replays ? "/replay" : "");
    answer = path ? client_ask(&k, replays ? "POST" : "GET", path, NULL, NULL, &err) : NULL;
    if (!answer)
        return cli_fail(&err);
    if (o->client.json)
        cli_print_json(answer);
    else if (replays)
        printf("run %s has it\n", jsonx_str(answer, "run").ptr);
    else if (lists)
        json_array_foreach(json_object_get(answer, "inbox"), i, row) print_row(row);
    else
        print_whole(answer);
    json_decref(answer);
    return CLI_OK;
}

const struct command command_inbox = {
    .name = "inbox",
    .usage = "list | show ID | replay ID",
    .summary = "Shows every request to a stored endpoint as it came, and sends one through its flow again",
    .text = "Requests are kept whatever became of them: a run, a duplicate, refused, or come while the flow was switched off.\n"
            "Secrets and what callers prove themselves with are masked.",
    .example = "    flowlet inbox list --outcome disabled\n    flowlet inbox show 17\n    flowlet inbox replay 17",
    .args = args,
    .arg_count = ARRAY_LEN(args),
    .options_size = sizeof(struct options),
    .words_min = 1,
    .words_max = 2,
    .run = run,
};

static int run_switch(struct cli *c) {
    const struct client_options *o = c->options;
    bool enabled = strcmp(c->command->name, "enable") == 0;
    struct client k;
    struct error err;
    const char *path;
    json_t *answer;
    if (!client_open(&k, c, o, &err) ||
        !(path = client_path(&k, &err, "/flows/%s/enabled", client_encode(&k, str_from(c->words.at[0])))) ||
        !(answer = client_ask(&k, "PUT", path, json_pack("{s:b}", "enabled", enabled), NULL, &err)))
        return cli_fail(&err);
    if (o->json)
        cli_print_json(answer);
    else
        printf("%s is switched %s\n", c->words.at[0], enabled ? "on" : "off; runs under way go on");
    json_decref(answer);
    return CLI_OK;
}

const struct command command_enable = {
    .name = "enable",
    .usage = "FLOW",
    .summary = "Switches a flow on again",
    .text = "What came to a stored endpoint meanwhile is in `flowlet inbox list --outcome disabled`.",
    .example = "    flowlet enable orders",
    CLIENT_COMMAND,
    .words_min = 1,
    .words_max = 1,
    .run = run_switch,
};

const struct command command_disable = {
    .name = "disable",
    .usage = "FLOW",
    .summary = "Switches a flow off: its endpoint answers 503, its due times are skipped",
    .text = "Runs under way go on. Requests to a stored endpoint are kept in the inbox. It stays off over restarts and releases.",
    .example = "    flowlet disable orders",
    CLIENT_COMMAND,
    .words_min = 1,
    .words_max = 1,
    .run = run_switch,
};
