/* server.c — see server.h: routes, tokens, bodies and answers; the resources are files of their own. */
#include "api/server.h"

#include "api/call.h"
#include "base/clock.h"

#define NO_BODY_MAX 1024 /* where none is asked for, some clients send {} */

static const struct api_route routes[] = {
#define X(method, path, who, function, query, body) {method, path, who, function, query, body},
#include "api/routes.def"
#undef X
};

/* ---- answers ---- */

void api_answer_text(struct api_call *c, int status, const char *type, struct str text) {
    struct httpd_field fields[] = {{STR("Content-Type"), str_from(type)},
                                   {STR("Cache-Control"), STR("no-store")},
                                   {STR("X-Content-Type-Options"), STR("nosniff")}};
    httpd_answer(c->rq, status, fields, ARRAY_LEN(fields), text);
}

static void answer_json(struct api_call *c, int status, json_t *value, const char *type, struct httpd_field extra) {
    struct httpd_field fields[] = {{STR("Content-Type"), str_from(type)}, {STR("Cache-Control"), STR("no-store")}, extra};
    struct buf text;
    buf_init(&text, (size_t)1 << 30);
    ENSURE(value && jsonx_write(value, &text));
    buf_addc(&text, '\n');
    size_t len = text.len;
    json_decref(value);
    httpd_answer_take(c->rq, status, fields, extra.name.len ? 3 : 2, buf_take(&text), len);
}

void api_answer(struct api_call *c, int status, json_t *value) {
    answer_json(c, status, value, "application/json", (struct httpd_field){0});
}

static void problem(struct api_call *c, int status, const struct error *err, json_t *more, struct httpd_field extra) {
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
    problem(c, status, err, more, extra);
}

void api_fail(struct api_call *c, const struct error *err) { api_fail_with(c, err, NULL); }

json_t *api_text(struct str s) { return s.len ? jsonx_from_str(s) : json_null(); }

/* ---- what a request asks for ---- */

/* "%20" and, in queries, "+". False for a broken escape or what is no UTF-8. */
static bool decode(struct str raw, bool query, struct arena *arena, struct str *out) {
    char *text = arena_alloc(arena, raw.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < raw.len; i++, n++) {
        text[n] = query && raw.ptr[i] == '+' ? ' ' : raw.ptr[i];
        if (raw.ptr[i] == '%') {
            if (raw.len - i < 3 || !hex_parse(str_of(raw.ptr + i + 1, 2), (uint8_t *)&text[n]))
                return false;
            i += 2;
        }
    }
    *out = str_of(text, n);
    return str_is_utf8(*out) && !memchr(text, 0, n);
}

/* Whether the path has the route's form; parameters get what stands in their places. */
static bool matches(const struct api_route *route, struct str path, struct arena *arena, struct str *parameters) {
    struct str wanted = str_from(route->path), pattern, segment;
    size_t n = 0;
    while (str_cut(&wanted, '/', &pattern)) {
        if (!str_cut(&path, '/', &segment))
            return false;
        if (str_starts(pattern, STR("{"))) {
            if (!segment.len || !decode(segment, false, arena, &parameters[n++]))
                return false;
        } else if (!str_eq(pattern, segment)) {
            return false;
        }
    }
    return !path.ptr;
}

/* Whether `name` is one of the names in `list`. */
static bool is_listed(struct str name, const char *list) {
    struct str rest = str_from(list), one;
    while (str_cut(&rest, ' ', &one))
        if (one.len && str_eq(one, name))
            return true;
    return false;
}

bool api_query(struct api_call *c, const char *name, struct str *value) {
    struct str rest = httpd_query(c->rq), pair, key, decoded;
    while (str_cut(&rest, '&', &pair)) {
        str_cut(&pair, '=', &key);
        if (decode(key, true, c->arena, &decoded) && str_is(decoded, name))
            return decode(pair.ptr ? pair : STR(""), true, c->arena, value);
    }
    return false;
}

bool api_query_number(struct api_call *c, const char *name, int64_t low, int64_t high, int64_t fallback, int64_t *out,
                      struct error *err) {
    struct str text;
    *out = fallback;
    if (!api_query(c, name, &text))
        return true;
    if (!str_to_int64(text, out) || *out < low || *out > high)
        return error_set(err, ERR_INVALID, "`%s` is no number from %lld to %lld", name, (long long)low, (long long)high);
    return true;
}

bool api_query_flag(struct api_call *c, const char *name, bool *out, struct error *err) {
    struct str text;
    *out = api_query(c, name, &text) && str_is(text, "true");
    if (*out || !api_query(c, name, &text) || str_is(text, "false"))
        return true;
    return error_set(err, ERR_INVALID, "`%s` is neither true nor false", name);
}

static bool check_query(struct api_call *c, struct error *err) {
    struct str rest = httpd_query(c->rq), pair, key, name, value;
    const char *known = c->route->query;
    while (str_cut(&rest, '&', &pair)) {
        if (!pair.len)
            continue;
        str_cut(&pair, '=', &key);
        if (!decode(key, true, c->arena, &name) || !decode(pair.ptr ? pair : STR(""), true, c->arena, &value))
            return error_set(err, ERR_INVALID, "the query has a broken percent-escape, or is no UTF-8");
        if (!is_listed(name, known))
            return error_set(err, ERR_INVALID, "there is no query parameter `" STR_FMT "` here; known are: %s", STR_ARG(name),
                             known[0] ? known : "none");
    }
    return true;
}

static void decref(void *value) { json_decref(value); }

static bool read_body(struct api_call *c, struct error *err) {
    const char *known = c->route->body, *key;
    const json_t *value;
    if (!known[0])
        return true;
    c->body = httpd_body(c->rq).len ? jsonx_parse(httpd_body(c->rq), err) : json_object();
    if (!c->body)
        return error_wrap(err, "the body");
    arena_defer(c->arena, decref, c->body);
    if (!json_is_object(c->body))
        return error_set(err, ERR_INVALID, "the body is no JSON object; it may hold: %s", known);
    json_object_foreach(c->body, key, value) {
        if (!is_listed(str_from(key), known))
            return error_set(err, ERR_INVALID, "there is no field `%s` here; known are: %s", key, known);
    }
    return true;
}

struct workspace *api_workspace(struct api_call *c) {
    struct error err;
    c->workspace = workspaces_find(c->api->env.workspaces, c->parameters[0]);
    if (c->workspace)
        return c->workspace;
    error_set(&err, ERR_NOT_FOUND, "there is no workspace `" STR_FMT "` on this server; `flowlet push` makes one",
              STR_ARG(c->parameters[0]));
    api_fail(c, &err);
    return NULL;
}

struct workspace *api_published(struct api_call *c) {
    struct error err;
    struct workspace *w = api_workspace(c);
    if (!w || w->release)
        return w;
    error_set(&err, ERR_NOT_FOUND, "nothing is published in this workspace yet: `flowlet push` does");
    api_fail(c, &err);
    return NULL;
}

/* ---- the store ---- */

static void on_stored(void *arg, const struct error *err) {
    struct api_call *c = arg;
    json_t *result = c->result;
    c->result = NULL;
    if (!err) {
        api_answer(c, 200, result ? result : json_object());
        return;
    }
    json_decref(result);
    api_fail(c, err);
}

void api_read(struct api_call *c, store_work_fn *work) { store_read(c->api->env.store, work, on_stored, c); }

void api_write(struct api_call *c, store_work_fn *work) { store_write(c->api->env.store, work, on_stored, c); }

/* ---- the listener's calls ---- */

static bool has_token(struct api_call *c) {
    struct str given = str_trim(httpd_header(c->rq, "Authorization")), scheme;
    return str_cut(&given, ' ', &scheme) && str_eq_nocase(scheme, STR("Bearer")) &&
           token_equals(c->api->env.token, str_trim(given));
}

static void answer_unauthorized(struct api_call *c) {
    struct error err;
    error_set(&err, ERR_UNAUTHORIZED, "%s",
              httpd_header(c->rq, "Authorization").ptr
                  ? "this token is not the server's: it is in the file `token` of its data folder"
                  : "a token is needed, as `Authorization: Bearer TOKEN`: it is in the file `token` of the server's data folder");
    problem(c, 401, &err, NULL, (struct httpd_field){STR("WWW-Authenticate"), STR("Bearer realm=\"Flowlet\"")});
}

/* No route has this method and path: 405 where the path has others, else 404. */
static void answer_unknown(struct api_call *c, const char *allow) {
    struct error err;
    struct str method = httpd_method(c->rq), path = httpd_path(c->rq);
    if (allow[0]) {
        error_set(&err, ERR_METHOD, STR_FMT " is not supported here; " STR_FMT " takes %s", STR_ARG(method), STR_ARG(path),
                  allow);
        problem(c, 405, &err, NULL, (struct httpd_field){STR("Allow"), str_from(allow)});
        return;
    }
    error_set(&err, ERR_NOT_FOUND, "there is no " STR_FMT " here: this is Flowlet's console listener, endpoints answer at %s",
              STR_ARG(path), c->api->env.public_url);
    api_fail(c, &err);
}

/* NULL: it was answered. HEAD is answered as GET. */
static const struct api_route *find_route(struct api_call *c) {
    struct str method = httpd_method(c->rq);
    char allow[64] = "";
    if (str_is(method, "HEAD"))
        method = STR("GET");
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (!matches(&routes[i], httpd_path(c->rq), c->arena, c->parameters))
            continue;
        if (str_is(method, routes[i].method))
            return &routes[i];
        size_t n = strlen(allow);
        snprintf(allow + n, sizeof allow - n, "%s%s", n ? ", " : "", routes[i].method);
    }
    answer_unknown(c, allow);
    return NULL;
}

static void on_head(void *arg, struct httpd_request *rq) {
    struct arena *arena = httpd_arena(rq);
    struct api_call *c = arena_alloc(arena, sizeof *c);
    *c = (struct api_call){.api = arg, .rq = rq, .arena = arena};
    httpd_set_user(rq, c);
    struct error err;
    c->route = find_route(c);
    if (!c->route)
        return;
    if (c->route->who == TOKEN && !has_token(c))
        answer_unauthorized(c);
    else if (!check_query(c, &err))
        api_fail(c, &err);
    else
        httpd_set_body_max(rq, c->route->body[0] ? API_BODY_MAX : NO_BODY_MAX);
}

static void on_request(void *arg, struct httpd_request *rq) {
    (void)arg;
    struct api_call *c = httpd_user(rq);
    struct error err;
    if (read_body(c, &err))
        c->route->run(c);
    else
        api_fail(c, &err);
}

struct api *api_open(const struct api_env *env, struct error *err) {
    static const struct httpd_handler handler = {.head = on_head, .request = on_request};
    struct api *a = mem_alloc(sizeof *a);
    a->env = *env;
    a->started_ms = clock_now_ms();
    a->httpd = httpd_open(env->loop, &env->listen, &handler, a, err);
    if (a->httpd)
        return a;
    free(a);
    return NULL;
}

struct httpd *api_httpd(struct api *a) {
    return a->httpd;
}

void api_release_waiting(struct api *a) {
    a->closing = true;
    api_logs_release(a);
    api_flows_release(a);
    api_events_release(a);
}

void api_close(struct api *a) {
    if (!a)
        return;
    httpd_close(a->httpd);
    api_flows_close(a);
    free(a);
}
