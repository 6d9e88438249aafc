/* endpoints.c — see endpoints.h. */
#include "trigger/endpoints.h"

#include "base/clock.h"
#include "base/log.h"
#include "trigger/access.h"
#include "trigger/router.h"

struct routes {
    const struct workspace *workspace;
    struct release *release; /* a reference: the router points into it */
    struct router *router;
    struct routes *next;
};

struct endpoints {
    struct endpoints_env env;
    struct httpd *httpd;
    struct routes *routes; /* in the order of the workspaces' ids */
    struct endpoints_counts counts;
};

/* A request on its way; in the request's arena. */
struct call {
    struct endpoints *endpoints;
    struct httpd_request *rq;
    struct workspace *workspace;
    struct router_match match;
    uint64_t run;
    int64_t started_us;
    struct timer timer;
    bool over;
};

/* ---- answers ---- */

static void count(struct call *c, int status) {
    static const int64_t limits_ms[] = {1, 5, 25, 100, 500, 1000, 5000, 10000};
    struct endpoints_counts *n = &c->endpoints->counts;
    int64_t us = clock_monotonic_us() - c->started_us;
    size_t i = 0;
    while (i < ARRAY_LEN(limits_ms) && us > limits_ms[i] * 1000)
        i++;
    n->seconds_bucket[i]++;
    n->seconds_sum += (double)us / 1e6;
    n->answers[status / 100 < 6 ? status / 100 : 5]++;
}

static void answer(struct call *c, int status, const struct httpd_field *fields, size_t n, struct str body) {
    c->over = true;
    timer_stop(&c->timer);
    count(c, status);
    httpd_answer(c->rq, status, fields, n, body);
}

static void answer_problem(struct call *c, int status, const char *title, const char *detail, struct httpd_field extra) {
    struct buf body;
    buf_init(&body, 4096);
    buf_adds(&body, "{\"type\":\"about:blank\",\"title\":");
    buf_add_json_string(&body, str_from(title));
    buf_addf(&body, ",\"status\":%d,\"detail\":", status);
    buf_add_json_string(&body, str_from(detail));
    buf_adds(&body, "}\n");
    struct httpd_field fields[] = {{STR("Content-Type"), STR("application/problem+json")}, extra};
    answer(c, status, fields, extra.name.len ? 2 : 1, buf_str(&body));
    buf_release(&body);
}

static const struct httpd_field no_field;

static void answer_error(struct call *c, const struct error *err) {
    struct httpd_field retry = {STR("Retry-After"), STR("2")};
    int status = error_http_status(err->code);
    answer_problem(c, status, error_general(err->code), err->text, status == 503 ? retry : no_field);
}

static void answer_not_routed(struct call *c, enum router_result result) {
    struct arena *a = httpd_arena(c->rq);
    struct str method = httpd_method(c->rq), path = httpd_path(c->rq);
    if (result == ROUTER_METHOD) {
        const char *detail = arena_printf(a, STR_FMT " is not supported here: no flow answers it. " STR_FMT " takes %s.",
                                          STR_ARG(method), STR_ARG(path), c->match.allow);
        answer_problem(c, 405, error_general(ERR_METHOD), detail, (struct httpd_field){STR("Allow"), str_from(c->match.allow)});
    } else if (result == ROUTER_BAD_PATH) {
        answer_problem(c, 400, error_general(ERR_INVALID),
                       "the path has a broken percent-escape, or \".\" or \"..\" as a segment", no_field);
    } else {
        answer_problem(c, 404, error_general(ERR_NOT_FOUND),
                       arena_printf(a, "no flow answers " STR_FMT " " STR_FMT, STR_ARG(method), STR_ARG(path)), no_field);
    }
}

static void answer_refused(struct call *c, const struct access_verdict *v) {
    struct httpd_field extra = no_field;
    if (v->challenge)
        extra = (struct httpd_field){STR("WWW-Authenticate"), str_from(v->challenge)};
    else if (v->status == 503)
        extra = (struct httpd_field){STR("Retry-After"), STR("60")};
    enum error_code code = v->status == 401   ? ERR_UNAUTHORIZED
                           : v->status == 403 ? ERR_FORBIDDEN
                           : v->status == 503 ? ERR_SECRET_EMPTY
                                              : ERR_INVALID;
    answer_problem(c, v->status, error_general(code), v->reason, extra);
}

/* ---- a request becomes a run ---- */

static void on_answered(void *arg, const struct run_answer *a) {
    struct call *c = arg;
    struct httpd_field fields[64];
    size_t n = 0, i;
    json_t *pair;
    if (c->over)
        return;
    json_array_foreach(a->headers, i, pair) {
        struct httpd_field f = {jsonx_string_value(json_array_get(pair, 0)), jsonx_string_value(json_array_get(pair, 1))};
        if (n < ARRAY_LEN(fields) && f.name.len)
            fields[n++] = f;
    }
    answer(c, a->status >= 200 && a->status <= 599 ? a->status : 500, fields, n, a->body);
}

static void on_too_late(struct timer *t) {
    struct call *c = container_of(t, struct call, timer);
    runs_forget_caller(c->endpoints->env.runs, c->run);
    answer_problem(c, 504, error_general(ERR_TIMEOUT), "the flow has not answered within a minute", no_field);
}

static void start_run(struct call *c) {
    struct endpoints *e = c->endpoints;
    struct httpd_request *rq = c->rq;
    struct error err;
    struct run_request q = {.method = httpd_method(rq),
                            .query = httpd_query(rq),
                            .client = str_from(httpd_client(rq)),
                            .content_type = httpd_header(rq, "Content-Type"),
                            .body = httpd_body(rq),
                            .parameters = c->match.parameter,
                            .parameter_count = c->match.parameters};
    q.headers = httpd_headers(rq, &q.header_count);
    char trigger[256];
    snprintf(trigger, sizeof trigger, STR_FMT " " STR_FMT, STR_ARG(q.method), STR_ARG(httpd_path(rq)));
    struct run_start start = {
        .workspace = c->workspace, .flow = c->match.flow, .request = &q, .trigger = trigger, .answered = on_answered, .arg = c};
    timer_start(&c->timer, ENDPOINT_ANSWER_MS);
    uint64_t run = runs_start(e->env.runs, &start, &err);
    if (run)
        c->run = run; /* c lives on until some time after the answer, even if that has come already */
    else
        answer_error(c, &err);
}

/* ---- the listener's calls ---- */

static enum router_result route(struct endpoints *e, struct call *c) {
    enum router_result best = ROUTER_NOT_FOUND;
    for (const struct routes *r = e->routes; r; r = r->next) {
        struct router_match match;
        enum router_result result = router_find(r->router, httpd_method(c->rq), httpd_path(c->rq), httpd_arena(c->rq), &match);
        if (result == ROUTER_FOUND || best == ROUTER_NOT_FOUND) {
            c->match = match;
            c->workspace = workspaces_find_id(e->env.workspaces, r->workspace->id);
            best = result;
        }
        if (result == ROUTER_FOUND)
            break;
    }
    return best;
}

static bool allowed(struct call *c) {
    struct access_verdict verdict;
    access_check(c->match.flow, workspace_vault(c->workspace, c->workspace->mode), c->rq, &verdict);
    if (!verdict.allowed)
        answer_refused(c, &verdict);
    return verdict.allowed;
}

static void on_head(void *arg, struct httpd_request *rq) {
    struct endpoints *e = arg;
    struct call *c = arena_alloc(httpd_arena(rq), sizeof *c);
    c->endpoints = e;
    c->rq = rq;
    c->started_us = clock_monotonic_us();
    timer_init(&c->timer, e->env.loop, on_too_late);
    httpd_set_user(rq, c);
    e->counts.requests++;
    enum router_result result = route(e, c);
    if (result != ROUTER_FOUND) {
        answer_not_routed(c, result);
        return;
    }
    httpd_set_body_max(rq, (size_t)c->match.flow->body_max_bytes);
    if (!access_needs_body(c->match.flow))
        allowed(c);
}

/* The release may have changed while the body came in: what was routed is looked up again by its id. */
static bool still_there(struct call *c) {
    const struct release_flow *flow = c->match.flow;
    for (const struct routes *r = c->endpoints->routes; r; r = r->next)
        if (flow >= r->release->flows && flow < r->release->flows + r->release->flow_count)
            return true;
    return route(c->endpoints, c) == ROUTER_FOUND;
}

static void on_request(void *arg, struct httpd_request *rq) {
    (void)arg;
    struct call *c = httpd_user(rq);
    if (!still_there(c))
        answer_not_routed(c, ROUTER_NOT_FOUND);
    else if (!access_needs_body(c->match.flow) || allowed(c))
        start_run(c);
}

struct endpoints *endpoints_open(const struct endpoints_env *env, struct error *err) {
    static const struct httpd_handler handler = {.head = on_head, .request = on_request};
    struct endpoints *e = mem_alloc(sizeof *e);
    e->env = *env;
    struct workspace *w;
    for (size_t i = 0; (w = workspaces_at(env->workspaces, i)); i++)
        endpoints_changed(e, w);
    e->httpd = httpd_open(env->loop, &env->listen, &handler, e, err);
    if (e->httpd)
        return e;
    endpoints_close(e);
    return NULL;
}

struct httpd *endpoints_httpd(struct endpoints *e) {
    return e->httpd;
}
struct endpoints_counts endpoints_counts(const struct endpoints *e) {
    return e->counts;
}

static void routes_free(struct routes *r) {
    router_free(r->router);
    release_unref(r->release);
    free(r);
}

void endpoints_changed(struct endpoints *e, const struct workspace *w) {
    struct routes **at = &e->routes;
    while (*at && (*at)->workspace->id < w->id)
        at = &(*at)->next;
    if (*at && (*at)->workspace == w) {
        struct routes *old = *at;
        *at = old->next;
        routes_free(old);
    }
    if (!w->release)
        return;
    struct routes *r = mem_alloc(sizeof *r);
    *r = (struct routes){.workspace = w, .release = release_ref(w->release), .router = router_new(w->release), .next = *at};
    *at = r;
}

void endpoints_close(struct endpoints *e) {
    if (!e)
        return;
    httpd_close(e->httpd);
    for (struct routes *r = e->routes, *next; r; r = next) {
        next = r->next;
        routes_free(r);
    }
    free(e);
}
