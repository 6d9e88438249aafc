/* openapi.c — `flowlet openapi`: the API as a document for programs. No server is asked. */
#include "api/route.h"
#include "cli/cli.h"

static int run(struct cli *c) {
    (void)c;
    json_t *document = api_openapi();
    cli_print_json(document);
    json_decref(document);
    return CLI_OK;
}

const struct command command_openapi = {
    .name = "openapi",
    .usage = "",
    .summary = "Prints the REST API's OpenAPI 3.1 document",
    .text = "It is that of this program; a running server gives its own as GET /api/v1/openapi.json, without a token.",
    .example = "    flowlet openapi > flowlet.json",
    .run = run,
};
