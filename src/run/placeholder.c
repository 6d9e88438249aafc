/* placeholder.c — secrets that only travel through a flow: the worker sees «secret:NAME:NONCE», and the value
 * takes its place here, on the way out (docs/internals.md, section 4). */
#include <sodium.h>

#include "run/operation.h"

static bool may_use(const struct run *r, struct str name) {
    for (size_t i = 0; i < r->flow->secret_count; i++)
        if (str_eq(r->flow->secrets[i], name))
            return true;
    return false;
}

bool secret_check(const struct run *r, struct str name, struct error *err) {
    if (!may_use(r, name))
        return error_set(err, ERR_FORBIDDEN,
                         "the flow " STR_FMT " does not name the secret \"" STR_FMT
                         "\": name it literally, declare it in workspace.json and publish",
                         STR_ARG(r->flow->id), STR_ARG(name));
    if (!vault_get(workspace_vault(r->workspace, r->mode), name))
        return error_set(err, ERR_SECRET_EMPTY, "the secret \"" STR_FMT "\" is empty: flowlet secret set " STR_FMT, STR_ARG(name),
                         STR_ARG(name));
    return true;
}

json_t *secret_value(const struct run *r, struct str name, struct str as) {
    const json_t *value = vault_get(workspace_vault(r->workspace, r->mode), name);
    if (json_is_object(value) && !str_is(as, "basic"))
        value = json_object_get(value, "password");
    return value ? json_deep_copy(value) : json_null();
}

/* «secret:NAME:NONCE» in a text becomes the value. NULL with err; else new, or a reference to text itself. */
static json_t *replace_in_text(const struct run *r, json_t *text, struct error *err) {
    struct str rest = jsonx_string_value(text), open = STR("\xC2\xABsecret:"), close = STR("\xC2\xBB");
    size_t at = str_find(rest, open);
    if (at == SIZE_MAX)
        return json_incref(text);
    struct buf out;
    buf_init(&out, FRAME_JOINED_MAX);
    bool ok = true;
    for (; ok && at != SIZE_MAX; at = str_find(rest, open)) {
        struct str inside = str_of(rest.ptr + at + open.len, rest.len - at - open.len);
        size_t end = str_find(inside, close);
        struct str name = str_of(inside.ptr, end == SIZE_MAX ? 0 : end);
        size_t nonce = strlen(r->nonce);
        bool ours = end != SIZE_MAX && end > nonce && str_ends(name, str_from(r->nonce)) && name.ptr[end - nonce - 1] == ':';
        buf_add(&out, str_of(rest.ptr, at));
        if (ours) {
            name.len = end - nonce - 1;
            ok = secret_check(r, name, err);
            if (ok)
                vault_text(workspace_vault(r->workspace, r->mode), name, &out);
            rest = str_of(inside.ptr + end + close.len, inside.len - end - close.len);
        } else { /* somebody else's text that only looks like one */
            buf_add(&out, open);
            rest = inside;
        }
    }
    buf_add(&out, rest);
    json_t *replaced = ok ? jsonx_from_str(buf_str(&out)) : NULL;
    sodium_memzero(out.ptr, out.len);
    buf_release(&out);
    return replaced;
}

static json_t *replace_secrets(const struct run *r, json_t *value, struct error *err) {
    if (json_is_string(value))
        return replace_in_text(r, value, err);
    if (!json_is_object(value) && !json_is_array(value))
        return json_incref(value);
    bool is_object = json_is_object(value);
    json_t *out = is_object ? json_object() : json_array();
    const char *key;
    size_t i;
    json_t *v;
    if (is_object) {
        json_object_foreach(value, key, v) {
            json_t *replaced = replace_secrets(r, v, err);
            if (!replaced || json_object_set_new(out, key, replaced) < 0)
                goto failed;
        }
    } else {
        json_array_foreach(value, i, v) {
            json_t *replaced = replace_secrets(r, v, err);
            if (!replaced || json_array_append_new(out, replaced) < 0)
                goto failed;
        }
    }
    return out;
failed:
    json_decref(out);
    return NULL;
}

/* http.request's `auth` names a secret: it becomes the header. */
static bool apply_auth(const struct run *r, json_t *args, struct error *err) {
    struct str name = jsonx_str(args, "auth");
    if (!name.len)
        return true;
    if (!secret_check(r, name, err))
        return false;
    struct buf value;
    buf_init(&value, 16 * 1024);
    vault_authorization(workspace_vault(r->workspace, r->mode), name, &value);
    json_t *headers = json_object_get(args, "headers");
    headers = json_is_object(headers) ? json_copy(headers) : json_object();
    json_object_set_new(headers, "Authorization", jsonx_from_str(buf_str(&value)));
    json_object_set_new(args, "headers", headers);
    json_object_del(args, "auth");
    buf_release(&value);
    return true;
}

json_t *secrets_in_place(const struct run *r, json_t *args, struct error *err) {
    json_t *replaced = r->nonce[0] ? replace_secrets(r, args, err) : json_copy(args);
    if (replaced && !apply_auth(r, replaced, err)) {
        json_decref(replaced);
        return NULL;
    }
    return replaced;
}
