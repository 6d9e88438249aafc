/* again.c — `flowlet again`: runs a run again, from its start or from one of its blocks. */
#include "cli/client.h"

struct options {
    struct client_options client;
    const char *from;
    bool list;
};
static const struct arg args[] = {{.flag = "from",
                                   .value = "BLOCK",
                                   .type = ARG_TEXT,
                                   .offset = offsetof(struct options, from),
                                   .help = "what lies before this block is taken from the old run's history"},
                                  {.flag = "list",
                                   .type = ARG_SWITCH,
                                   .offset = offsetof(struct options, list),
                                   .help = "only say from where it is possible, and why not"},
                                  CLIENT_ARGS(struct options)};

static void print_verdict(struct str block, const json_t *verdict) {
    bool possible = jsonx_bool(verdict, "possible", false);
    printf("%-20.*s %s", (int)block.len, block.ptr, possible ? "possible" : "no: ");
    if (!possible)
        cli_print_safe(jsonx_str(verdict, "reason"));
    printf("\n");
}

static void show_list(const json_t *answer) {
    const json_t *block;
    size_t i;
    print_verdict(STR("(the start)"), json_object_get(answer, "start"));
    json_array_foreach(json_object_get(answer, "blocks"), i, block) print_verdict(jsonx_str(block, "block"), block);
}

static int show(const struct options *o, const json_t *answer) {
    struct str state = jsonx_str(answer, "state");
    bool failed = str_is(state, "failed") || str_is(state, "canceled");
    if (o->client.json)
        cli_print_json(answer);
    else if (o->list)
        show_list(answer);
    else
        printf("run " STR_FMT " is " STR_FMT " (`flowlet runs " STR_FMT "` shows it block by block)\n",
               STR_ARG(jsonx_str(answer, "run")), STR_ARG(state), STR_ARG(jsonx_str(answer, "run")));
    return failed ? CLI_FAILED : CLI_OK;
}

static int run(struct cli *c) {
    const struct options *o = c->options;
    struct client k;
    struct error err;
    const char *path;
    json_t *answer = NULL;
    if (!client_open(&k, c, &o->client, &err))
        return cli_fail(&err);
    path = client_path(&k, &err, "/runs/%s/again%s", client_encode(&k, str_from(c->words.at[0])), o->list ? "" : "?wait=true");
    if (path)
        answer =
            client_ask(&k, o->list ? "GET" : "POST", path, o->list ? NULL : json_pack("{s:s*}", "from", o->from), NULL, &err);
    if (!answer)
        return cli_fail(&err);
    int code = show(o, answer);
    json_decref(answer);
    return code;
}

const struct command command_again = {
    .name = "again",
    .usage = "RUN [--from BLOCK] [--list]",
    .summary = "Runs a run again with the same input, from its start or from one of its blocks",
    .text = "The new run is one of the flow as it is published now, in the mode of the old one. It is possible where the\n"
            "history has every value that is needed, whole.",
    .example = "    flowlet again 1a2072f15ee000\n    flowlet again 1a2072f15ee000 --from page",
    .args = args,
    .arg_count = ARRAY_LEN(args),
    .options_size = sizeof(struct options),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
