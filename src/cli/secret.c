/* secret.c — `flowlet secret`: which there are, and their values, which are never shown. */
#include <termios.h>
#include <unistd.h>

#include "cli/client.h"

#define VALUE_MAX (64 * 1024)

/* One line typed without an echo. */
static bool read_typed(const char *name, struct buf *out) {
    struct termios before, silent;
    fprintf(stderr, "%s: ", name);
    bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    for (int c; (c = getchar()) != EOF && c != '\n';)
        buf_addc(out, (char)c);
    if (terminal)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fprintf(stderr, "\n");
    return buf_ok(out);
}

/* All of standard input, without the line end that echo and editors put behind. */
static bool read_piped(struct buf *out) {
    for (int c; (c = getchar()) != EOF;)
        buf_addc(out, (char)c);
    if (out->len && out->ptr[out->len - 1] == '\n')
        out->len--;
    if (out->len && out->ptr[out->len - 1] == '\r')
        out->len--;
    return buf_ok(out);
}

static int set(struct cli *c, struct client *k, const char *path) {
    struct buf value;
    struct error err;
    buf_init(&value, VALUE_MAX);
    bool read = isatty(STDIN_FILENO) ? read_typed(c->words.at[1], &value) : read_piped(&value);
    json_t *answer = NULL;
    if (!read)
        error_set(&err, ERR_TOO_LARGE, "the value is longer than %d bytes", VALUE_MAX);
    else if (value.len == 0)
        error_set(&err, ERR_INVALID, "the value is empty: type it, or pipe it in; `flowlet secret rm %s` removes one",
                  c->words.at[1]);
    else
        answer = client_ask(k, "PUT", path, json_pack("{s:o}", "value", jsonx_from_str(buf_str(&value))), NULL, &err);
    explicit_bzero(value.ptr, value.len);
    buf_release(&value);
    if (!answer)
        return cli_fail(&err);
    json_decref(answer);
    fprintf(stderr, "%s is set\n", c->words.at[1]);
    return CLI_OK;
}

static int rm(struct cli *c, struct client *k, const char *path) {
    struct error err;
    json_t *answer = client_ask(k, "DELETE", path, NULL, NULL, &err);
    if (!answer)
        return cli_fail(&err);
    json_decref(answer);
    fprintf(stderr, "%s is removed\n", c->words.at[1]);
    return CLI_OK;
}

static int list(struct client *k, const char *path) {
    struct error err;
    json_t *answer = client_ask(k, "GET", path, NULL, NULL, &err);
    const json_t *one;
    size_t i;
    if (!answer)
        return cli_fail(&err);
    if (k->options->json)
        cli_print_json(answer);
    else
        json_array_foreach(json_object_get(answer, "secrets"), i, one) {
            const char *state = jsonx_bool(one, "set", false)        ? "set"
                                : jsonx_bool(one, "required", false) ? "EMPTY, needed"
                                                                     : "empty";
            printf("%-28s %-12s %-14s " STR_FMT "\n", jsonx_str(one, "name").ptr, jsonx_str(one, "type").ptr, state,
                   STR_ARG(jsonx_str(one, "title")));
        }
    json_decref(answer);
    return CLI_OK;
}

static int run(struct cli *c) {
    const struct client_options *o = c->options;
    struct client k;
    struct error err;
    const char *verb = c->words.at[0], *path;
    bool lists = strcmp(verb, "list") == 0, sets = strcmp(verb, "set") == 0, removes = strcmp(verb, "rm") == 0;
    if (!lists && !sets && !removes)
        return cli_usage(c, "`%s` is neither list, set nor rm", verb);
    if (!lists && c->words.count < 2)
        return cli_usage(c, "say which secret: flowlet secret %s NAME", verb);
    if (c->words.count > (lists ? 1 : 2))
        return cli_usage(
            c, "a value is never given on the command line, where others could see it: type it when asked, or pipe it in");
    if (!client_open(&k, c, o, &err))
        return cli_fail(&err);
    path = lists ? client_path(&k, &err, "/secrets")
                 : client_path(&k, &err, "/secrets/%s", client_encode(&k, str_from(c->words.at[1])));
    if (!path)
        return cli_fail(&err);
    return lists ? list(&k, path) : sets ? set(c, &k, path) : rm(c, &k, path);
}

const struct command command_secret = {
    .name = "secret",
    .usage = "list | set NAME | rm NAME",
    .summary = "Lists, sets and removes the workspace's secrets; values are never shown",
    .text = "`set` asks for the value, or reads it from a pipe. One of type basic is typed as username:password.\n"
            "They are for live mode: in practice mode the workspace brings its own.",
    .example =
        "    flowlet secret list\n    flowlet secret set pagerduty_token\n    pass show mailgun | flowlet secret set mail_server",
    CLIENT_COMMAND,
    .words_min = 1,
    .words_max = 3,
    .run = run,
};
