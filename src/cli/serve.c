/* serve.c — flowlet serve: the server. */
#include "serve/server.h"

#include "cli/cli.h"

enum {
    OPTION_COUNT = 0
#define X(...) +1
#include "config/options.def"
#undef X
};

static int serve(struct cli *c) {
    struct error err;
    return server_run(c->options, &err) ? CLI_OK : cli_fail(&err);
}

const struct command command_serve = {
    .name = "serve",
    .usage = "",
    .summary = "Runs the server",
    .text = "Prints one line `ready listen=URL console=URL` when it answers. The first start writes an API token to DIR/token.\n"
            "Ends politely on SIGTERM and SIGINT: what is being answered is, durable runs go on at the next start.\n"
            "Reads its certificates again on SIGHUP.",
    .example = "    flowlet serve --data ./data --workspace workspaces/emergency-response --practice",
    .args = options_args,
    .arg_count = OPTION_COUNT,
    .options_size = sizeof(struct options),
    .run = serve,
};
