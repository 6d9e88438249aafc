/* server.c — see server.h: which row a request is for, and whether it may. */
#include "api/server.h"

#include "api/call.h"
#include "base/clock.h"
#include "base/percent.h"

#define NO_BODY_MAX 1024 /* where none is asked for, some clients send {} */

/* ---- what a request is about ---- */

/* Whether the path has the route's form; parameters get what stands in their places. */
static bool matches(const struct api_route *route, struct str path, struct arena *arena, struct str *parameters) {
    struct str wanted = str_from(route->path), pattern, segment;
    size_t n = 0;
    while (str_cut(&wanted, '/', &pattern)) {
        if (!str_cut(&path, '/', &segment))
            return false;
        if (str_starts(pattern, STR("{"))) {
            if (!segment.len || !percent_decode(segment, arena, &parameters[n++]))
                return false;
        } else if (!str_eq(pattern, segment)) {
            return false;
        }
    }
    return !path.ptr;
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

static void decref(void *value) { json_decref(value); }

/* A copy: a token may be revoked while a call that it began goes on. */
static bool has_token(struct api_call *c) {
    struct str given = str_trim(httpd_header(c->rq, "Authorization")), scheme;
    if (!str_cut(&given, ' ', &scheme) || !str_eq_nocase(scheme, STR("Bearer")))
        return false;
    const struct grant *found = tokens_find(c->api->env.tokens, str_trim(given));
    if (!found)
        return false;
    struct grant *mine = arena_alloc(c->arena, sizeof *mine);
    *mine = *found;
    mine->name = arena_str(c->arena, found->name);
    if (mine->workspaces)
        arena_defer(c->arena, decref, json_incref(mine->workspaces));
    c->grant = mine;
    return true;
}

static bool is_allowed(const struct api_call *c, struct error *err) {
    const struct grant *g = c->grant;
    bool in_workspace = str_starts(str_from(c->route->path), STR(API_WORKSPACE));
    if (!(g->permissions & c->route->permission))
        return error_set(err, ERR_FORBIDDEN, "the token `" STR_FMT "` lacks the permission %s", STR_ARG(g->name),
                         permission_name(c->route->permission));
    if (in_workspace ? grant_sees(g, c->parameters[0]) : !g->workspaces || c->route->any_scope)
        return true;
    return error_set(err, ERR_FORBIDDEN, "the token `" STR_FMT "` is for some workspaces only: not for %s", STR_ARG(g->name),
                     in_workspace ? "this one" : "what concerns the whole server");
}

static void answer_unauthorized(struct api_call *c) {
    struct error err;
    error_set(&err, ERR_UNAUTHORIZED, "%s",
              httpd_header(c->rq, "Authorization").ptr
                  ? "this token is not known here, was revoked or has expired; the server's own is in the file `token` of its "
                    "data folder"
                  : "a token is needed, as `Authorization: Bearer TOKEN`: it is in the file `token` of the server's data folder");
    api_problem(c, 401, &err, NULL, (struct httpd_field){STR("WWW-Authenticate"), STR("Bearer realm=\"Flowlet\"")});
}

/* No route has this method and path: 405 where the path has others, else 404. */
static void answer_unknown(struct api_call *c, const char *allow) {
    struct error err;
    struct str method = httpd_method(c->rq), path = httpd_path(c->rq);
    if (allow[0]) {
        error_set(&err, ERR_METHOD, STR_FMT " is not supported here; " STR_FMT " takes %s", STR_ARG(method), STR_ARG(path),
                  allow);
        api_problem(c, 405, &err, NULL, (struct httpd_field){STR("Allow"), str_from(allow)});
        return;
    }
    error_set(&err, ERR_NOT_FOUND, "there is no " STR_FMT " here: this is Flowlet's console listener, endpoints answer at %s",
              STR_ARG(path), c->api->env.public_url);
    api_fail(c, &err);
}

/* NULL: it was answered. HEAD is answered as GET. The first row that fits counts. */
static const struct api_route *find_route(struct api_call *c) {
    const struct api_resource *r;
    struct str method = httpd_method(c->rq);
    char allow[64] = "";
    if (str_is(method, "HEAD"))
        method = STR("GET");
    for (size_t i = 0; (r = api_resources[i]); i++)
        for (size_t k = 0; k < r->count; k++) {
            const struct api_route *route = &r->routes[k];
            if (!matches(route, httpd_path(c->rq), c->arena, c->parameters))
                continue;
            if (str_is(method, route->method))
                return route;
            size_t n = strlen(allow);
            snprintf(allow + n, sizeof allow - n, "%s%s", n ? ", " : "", route->method);
        }
    answer_unknown(c, allow);
    return NULL;
}

static size_t body_max(const struct api_route *route) {
    if (!route->body)
        return NO_BODY_MAX;
    return route->body_max ? route->body_max : API_BODY_STANDARD;
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
    if (c->route->permission && !has_token(c))
        answer_unauthorized(c);
    else if (c->route->permission && !is_allowed(c, &err))
        api_fail(c, &err);
    else if (api_read_query(c))
        httpd_set_body_max(rq, body_max(c->route));
}

static void on_request(void *arg, struct httpd_request *rq) {
    (void)arg;
    struct api_call *c = httpd_user(rq);
    if (api_read_body(c))
        c->route->run(c);
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
    api_started_release(a);
    api_events_release(a);
}

void api_close(struct api *a) {
    if (!a)
        return;
    httpd_close(a->httpd);
    api_started_close(a);
    free(a);
}
