/* mode.c — `flowlet practice` and `flowlet live`: whether a workspace's effects are captured or real. */
#include "cli/client.h"

static int run(struct cli *c) {
    const struct client_options *o = c->options;
    struct client k;
    struct error err;
    const char *path;
    json_t *answer;
    if (!client_open(&k, c, o, &err) || !(path = client_path(&k, &err, "/mode")) ||
        !(answer = client_ask(&k, "PUT", path, json_pack("{s:s}", "mode", c->command->name), NULL, &err)))
        return cli_fail(&err);
    if (o->json)
        cli_print_json(answer);
    else
        printf("%s is in %s mode: %s\n", k.workspace, c->command->name,
               strcmp(c->command->name, "live") == 0 ? "pages, mails and messages of new runs are sent"
                                                     : "pages, mails and messages of new runs are captured (`flowlet outbox`)");
    json_decref(answer);
    return CLI_OK;
}

const struct command command_live = {
    .name = "live",
    .usage = "[--workspace NAME]",
    .summary = "Lets a workspace's new runs have real effects",
    .text = "Refused while a setting or secret that is needed is empty, or still has its practice value. Runs under way stay\n"
            "in the mode in which they were accepted.",
    .example = "    flowlet secret set pagerduty_token\n    flowlet live",
    CLIENT_COMMAND,
    .run = run,
};

const struct command command_practice = {
    .name = "practice",
    .usage = "[--workspace NAME]",
    .summary = "Captures the effects of a workspace's new runs",
    .text = "Mails, and HTTP requests other than GET, HEAD and OPTIONS, are kept in the outbox instead of being sent.",
    .example = "    flowlet practice\n    flowlet outbox",
    CLIENT_COMMAND,
    .run = run,
};
