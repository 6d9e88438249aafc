/* cors.c — see cors.h. */
#include "trigger/cors.h"

#include "base/buf.h"

#define TEXT_MAX 4096
#define MAX_AGE_S 600

static bool lists(const json_t *list, struct str value) {
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one) if (str_eq(jsonx_string_value(one), value)) return true;
    return false;
}

size_t cors_answer(const json_t *cors, struct str origin, struct httpd_field out[CORS_FIELDS_MAX]) {
    const json_t *origins = json_object_get(cors, "origins");
    bool any = lists(origins, STR("*"));
    size_t n = 0;
    if (!cors)
        return 0;
    if (!any)
        out[n++] = (struct httpd_field){STR("Vary"), STR("Origin")};
    if (!origin.len || !(any || lists(origins, origin)))
        return n;
    out[n++] = (struct httpd_field){STR("Access-Control-Allow-Origin"), any ? STR("*") : origin};
    if (!any && jsonx_bool(cors, "credentials", false))
        out[n++] = (struct httpd_field){STR("Access-Control-Allow-Credentials"), STR("true")};
    return n;
}

/* The headers that may be sent; "*" among them: those that are asked for, as the wildcard itself leaves out
 * Authorization and means nothing with credentials. */
static struct str allowed_headers(const json_t *cors, struct str asked, struct arena *arena) {
    const json_t *headers = json_object_get(cors, "headers");
    struct buf text;
    size_t i;
    json_t *one;
    if (!headers)
        return STR("Content-Type");
    if (lists(headers, STR("*")))
        return asked;
    buf_init(&text, TEXT_MAX);
    json_array_foreach(headers, i, one) {
        buf_adds(&text, i ? ", " : "");
        buf_add(&text, jsonx_string_value(one));
    }
    struct str out = arena_str(arena, buf_str(&text));
    buf_release(&text);
    return out;
}

size_t cors_preflight(const json_t *cors, struct str origin, struct str method, struct str headers, struct arena *arena,
                      struct httpd_field out[CORS_FIELDS_MAX]) {
    size_t n = cors_answer(cors, origin, out);
    if (!n || str_is(out[n - 1].name, "Vary")) /* not for this origin */
        return n;
    struct str allowed = allowed_headers(cors, headers, arena);
    const char *age = arena_printf(arena, "%lld", (long long)jsonx_int(cors, "max_age_s", MAX_AGE_S));
    out[n++] = (struct httpd_field){STR("Access-Control-Allow-Methods"), method};
    out[n++] = (struct httpd_field){STR("Access-Control-Max-Age"), str_from(age)};
    if (allowed.len)
        out[n++] = (struct httpd_field){STR("Access-Control-Allow-Headers"), allowed};
    return n;
}
