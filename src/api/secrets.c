/* secrets.c — the secrets that a workspace needs: set and removed, never shown. */
#include "api/call.h"

json_t *api_secrets_json(const struct workspace *w) {
    json_t *list = json_array();
    for (size_t i = 0; w->release && i < w->release->secret_count; i++) {
        const struct release_secret *s = &w->release->secrets[i];
        const json_t *value = vault_get(w->live, s->name);
        json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:s, s:b, s:b, s:b}", "name", jsonx_from_str(s->name), "title",
                                              api_text(s->title), "description", api_text(s->description), "type",
                                              secret_type_name(s->type), "required", s->required, "set", value != NULL,
                                              "is_practice_value", value && s->practice && json_equal(value, s->practice)));
    }
    return list;
}

static void list(struct api_call *c) {
    const struct workspace *w = api_workspace(c);
    if (w)
        api_answer_page(c, json_pack("{s:o}", "secrets", api_secrets_json(w)), "secrets", "name");
}

/* "user:password" is how people type a secret of type basic. */
static json_t *value_of(const struct release_secret *s, json_t *given) {
    struct str password = jsonx_string_value(given), username;
    if (s->type != SECRET_BASIC || !password.ptr || !memchr(password.ptr, ':', password.len))
        return json_incref(given);
    str_cut(&password, ':', &username);
    return json_pack("{s:o, s:o}", "username", jsonx_from_str(username), "password", jsonx_from_str(password));
}

/* value NULL: removes. */
static bool set(struct api_call *c, struct workspace *w, json_t *value, struct error *err) {
    struct str name = c->parameters[1];
    const struct release_secret *s = release_find_secret(w->release, name);
    if (!s)
        return error_set(err, ERR_NOT_FOUND,
                         "the workspace declares no secret `" STR_FMT "`; `flowlet secret list` shows which there are",
                         STR_ARG(name));
    json_t *taken = value ? value_of(s, value) : NULL;
    bool ok = workspace_set_secret(w, name, taken, err);
    json_decref(taken);
    return ok;
}

static void put(struct api_call *c, struct workspace *w, json_t *value) {
    struct error err;
    if (set(c, w, value, &err))
        api_answer(c, 200, json_pack("{s:o, s:b}", "name", jsonx_from_str(c->parameters[1]), "set", value != NULL));
    else
        api_fail(c, &err);
}

static void change(struct api_call *c) {
    struct workspace *w = api_published(c);
    json_t *value = json_object_get(c->body, "value");
    struct error err;
    if (!w)
        return;
    if (value && (json_is_string(value) ? json_string_length(value) > 0 : json_is_object(value))) {
        put(c, w, value);
        return;
    }
    error_set(&err, ERR_INVALID, "`value` is missing or empty: a text, for type basic also {\"username\", \"password\"}");
    api_fail(c, &err);
}

static void delete (struct api_call *c) {
    struct workspace *w = api_published(c);
    if (w)
        put(c, w, NULL);
}

/* ---- the rows ---- */

static const struct shape secret_type = {.kind = SHAPE_CHOICE,
                                         .choices = SHAPE_CHOICES("password", "basic", "signing-key", "smtp")};
static const struct shape secret = {
    .kind = SHAPE_OBJECT,
    .ref = "Secret",
    .keys = SHAPE_KEYS({"name", &shape_name, true, "as flows name it"}, {"title", &api_text_or_null, true, "for people"},
                       {"description", &api_text_or_null, true, "where to get it"}, {"type", &secret_type, true, "its form"},
                       {"required", &shape_bool, true, "whether live mode needs it"},
                       {"set", &shape_bool, true, "whether it has a value in live mode; nobody reads it"},
                       {"is_practice_value", &shape_bool, true, "whether that is the one that everybody knows"}),
};
const struct shape api_secrets_shape = {.kind = SHAPE_LIST, .item = &secret};
static const struct shape secret_list = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"secrets", &api_secrets_shape, true, "in the order of workspace.json"}, API_PAGE_NEXT)};
static const struct shape secret_value = {
    .kind = SHAPE_OBJECT, .keys = SHAPE_KEYS({"value", &shape_json, true, "a text; for type basic also {username, password}"})};
static const struct shape secret_set = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"name", &shape_name, true, "as given"}, {"set", &shape_bool, true, "whether it has a value now"})};
static const struct api_route routes[] = {
    {.method = "GET",
     .path = API_WORKSPACE "/secrets",
     .permission = PERMISSION_WORKSPACES_READ,
     .name = "listSecrets",
     .query = API_PAGE_QUERY,
     .about = "The secrets that the workspace declares, and whether each has a value. Values are never shown.",
     .answers = API_ANSWERS({200, &secret_list, "in the order of workspace.json"}),
     .run = list},
    {.method = "PUT",
     .path = API_WORKSPACE "/secrets/{secret}",
     .permission = PERMISSION_SECRETS_WRITE,
     .name = "setSecret",
     .about = "Gives it a value, which counts for operations from then on.",
     .body = &secret_value,
     .answers = API_ANSWERS({200, &secret_set, "it is stored, sealed"}),
     .run = change},
    {.method = "DELETE",
     .path = API_WORKSPACE "/secrets/{secret}",
     .permission = PERMISSION_SECRETS_WRITE,
     .name = "deleteSecret",
     .about = "Removes its value.",
     .answers = API_ANSWERS({200, &secret_set, "it has none any more"}),
     .run = delete},
};
const struct api_resource api_resource_secrets = API_RESOURCE("Secrets", routes);
