/* answer.c — answers, problems, and the versions of what is read and changed (RFC 9110, 8.8.3 and 13). */
#include <sodium.h>

#include "api/call.h"

#define ETAG_BYTES 12
#define FIELDS_MAX 5

void api_answer_text(struct api_call *c, int status, const char *type, struct str text) {
    struct httpd_field fields[] = {{STR("Content-Type"), str_from(type)},
                                   {STR("Cache-Control"), STR("no-store")},
                                   {STR("X-Content-Type-Options"), STR("nosniff")}};
    httpd_answer(c->rq, status, fields, ARRAY_LEN(fields), text);
}

/* ---- versions ---- */

struct str api_etag(struct api_call *c, struct str content) {
    uint8_t hash[ETAG_BYTES];
    char text[2 * ETAG_BYTES + 1];
    crypto_generichash(hash, sizeof hash, (const uint8_t *)content.ptr, content.len, NULL, 0);
    hex_write(hash, sizeof hash, text);
    return str_from(arena_printf(c->arena, "\"%s\"", text));
}

struct str api_etag_json(struct api_call *c, json_t *value) {
    struct buf text;
    buf_init(&text, (size_t)1 << 30);
    ENSURE(value && jsonx_write(value, &text));
    buf_addc(&text, '\n');
    struct str etag = api_etag(c, buf_str(&text));
    buf_release(&text);
    json_decref(value);
    return etag;
}

/* Whether one of the tags in a list is this one, or the list is "*". */
static bool lists(struct str list, struct str etag) {
    struct str one;
    while (str_cut(&list, ',', &one)) {
        one = str_trim(one);
        if (str_starts(one, STR("W/")))
            one = str_of(one.ptr + 2, one.len - 2);
        if (str_is(one, "*") || str_eq(one, etag))
            return true;
    }
    return false;
}

bool api_may_change(struct api_call *c, struct str etag) {
    struct error err;
    struct str match = httpd_header(c->rq, "If-Match"), none = httpd_header(c->rq, "If-None-Match");
    if (match.ptr && !(etag.len && lists(match, etag)))
        error_set(&err, ERR_STALE, "this was changed meanwhile: it is " STR_FMT " now, not " STR_FMT "; read it again",
                  STR_ARG(etag.len ? etag : STR("gone")), STR_ARG(match));
    else if (none.ptr && etag.len && lists(none, etag))
        error_set(&err, ERR_STALE, "it is there already, as " STR_FMT, STR_ARG(etag));
    else if (c->route->match == MATCH_MUST && etag.len && !match.ptr)
        error_set(&err, ERR_PRECONDITION,
                  "say which version this is to replace: If-Match with the ETag that it was read with, "
                  "or If-Match: * for whatever is there");
    else
        return true;
    api_fail(c, &err);
    return false;
}

/* ---- JSON ---- */

static void answer_json(struct api_call *c, int status, json_t *value, const char *type, struct httpd_field extra) {
    struct httpd_field fields[FIELDS_MAX] = {{STR("Content-Type"), str_from(type)}, {STR("Cache-Control"), STR("no-store")}};
    size_t n = 2;
    struct buf text;
    buf_init(&text, (size_t)1 << 30);
    ENSURE(value && jsonx_write(value, &text));
    buf_addc(&text, '\n');
    json_decref(value);
    if (extra.name.len)
        fields[n++] = extra;
    if (c->location)
        fields[n++] = (struct httpd_field){STR("Location"), str_from(c->location)};
    if (c->route && c->route->permission && status == 200) {
        if (!c->etag.len && str_is(str_from(c->route->method), "GET"))
            c->etag = api_etag(c, buf_str(&text));
        if (c->etag.len)
            fields[n++] = (struct httpd_field){STR("ETag"), c->etag};
        struct str known = httpd_header(c->rq, "If-None-Match");
        if (known.ptr && str_is(str_from(c->route->method), "GET") && lists(known, c->etag))
            status = 304;
    }
    size_t len = text.len;
    httpd_answer_take(c->rq, status, fields, n, buf_take(&text), len);
}

void api_answer(struct api_call *c, int status, json_t *value) {
    answer_json(c, status, value, "application/json", (struct httpd_field){0});
}

void api_problem(struct api_call *c, int status, const struct error *err, json_t *more, struct httpd_field extra) {
    json_t *value = json_pack("{s:s, s:s, s:i, s:s, s:o}", "type", "about:blank", "title", error_general(err->code), "status",
                              status, "code", error_name(err->code), "detail", jsonx_from_str(str_from(err->text)));
    json_object_update(value, more);
    json_decref(more);
    answer_json(c, status, value, "application/problem+json", extra);
}

void api_fail_with(struct api_call *c, const struct error *err, json_t *more) {
    int status = error_http_status(err->code);
    struct httpd_field extra = {0};
    if (status == 503)
        extra = (struct httpd_field){STR("Retry-After"), STR("2")};
    api_problem(c, status, err, more, extra);
}

void api_fail(struct api_call *c, const struct error *err) { api_fail_with(c, err, NULL); }

json_t *api_text(struct str s) { return s.len ? jsonx_from_str(s) : json_null(); }

void api_fail_findings(struct api_call *c, const struct findings *findings, const char *outcome) {
    struct error err;
    error_set(&err, ERR_INVALID, "the workspace has %zu error%s: see `findings`; %s", findings->errors,
              findings->errors == 1 ? "" : "s", outcome);
    api_fail_with(c, &err, json_pack("{s:o}", "findings", findings_json(findings)));
}

/* ---- pages ---- */

bool api_page(const struct api_call *c, json_t *answer, const char *list, const char *key, struct error *err) {
    json_t *items = json_object_get(answer, list);
    struct str after = jsonx_str(c->query, "after");
    size_t limit = (size_t)jsonx_int(c->query, "limit", API_PAGE_MAX), from = 0, size = json_array_size(items);
    while (after.ptr && from < size && !str_eq(jsonx_str(json_array_get(items, from), key), after))
        from++;
    if (after.ptr && from++ == size)
        return error_set(err, ERR_INVALID, "`after`: there is no `" STR_FMT "` in this list any more: begin anew",
                         STR_ARG(after));
    json_t *page = json_array();
    for (size_t i = from; i < size && i < from + limit; i++)
        json_array_append(page, json_array_get(items, i));
    if (from + limit < size)
        json_object_set(answer, "next", json_object_get(json_array_get(items, from + limit - 1), key));
    json_object_set_new(answer, list, page);
    return true;
}

void api_answer_page(struct api_call *c, json_t *answer, const char *list, const char *key) {
    struct error err;
    if (api_page(c, answer, list, key, &err)) {
        api_answer(c, 200, answer);
        return;
    }
    json_decref(answer);
    api_fail(c, &err);
}
