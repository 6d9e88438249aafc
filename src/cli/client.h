/* client.h — the server's API, asked from the command line (libcurl; waiting is no harm there).
 *
 *     static const struct arg args[] = {CLIENT_ARGS(struct options), {...}};      options: .client first
 *     client_open(&k, c, &o->client, err);
 *     json_t *answer = client_ask(&k, "GET", client_path(&k, "/outbox"), NULL, err);
 *
 * The server is --server, FLOWLET_SERVER, what DATA/console says, http://127.0.0.1:8081; the token is
 * FLOWLET_TOKEN, the content of --token-file, of DATA/token. Without --workspace the server's only one is meant. */
#ifndef FLOWLET_CLIENT_H
#define FLOWLET_CLIENT_H

#include "cli/cli.h"

struct client_options {
    const char *server, *data, *token_file, *workspace;
    bool json;
};

/* clang-format off */
#define CLIENT_ARG(its, name, called, otherwise, of_environment, about)                                                          \
    {.flag = name, .value = called, .type = ARG_TEXT, .standard = otherwise, .environment = of_environment, .offset = its, .help = about}
#define CLIENT_ARGS(options)                                                                                                     \
    CLIENT_ARG(offsetof(options, client.server), "server", "URL", NULL, true, "where the server's console listener is"),         \
    CLIENT_ARG(offsetof(options, client.data), "data", "DIR", "./data", true, "the server's data, for its address and token"),   \
    CLIENT_ARG(offsetof(options, client.token_file), "token-file", "FILE", NULL, true, "holds the token; FLOWLET_TOKEN is it"),  \
    CLIENT_ARG(offsetof(options, client.workspace), "workspace", "NAME", NULL, false, "which, where the server has several"),    \
    {.flag = "json", .type = ARG_SWITCH, .offset = offsetof(options, client.json), .help = "one JSON document instead of text"}
/* For commands that have no options of their own: c->options is a struct client_options. */
#define CLIENT_ARG_COUNT 5
extern const struct arg client_args[CLIENT_ARG_COUNT];
#define CLIENT_COMMAND .args = client_args, .arg_count = CLIENT_ARG_COUNT, .options_size = sizeof(struct client_options)
/* clang-format on */

struct client {
    const struct client_options *options;
    struct arena *arena; /* the command's */
    const char *server;  /* without a slash at its end */
    const char *token;
    const char *workspace; /* "" before client_path */
    int status;            /* of the last answer */
};

MUST_USE bool client_open(struct client *k, struct cli *c, const struct client_options *options, struct error *err);
/* "/api/v1/workspaces/NAME" and what follows; NULL when the workspace can't be told. */
const char *client_path(struct client *k, struct error *err, const char *format, ...) PRINTF_LIKE(3, 4);
/* A part of a path or of a query, percent-encoded. */
const char *client_encode(struct client *k, struct str text);
/* The answer's JSON; NULL with err as the server's problem says it. body is taken, may be NULL. Where `refused` is not NULL,
 * it gets the answer's JSON when the status is 400 or above and says more than an error (findings). */
json_t *client_ask(struct client *k, const char *method, const char *path, json_t *body, json_t **refused,
                   struct error *err) MUST_USE;

#endif
