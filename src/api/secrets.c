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

void api_secrets(struct api_call *c) {
    const struct workspace *w = api_workspace(c);
    if (w)
        api_answer(c, 200, json_pack("{s:o}", "secrets", api_secrets_json(w)));
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

void api_secret_put(struct api_call *c) {
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

void api_secret_delete(struct api_call *c) {
    struct workspace *w = api_published(c);
    if (w)
        put(c, w, NULL);
}
