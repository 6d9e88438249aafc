/* token.c — `flowlet token`: who else may use the API, and for what. */
#include "auth/tokens.h"
#include "base/clock.h"
#include "cli/client.h"

#define DAY_MS 86400000
#define TOKENS "/api/v1/tokens"

struct options {
    struct client_options client;
    struct arg_list allow;
    int64_t days;
};
static const struct arg args[] = {{.flag = "allow",
                                   .value = "PERMISSION",
                                   .type = ARG_LIST,
                                   .offset = offsetof(struct options, allow),
                                   .help = "create: what it may do; again for more, `all` for everything"},
                                  {.flag = "days",
                                   .value = "N",
                                   .type = ARG_NUMBER,
                                   .low = 1,
                                   .high = 3650,
                                   .offset = offsetof(struct options, days),
                                   .help = "create: after how many days it ends; left out: never"},
                                  CLIENT_ARGS(struct options)};

static json_t *permissions_of(const struct arg_list *allow) {
    json_t *list = json_array();
    for (size_t i = 0; i < allow->count; i++)
        if (strcmp(allow->at[i], "all") != 0)
            json_array_append_new(list, json_string(allow->at[i]));
        else
            for (size_t k = 0; k < PERMISSION_COUNT; k++)
                json_array_append_new(list, json_string(permissions[k].name));
    return list;
}

static int create(struct cli *c, struct client *k) {
    const struct options *o = c->options;
    struct error err;
    json_t *wanted = json_pack("{s:s, s:o}", "name", c->words.at[1], "permissions", permissions_of(&o->allow));
    if (o->client.workspace)
        json_object_set_new(wanted, "workspaces", json_pack("[s]", o->client.workspace));
    if (o->days)
        json_object_set_new(wanted, "expires_ms", json_integer(clock_now_ms() + o->days * DAY_MS));
    json_t *answer = client_ask(k, "POST", TOKENS, wanted, NULL, &err);
    if (!answer)
        return cli_fail(&err);
    if (o->client.json)
        cli_print_json(answer);
    else
        printf(STR_FMT "\n", STR_ARG(jsonx_str(answer, "token")));
    fprintf(stderr, "token %lld is made; its text is shown this once\n", (long long)jsonx_int(answer, "id", 0));
    json_decref(answer);
    return CLI_OK;
}

static int revoke_one(struct cli *c, struct client *k) {
    struct error err;
    const char *path = arena_printf(&c->arena, TOKENS "/%s", client_encode(k, str_from(c->words.at[1])));
    json_t *answer = client_ask(k, "DELETE", path, NULL, NULL, &err);
    if (!answer)
        return cli_fail(&err);
    json_decref(answer);
    fprintf(stderr, "token %s is revoked\n", c->words.at[1]);
    return CLI_OK;
}

static void print_words(const char *title, const json_t *words, const char *otherwise) {
    size_t i;
    json_t *word;
    printf("    %s", title);
    json_array_foreach(words, i, word) printf(" %s", json_string_value(word));
    printf("%s\n", json_is_array(words) ? "" : otherwise);
}

static void print_time(const char *title, int64_t ms, const char *otherwise) {
    char when[CLOCK_TEXT_MAX];
    clock_write(ms, when);
    printf("  %s %.*s", title, 16, ms ? when : otherwise);
}

static void print_token(const json_t *one) {
    printf("#%lld  ", (long long)jsonx_int(one, "id", 0));
    cli_print_safe(jsonx_str(one, "name"));
    print_time("ends", jsonx_int(one, "expires_ms", 0), "never");
    print_time("used", jsonx_int(one, "used_ms", 0), "never");
    printf("\n");
    print_words("may:", json_object_get(one, "permissions"), "");
    print_words("in:", json_object_get(one, "workspaces"), " all workspaces");
}

static int list(struct cli *c, struct client *k) {
    const struct options *o = c->options;
    const json_t *one;
    struct error err;
    size_t i;
    json_t *answer = client_ask(k, "GET", TOKENS "?limit=1000", NULL, NULL, &err);
    if (!answer)
        return cli_fail(&err);
    if (o->client.json)
        cli_print_json(answer);
    else
        json_array_foreach(json_object_get(answer, "tokens"), i, one) print_token(one);
    json_decref(answer);
    return CLI_OK;
}

static int run(struct cli *c) {
    const struct options *o = c->options;
    const char *verb = c->words.at[0];
    struct client k;
    struct error err;
    bool lists = strcmp(verb, "list") == 0, creates = strcmp(verb, "create") == 0;
    if (!lists && !creates && strcmp(verb, "revoke") != 0)
        return cli_usage(c, "`%s` is neither create, list nor revoke", verb);
    if (c->words.count != (lists ? 1 : 2))
        return cli_usage(c, lists     ? "list takes no more words"
                            : creates ? "say who will use it, in one word or quoted: flowlet token create NAME --allow ..."
                                      : "say which: flowlet token revoke ID");
    if (creates && !o->allow.count)
        return cli_usage(c, "say what it may do: --allow PERMISSION, or --allow all");
    if (!client_open(&k, c, &o->client, &err))
        return cli_fail(&err);
    return lists ? list(c, &k) : creates ? create(c, &k) : revoke_one(c, &k);
}

const struct command command_token = {
    .name = "token",
    .usage = "create NAME --allow PERMISSION... | list | revoke ID",
    .summary = "Makes, lists and revokes tokens for the REST API",
    .text =
        "The text of a new token is printed once and kept nowhere. --workspace NAME makes one that is for that workspace only.\n"
        "Permissions:"
#define X(name, text, about) "\n  " text "\n      " about
#include "auth/permissions.def"
#undef X
    ,
    .example = "    flowlet token create grafana --allow runs:read --days 90\n"
               "    flowlet token create ci --allow flows:write --allow workspaces:read --workspace shop\n"
               "    flowlet token revoke 3",
    .args = args,
    .arg_count = ARRAY_LEN(args),
    .options_size = sizeof(struct options),
    .words_min = 1,
    .words_max = 2,
    .run = run,
};
