/* run.c — `flowlet run`: starts a flow and shows what it gave. */
#include "cli/client.h"

struct options {
    struct client_options client;
    const char *input;
    bool no_wait;
};
static const struct arg args[] = {{.flag = "input",
                                   .value = "JSON",
                                   .type = ARG_TEXT,
                                   .standard = "{}",
                                   .offset = offsetof(struct options, input),
                                   .help = "an object, or @FILE that holds one (@- for standard input)"},
                                  {.flag = "no-wait",
                                   .type = ARG_SWITCH,
                                   .offset = offsetof(struct options, no_wait),
                                   .help = "only start it, and print the run's id"},
                                  CLIENT_ARGS(struct options)};
#define INPUT_MAX ((size_t)16 * 1024 * 1024)

static json_t *read_input(const char *text, struct error *err) {
    struct buf bytes;
    buf_init(&bytes, INPUT_MAX);
    json_t *input = NULL;
    const char *path = strcmp(text, "@-") == 0 ? "/dev/stdin" : text + 1;
    if (text[0] != '@')
        input = jsonx_parse(str_from(text), err);
    else if (file_read(path, &bytes, err))
        input = jsonx_parse(buf_str(&bytes), err);
    else
        error_set(err, ERR_INVALID, "%s can't be read", path);
    buf_release(&bytes);
    if (!input)
        error_wrap(err, "--input");
    return input;
}

/* Text as it is, everything else as JSON. */
static void print_value(const json_t *value) {
    struct str text = jsonx_string_value(value);
    if (!text.ptr) {
        cli_print_json(value);
        return;
    }
    cli_print_safe(text);
    if (!str_ends(text, STR("\n")))
        printf("\n");
}

static int show(const struct options *o, const json_t *answer) {
    bool done = str_is(jsonx_str(answer, "state"), "done") || o->no_wait;
    if (o->client.json) {
        cli_print_json(answer);
        return done ? CLI_OK : CLI_FAILED;
    }
    const json_t *reply = json_object_get(answer, "answer"), *error = json_object_get(answer, "error");
    if (o->no_wait)
        printf(STR_FMT "\n", STR_ARG(jsonx_str(answer, "run")));
    else if (json_is_object(reply))
        print_value(json_object_get(reply, "body"));
    else if (done)
        print_value(json_object_get(answer, "output"));
    if (!done)
        fprintf(stderr, "run " STR_FMT " is " STR_FMT ": " STR_FMT "\n(`flowlet runs " STR_FMT "` shows it block by block)\n",
                STR_ARG(jsonx_str(answer, "run")), STR_ARG(jsonx_str(answer, "state")), STR_ARG(jsonx_str(error, "message")),
                STR_ARG(jsonx_str(answer, "run")));
    return done ? CLI_OK : CLI_FAILED;
}

static int run(struct cli *c) {
    const struct options *o = c->options;
    struct client k;
    struct error err;
    const char *path;
    json_t *answer;
    if (!client_open(&k, c, &o->client, &err))
        return cli_fail(&err);
    json_t *input = read_input(o->input, &err);
    if (!input)
        return cli_usage(c, "%s", err.text);
    path = client_path(&k, &err, "/flows/%s/runs%s", client_encode(&k, str_from(c->words.at[0])), o->no_wait ? "" : "?wait=true");
    if (!path) {
        json_decref(input);
        return cli_fail(&err);
    }
    if (!(answer = client_ask(&k, "POST", path, json_pack("{s:o}", "input", input), NULL, &err)))
        return cli_fail(&err);
    int code = show(o, answer);
    json_decref(answer);
    return code;
}

const struct command command_run = {
    .name = "run",
    .usage = "FLOW [--input JSON]",
    .summary = "Runs a flow and prints what it gave",
    .text = "FLOW is the name of its file, without .json. The input holds what the flow's start gives: the inputs of a\n"
            "reusable flow, or query, requestBody, headers and so on of an endpoint. In practice mode nothing is sent.",
    .example = "    flowlet run hello --input '{\"query\": {\"name\": \"Ada\"}}'",
    .args = args,
    .arg_count = ARRAY_LEN(args),
    .options_size = sizeof(struct options),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
