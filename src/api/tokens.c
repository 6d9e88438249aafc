/* tokens.c — who else may use the API: tokens made, listed and revoked. */
#include "api/call.h"
#include "base/clock.h"

static json_t *permissions_json(unsigned set) {
    json_t *list = json_array();
    for (size_t i = 0; i < PERMISSION_COUNT; i++)
        if (set & (1u << i))
            json_array_append_new(list, json_string(permissions[i].name));
    return list;
}

static json_t *time_json(int64_t ms) { return ms ? json_integer(ms) : json_null(); }

static json_t *grant_json(const struct grant *g) {
    return json_pack("{s:I, s:o, s:o, s:O?, s:I, s:o, s:o}", "id", (json_int_t)g->id, "name", jsonx_from_str(g->name),
                     "permissions", permissions_json(g->permissions), "workspaces", g->workspaces, "created_ms",
                     (json_int_t)g->created_ms, "expires_ms", time_json(g->expires_ms), "used_ms", time_json(g->used_ms));
}

static void list(struct api_call *c) {
    const struct tokens *ts = c->api->env.tokens;
    const struct grant *g;
    json_t *tokens = json_array(), *answer = json_pack("{s:o}", "tokens", tokens);
    int64_t after = jsonx_int(c->query, "after", 0), limit = jsonx_int(c->query, "limit", 100), last = 0;
    for (size_t i = 0; (g = tokens_at(ts, i)); i++) {
        if (g->id <= after)
            continue;
        if ((int64_t)json_array_size(tokens) == limit) {
            json_object_set_new(answer, "next", json_integer(last));
            break;
        }
        json_array_append_new(tokens, grant_json(g));
        last = g->id;
    }
    api_answer(c, 200, answer);
}

static unsigned wanted_permissions(const json_t *names) {
    unsigned set = 0;
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name) {
        for (size_t k = 0; k < PERMISSION_COUNT; k++)
            if (str_is(jsonx_string_value(name), permissions[k].name))
                set |= 1u << k;
    }
    return set;
}

/* Nobody gives what he does not have. */
static bool is_mine_to_give(const struct grant *mine, const struct grant *g, struct error *err) {
    unsigned lacking = g->permissions & ~mine->permissions;
    if (!g->permissions)
        return error_set(err, ERR_INVALID, "`permissions` is empty: such a token could do nothing");
    if (g->expires_ms && g->expires_ms <= clock_now_ms())
        return error_set(err, ERR_INVALID, "`expires_ms` is in the past");
    if (lacking)
        return error_set(err, ERR_FORBIDDEN, "your own token lacks %s", permission_name(lacking & -lacking));
    if (mine->expires_ms && (!g->expires_ms || g->expires_ms > mine->expires_ms))
        return error_set(err, ERR_FORBIDDEN, "your own token expires at %lld, and one that you make cannot outlive it",
                         (long long)mine->expires_ms);
    return true;
}

static void create(struct api_call *c) {
    json_t *workspaces = json_object_get(c->body, "workspaces");
    struct grant wanted = {.name = jsonx_str(c->body, "name"),
                           .permissions = wanted_permissions(json_object_get(c->body, "permissions")),
                           .workspaces = json_is_array(workspaces) ? workspaces : NULL,
                           .expires_ms = jsonx_int(c->body, "expires_ms", 0)};
    char text[TOKEN_TEXT_MAX];
    struct error err;
    const struct grant *g = NULL;
    if (is_mine_to_give(c->grant, &wanted, &err))
        g = tokens_add(c->api->env.tokens, &wanted, text, &err);
    if (!g) {
        api_fail(c, &err);
        return;
    }
    json_t *answer = grant_json(g);
    json_object_set_new(answer, "token", json_string(text));
    explicit_bzero(text, sizeof text);
    api_answer(c, 201, answer);
}

static void delete (struct api_call *c) {
    int64_t id;
    struct error err;
    if (!str_to_int64(c->parameters[0], &id))
        error_set(&err, ERR_NOT_FOUND, "`" STR_FMT "` is no token's id: a number", STR_ARG(c->parameters[0]));
    else if (tokens_remove(c->api->env.tokens, id, &err)) {
        api_answer(c, 200, json_object());
        return;
    }
    api_fail(c, &err);
}

/* ---- the rows ---- */

static const char *const permission_names[] = {
#define X(name, text, about) text,
#include "auth/permissions.def"
#undef X
    NULL,
};
static const struct shape permission = {.kind = SHAPE_CHOICE, .ref = "Permission", .choices = permission_names};
static const struct shape permission_list = {.kind = SHAPE_LIST, .item = &permission, .max = 100};
static const struct shape workspace_names = {.kind = SHAPE_LIST, .item = &shape_id, .max = 100, .or_null = true};
static const struct shape token_name = {.kind = SHAPE_STRING, .min = 1, .max = 100};
#define TOKEN_KEYS                                                                                                               \
    {"id", &api_number, true, "to revoke it by"}, {"name", &token_name, true, "also the author of what is done with it"},        \
        {"permissions", &permission_list, true, "what it may do"},                                                               \
        {"workspaces", &workspace_names, true, "in which; null: all"}, {"created_ms", &api_time, true, "when it was made"},      \
        {"expires_ms", &api_time_or_null, true, "when it ends; null: never"}, {                                                  \
        "used_ms", &api_time_or_null, true, "when it was used last, to the minute; null: never"                                  \
    }
static const struct shape token = {.kind = SHAPE_OBJECT, .ref = "Token", .keys = SHAPE_KEYS(TOKEN_KEYS)};
static const struct shape new_token = {
    .kind = SHAPE_OBJECT,
    .ref = "NewToken",
    .keys = SHAPE_KEYS(TOKEN_KEYS, {"token", &shape_text, true, "the text to send; it is shown this once"})};
static const struct shape wanted_token = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"name", &token_name, true, "who or what will use it"},
                       {"permissions", &permission_list, true, "what it may do"},
                       {"workspaces", &workspace_names, false, "in which; left out or null: all"},
                       {"expires_ms", &api_time, false, "when it ends; left out: never"}),
};
static const struct shape tokens_page = {
    .kind = SHAPE_OBJECT,
    .keys =
        SHAPE_KEYS({"tokens", &(const struct shape){.kind = SHAPE_LIST, .item = &token, .max = TOKENS_MAX}, true, "by their ids"},
                   {"next", &api_number, false, "`after` of the next page; left out: there is none"}),
};
static const struct shape limit = {.kind = SHAPE_INT, .min = 1, .max = TOKENS_MAX};
static const struct api_route routes[] = {
    {.method = "GET",
     .path = "/api/v1/tokens",
     .permission = PERMISSION_TOKENS_WRITE,
     .name = "listTokens",
     .about = "The tokens that were made, never their texts. That of the data folder is not among them.",
     .query =
         SHAPE_KEYS({"after", &api_number, false, "those after this id"}, {"limit", &limit, false, "how many at most (100)"}),
     .answers = API_ANSWERS({200, &tokens_page, "a page"}),
     .run = list},
    {.method = "POST",
     .path = "/api/v1/tokens",
     .permission = PERMISSION_TOKENS_WRITE,
     .name = "createToken",
     .about = "Makes one that may do no more than the token that asks.",
     .body = &wanted_token,
     .answers = API_ANSWERS({201, &new_token, "with its text, this once"}),
     .run = create},
    {.method = "DELETE",
     .path = "/api/v1/tokens/{token}",
     .permission = PERMISSION_TOKENS_WRITE,
     .name = "revokeToken",
     .about = "Ends it at once.",
     .answers = API_ANSWERS({200, &api_nothing, "it is not known any more"}),
     .run = delete},
};
const struct api_resource api_resource_tokens = API_RESOURCE("Tokens", routes);
