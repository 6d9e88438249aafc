/* secrets.c — see secrets.h. A value is sealed as its JSON text, bound to its place ("secret/3/l/NAME"). */
#include "run/secrets.h"

#include <curl/curl.h>
#include <sodium.h>

#include "base/clock.h"

#define VALUE_JSON_MAX (VAULT_VALUE_MAX * 13) /* user name and password with each byte as \u00XX */

struct job {
    const struct seal_key *key;
    int64_t workspace;
    const struct release *release;
    json_t *practice, *live; /* name -> value */
    /* of secrets_set */
    struct str name;
    const json_t *value;
};

static void context_write(int64_t workspace, char mode, struct str name, struct buf *out) {
    buf_init(out, 512);
    buf_addf(out, "secret/%lld/%c/", (long long)workspace, mode);
    buf_add(out, name);
}

static const struct release_secret *find_declared(const struct release *r, struct str name) {
    for (size_t i = 0; i < r->secret_count; i++)
        if (str_eq(r->secrets[i].name, name))
            return &r->secrets[i];
    return NULL;
}

/* ---- what a value may be ---- */

static bool is_printable(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
            return false;
    return s.len > 0 && s.len <= VAULT_VALUE_MAX;
}

static bool is_smtp_url(struct str text) {
    CURLU *url = curl_url();
    char *copy = str_dup(text), *scheme = NULL, *host = NULL;
    bool ok = is_printable(text) && curl_url_set(url, CURLUPART_URL, copy, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
              curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
              curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK && *host &&
              (strcmp(scheme, "smtp") == 0 || strcmp(scheme, "smtps") == 0);
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(url);
    free(copy);
    return ok;
}

static bool check_value(const struct release_secret *declared, const json_t *value, struct error *err) {
    struct str user = jsonx_str(value, "username"), text = jsonx_string_value(value);
    const char *name = declared->name.ptr;
    int len = (int)declared->name.len;
    switch (declared->type) {
    case SECRET_PASSWORD:
    case SECRET_SIGNING_KEY:
        return is_printable(text) ||
               error_set(err, ERR_INVALID, "secret %.*s: a text of 1 to %d bytes without control characters is needed", len, name,
                         VAULT_VALUE_MAX);
    case SECRET_BASIC:
        /* RFC 7617, section 2: the first colon ends the user name. */
        return (is_printable(user) && !memchr(user.ptr, ':', user.len) && is_printable(jsonx_str(value, "password")) &&
                json_object_size(value) == 2) ||
               error_set(
                   err, ERR_INVALID,
                   "secret %.*s: {\"username\": ..., \"password\": ...} is needed, without control characters, and no colon in "
                   "the user name",
                   len, name);
    case SECRET_SMTP:
        return is_smtp_url(text) ||
               error_set(
                   err, ERR_INVALID,
                   "secret %.*s: a mail server is needed as smtps://USER:PASSWORD@HOST or smtp://..., user name and password "
                   "percent-encoded (an @ as %%40)",
                   len, name);
    }
    return error_set(err, ERR_INTERNAL, "secret %.*s: unknown type", len, name);
}

/* One that fits the type and works nowhere. */
static json_t *generate(enum secret_type type) {
    uint8_t bytes[24];
    char text[48];
    random_bytes(bytes, sizeof bytes);
    sodium_bin2base64(text, sizeof text, bytes, sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    switch (type) {
    case SECRET_BASIC:
        return json_pack("{ss ss}", "username", "practice", "password", text);
    case SECRET_SMTP:
        return json_sprintf("smtps://practice:%s@mail.example.com", text);
    case SECRET_PASSWORD:
    case SECRET_SIGNING_KEY:
        break;
    }
    return json_string(text);
}

/* ---- store and vault ---- */

static bool put(struct store_tx *tx, const struct job *j, char mode, struct str name, const json_t *value, struct error *err) {
    struct buf context, text, sealed;
    context_write(j->workspace, mode, name, &context);
    buf_init(&text, VALUE_JSON_MAX);
    buf_init(&sealed, VALUE_JSON_MAX + 64);
    bool ok = jsonx_write(value, &text) && seal(j->key, buf_str(&context), buf_str(&text), &sealed);
    if (ok)
        ok = tx_secret_put(tx, j->workspace, mode, name, buf_str(&sealed), clock_now_ms(), err);
    else
        error_set(err, ERR_TOO_LARGE, "secret " STR_FMT ": the value is too large", STR_ARG(name));
    sodium_memzero(text.ptr, text.len);
    buf_release(&sealed);
    buf_release(&text);
    buf_release(&context);
    return ok;
}

struct listing {
    const struct job *job;
    char mode;
    json_t *values;
    struct error *err;
    bool failed;
};

static bool add_sealed(void *arg, struct str name, struct str sealed, int64_t changed_ms) {
    struct listing *l = arg;
    struct buf context, text;
    json_t *value = NULL;
    (void)changed_ms;
    context_write(l->job->workspace, l->mode, name, &context);
    buf_init(&text, VALUE_JSON_MAX);
    if (unseal(l->job->key, buf_str(&context), sealed, &text, l->err))
        value = jsonx_parse(buf_str(&text), l->err);
    l->failed = !value || json_object_setn_new(l->values, name.ptr, name.len, value) != 0;
    if (l->failed)
        error_wrap(l->err, "secret " STR_FMT, STR_ARG(name));
    sodium_memzero(text.ptr, text.len);
    buf_release(&text);
    buf_release(&context);
    return !l->failed;
}

static bool list(struct store_tx *tx, const struct job *j, char mode, json_t *values, struct error *err) {
    struct listing l = {j, mode, values, err, false};
    return tx_secret_list(tx, j->workspace, mode, add_sealed, &l, err) && !l.failed;
}

/* Practice values of what is declared: the declaration's own, else the one of the store, else a new one. */
static bool complete_practice(struct store_tx *tx, const struct job *j, struct error *err) {
    for (size_t i = 0; i < j->release->secret_count; i++) {
        const struct release_secret *s = &j->release->secrets[i];
        char *name = str_dup(s->name);
        bool ok = true;
        if (s->practice) {
            ok = check_value(s, s->practice, err);
            json_object_set_new(j->practice, name, json_deep_copy(s->practice));
        } else if (!json_object_get(j->practice, name)) {
            json_t *value = generate(s->type);
            ok = put(tx, j, 'p', s->name, value, err);
            json_object_set_new(j->practice, name, value);
        }
        free(name);
        if (!ok)
            return false;
    }
    return true;
}

static bool load_work(struct store_tx *tx, void *arg, struct error *err) {
    struct job *j = arg;
    return list(tx, j, 'l', j->live, err) && list(tx, j, 'p', j->practice, err) && complete_practice(tx, j, err);
}

static bool fill(struct vault *v, json_t *values, struct error *err) {
    const char *name;
    json_t *value;
    json_object_foreach(values, name, value) if (!vault_set(v, str_from(name), value, err)) return false;
    return true;
}

bool secrets_load(struct store *s, const struct seal_key *key, int64_t workspace, const struct release *release,
                  struct vault *practice, struct vault *live, struct error *err) {
    struct job j = {key, workspace, release, json_object(), json_object(), {NULL, 0}, NULL};
    bool ok = store_write_now(s, load_work, &j, err) && fill(practice, j.practice, err) && fill(live, j.live, err);
    json_decref(j.practice);
    json_decref(j.live);
    return ok;
}

static bool set_work(struct store_tx *tx, void *arg, struct error *err) {
    struct job *j = arg;
    return j->value ? put(tx, j, 'l', j->name, j->value, err) : tx_secret_delete(tx, j->workspace, 'l', j->name, err);
}

bool secrets_set(struct store *s, const struct seal_key *key, int64_t workspace, const struct release *release, struct str name,
                 json_t *value, struct vault *live, struct error *err) {
    struct job j = {.key = key, .workspace = workspace, .release = release, .name = name, .value = value};
    const struct release_secret *declared = find_declared(release, name);
    if (!declared)
        return error_set(err, ERR_NOT_FOUND, "the workspace declares no secret " STR_FMT ": workspace.json lists them",
                         STR_ARG(name));
    if ((value && !check_value(declared, value, err)) || !store_write_now(s, set_work, &j, err))
        return false;
    if (value)
        return vault_set(live, name, value, err);
    vault_remove(live, name);
    return true;
}
