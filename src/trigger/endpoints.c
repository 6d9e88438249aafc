/* endpoints.c — see endpoints.h. */
#include "trigger/endpoints.h"

#include "base/clock.h"
#include "base/log.h"
#include "run/letter.h"
#include "trigger/access.h"
#include "trigger/cors.h"
#include "trigger/encoding.h"
#include "trigger/quota.h"
#include "trigger/resume.h"
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
    struct map quotas;     /* "WORKSPACE/FLOW" -> struct quota, of flows that have such limits */
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
    struct quota *under_way;                  /* which counts this request; NULL: none does */
    struct httpd_field also[CORS_FIELDS_MAX]; /* of every answer */
    size_t also_count;
};

#define FIELDS_MAX 64
#define KEY_MAX 255 /* characters of an Idempotency-Key */
#define TRIGGER_MAX 256

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

/* Compressed where that may be; fields has room for two more. */
static void send_encoded(struct httpd_request *rq, int status, struct httpd_field *fields, size_t n, struct str body) {
    struct buf packed;
    buf_init(&packed, ENCODING_BODY_MAX);
    fields[n++] = (struct httpd_field){STR("Vary"), STR("Accept-Encoding")};
    if (encoding_accepts_gzip(httpd_header(rq, "Accept-Encoding")) && encoding_gzip(body, &packed)) {
        fields[n++] = (struct httpd_field){STR("Content-Encoding"), STR("gzip")};
        body = buf_str(&packed);
    }
    httpd_answer(rq, status, fields, n, body);
    buf_release(&packed);
}

/* fields: at most FIELDS_MAX. */
static void answer(struct call *c, int status, const struct httpd_field *fields, size_t n, struct str body) {
    struct httpd_field all[FIELDS_MAX + CORS_FIELDS_MAX + 2];
    bool encodable = encoding_may_be_used(status, fields, n, body);
    c->over = true;
    timer_stop(&c->timer);
    count(c, status);
    if (c->under_way)
        c->under_way->under_way--;
    if (c->also_count || encodable) {
        if (n)
            memcpy(all, fields, n * sizeof *all);
        memcpy(all + n, c->also, c->also_count * sizeof *all);
        fields = all;
        n += c->also_count;
    }
    if (encodable)
        send_encoded(c->rq, status, all, n, body);
    else
        httpd_answer(c->rq, status, fields, n, body);
}

static struct str client_of(struct call *c) {
    size_t n;
    const struct httpd_field *headers = httpd_headers(c->rq, &n);
    return proxies_client(c->endpoints->env.proxies, str_from(httpd_client(c->rq)), headers, n);
}

static bool is_disabled(const struct call *c) { return workspace_flow_is_disabled(c->workspace, c->match.flow->id); }

static struct run_request request_of(struct call *c) {
    struct httpd_request *rq = c->rq;
    struct run_request q = {.method = httpd_method(rq),
                            .query = httpd_query(rq),
                            .content_type = httpd_header(rq, "Content-Type"),
                            .body = httpd_body(rq),
                            .parameters = c->match.parameter,
                            .parameter_count = c->match.parameters};
    q.headers = httpd_headers(rq, &q.header_count);
    if (c->match.flow->durable || c->match.flow->needs & NEED_CLIENT)
        q.client = client_of(c);
    return q;
}

/* Requests to stored endpoints are kept, also those that become no run. */
static void keep_refused(struct call *c, int status, const char *detail) {
    struct endpoints *e = c->endpoints;
    if (!c->match.flow || !c->match.flow->durable || c->run || store_is_behind(e->env.store))
        return;
    struct run_request q = request_of(c);
    struct letter *l = letter_new(e->env.key, c->workspace->id, c->match.flow->id, httpd_path(c->rq), &q);
    letter_answered(l, status, str_from(detail));
    letter_keep(l, e->env.store, is_disabled(c) ? "disabled" : status == 429 || status == 503 ? "busy" : "refused");
}

static void answer_problem(struct call *c, int status, const char *title, const char *detail, struct httpd_field extra) {
    keep_refused(c, status, detail);
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

/* ---- limits of the flow ---- */

static struct quota *quota_of(struct call *c) {
    struct map *quotas = &c->endpoints->quotas;
    const char *key = arena_printf(httpd_arena(c->rq), "%lld/" STR_FMT, (long long)c->workspace->id, STR_ARG(c->match.flow->id));
    struct quota *q = map_find(quotas, str_from(key));
    if (!q)
        map_set(quotas, str_from(key), q = quota_new());
    return q;
}

static void answer_later(struct call *c, enum error_code code, int64_t seconds, const char *detail) {
    const char *text = arena_printf(httpd_arena(c->rq), "%lld", (long long)seconds);
    answer_problem(c, error_http_status(code), error_general(code), detail,
                   (struct httpd_field){STR("Retry-After"), str_from(text)});
}

static bool within_rate(struct call *c) {
    const struct release_flow *flow = c->match.flow;
    struct str caller = flow->per_client ? client_of(c) : STR("");
    int64_t seconds = quota_take(quota_of(c), caller, flow->requests_per_minute, clock_monotonic_us());
    if (!seconds)
        return true;
    answer_later(c, ERR_TOO_MANY, seconds,
                 arena_printf(httpd_arena(c->rq), "this address takes %lld requests a minute%s",
                              (long long)flow->requests_per_minute, flow->per_client ? " of each caller" : ""));
    return false;
}

static bool within_number(struct call *c) {
    struct quota *q = quota_of(c);
    if (q->under_way >= c->match.flow->calls_at_once) {
        answer_later(c, ERR_BUSY, 1, "as many requests of this address are being answered as may be at one time");
        return false;
    }
    q->under_way++;
    c->under_way = q;
    return true;
}

/* A caller's own rate comes before access, so that passwords cannot be tried at will; the flow's comes after it, so
 * that nobody without access uses it up. */
static bool is_within_limits(struct call *c) {
    const struct release_flow *flow = c->match.flow;
    return (!flow->requests_per_minute || flow->per_client || within_rate(c)) && (!flow->calls_at_once || within_number(c));
}

/* ---- a request becomes a run ---- */

static void on_answered(void *arg, const struct run_answer *a) {
    struct call *c = arg;
    struct httpd_field fields[FIELDS_MAX];
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

/* "GET /path"; of a long path its beginning. Each request comes by here: printf would take three times as long. */
static void write_trigger(struct str method, struct str path, char out[TRIGGER_MAX]) {
    size_t n = method.len, room = TRIGGER_MAX - n - 2; /* methods that are routed are short */
    memcpy(out, method.ptr, n);
    out[n++] = ' ';
    memcpy(out + n, path.ptr, path.len < room ? path.len : room);
    out[n + (path.len < room ? path.len : room)] = 0;
}

/* The caller's key (draft-ietf-httpapi-idempotency-key-header): a text in quotes, or as most send it without. Of methods that
 * may be repeated anyway it is not looked at. */
static bool take_key(struct call *c, struct str *key) {
    struct str text = str_trim(httpd_header(c->rq, "Idempotency-Key")), method = httpd_method(c->rq);
    *key = (struct str){NULL, 0};
    if (!text.ptr || !c->match.flow->durable || str_is(method, "GET") || str_is(method, "HEAD"))
        return true;
    if (text.len > 1 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
        text = str_of(text.ptr + 1, text.len - 2);
    bool ok = text.len > 0 && text.len <= KEY_MAX;
    for (size_t i = 0; ok && i < text.len; i++)
        ok = text.ptr[i] >= ' ' && text.ptr[i] < 127 && text.ptr[i] != '"';
    *key = text;
    if (!ok)
        answer_problem(c, 400, error_general(ERR_INVALID),
                       "Idempotency-Key takes 1 to 255 printable ASCII characters, best in quotes", no_field);
    return ok;
}

static void start_run(struct call *c) {
    struct endpoints *e = c->endpoints;
    struct httpd_request *rq = c->rq;
    struct error err;
    struct run_request q = request_of(c);
    struct str key;
    if (!take_key(c, &key))
        return;
    char trigger[TRIGGER_MAX];
    write_trigger(q.method, httpd_path(rq), trigger);
    struct run_start start = {.workspace = c->workspace,
                              .flow = c->match.flow,
                              .request = &q,
                              .trigger = trigger,
                              .idempotency_key = key,
                              .answered = on_answered,
                              .arg = c};
    timer_start(&c->timer, ENDPOINT_ANSWER_MS);
    if (c->match.flow->durable)
        start.letter = letter_new(e->env.key, c->workspace->id, c->match.flow->id, httpd_path(rq), &q);
    uint64_t run = runs_start(e->env.runs, &start, &err);
    if (run) {
        c->run = run; /* c lives on until some time after the answer, even if that has come already */
        return;
    }
    letter_free(start.letter);
    answer_error(c, &err);
}

/* ---- the listener's calls ---- */

static bool has_host(const struct routes *r, struct str host) {
    size_t i;
    json_t *one;
    json_array_foreach(r->release->hosts, i, one) if (str_eq_nocase(jsonx_string_value(one), host)) return true;
    return false;
}

/* NULL: no workspace is for this host. */
static const struct routes *routes_of(const struct endpoints *e, struct httpd_request *rq) {
    const struct routes *other = NULL;
    struct str host = {NULL, 0};
    for (const struct routes *r = e->routes; r; r = r->next) {
        size_t n;
        if (!r->release->hosts) {
            other = other ? other : r;
            continue;
        }
        const struct httpd_field *headers = httpd_headers(rq, &n);
        if (!host.ptr)
            host = proxies_host(e->env.proxies, str_from(httpd_client(rq)), headers, n);
        if (has_host(r, host))
            return r;
    }
    return other;
}

static enum router_result route(struct call *c, struct str method) {
    struct endpoints *e = c->endpoints;
    const struct routes *r = routes_of(e, c->rq);
    if (!r)
        return ROUTER_NOT_FOUND;
    c->workspace = workspaces_find_id(e->env.workspaces, r->workspace->id);
    return router_find(r->router, method, httpd_path(c->rq), httpd_arena(c->rq), &c->match);
}

/* A preflight asks for another method's flow; any other OPTIONS, where no flow answers it, for what the path takes. */
static bool answer_options(struct call *c) {
    struct httpd_request *rq = c->rq;
    struct str origin = httpd_header(rq, "Origin"), wanted = httpd_header(rq, "Access-Control-Request-Method");
    struct httpd_field allow = {STR("Allow"), {NULL, 0}};
    if (!str_is(httpd_method(rq), "OPTIONS"))
        return false;
    if (origin.len && wanted.len && route(c, wanted) == ROUTER_FOUND && c->match.flow->cors) {
        c->also_count = cors_preflight(c->match.flow->cors, origin, wanted, httpd_header(rq, "Access-Control-Request-Headers"),
                                       httpd_arena(rq), c->also);
        answer(c, 204, NULL, 0, (struct str){NULL, 0});
        return true;
    }
    if (route(c, httpd_method(rq)) != ROUTER_METHOD)
        return false;
    allow.value = str_from(c->match.allow);
    answer(c, 204, &allow, 1, (struct str){NULL, 0});
    return true;
}

static bool allowed(struct call *c) {
    struct access_verdict verdict;
    access_check(c->match.flow, workspace_vault(c->workspace, c->workspace->mode), c->rq, &verdict);
    if (!verdict.allowed)
        answer_refused(c, &verdict);
    return verdict.allowed;
}

/* Asked when its body is there: that is kept. 503, as whoever sends webhooks tries again then, and gives up at 4xx. */
static bool is_enabled(struct call *c) {
    if (is_disabled(c))
        answer_problem(c, 503, error_general(ERR_BUSY),
                       "this flow is switched off; what is sent to it meanwhile is kept if the flow is stored",
                       (struct httpd_field){STR("Retry-After"), STR("60")});
    return !is_disabled(c);
}

static void on_head(void *arg, struct httpd_request *rq) {
    struct endpoints *e = arg;
    if (str_starts(httpd_path(rq), STR(OWN_PATHS))) {
        resume_head(e->env.runs, rq);
        return;
    }
    struct call *c = arena_alloc(httpd_arena(rq), sizeof *c);
    c->endpoints = e;
    c->rq = rq;
    c->started_us = clock_monotonic_us();
    timer_init(&c->timer, e->env.loop, on_too_late);
    httpd_set_user(rq, c);
    e->counts.requests++;
    if (answer_options(c))
        return;
    enum router_result result = route(c, httpd_method(rq));
    if (result != ROUTER_FOUND) {
        answer_not_routed(c, result);
        return;
    }
    c->also_count = cors_answer(c->match.flow->cors, httpd_header(rq, "Origin"), c->also);
    if (c->match.flow->per_client && c->match.flow->requests_per_minute && !within_rate(c))
        return;
    httpd_set_body_max(rq, (size_t)c->match.flow->body_max_bytes);
    if (!access_needs_body(c->match.flow))
        (void)allowed(c);
}

/* The release may have changed while the body came in: what was routed is looked up again by its id. */
static bool still_there(struct call *c) {
    const struct release_flow *flow = c->match.flow;
    for (const struct routes *r = c->endpoints->routes; r; r = r->next)
        if (flow >= r->release->flows && flow < r->release->flows + r->release->flow_count)
            return true;
    return route(c, httpd_method(c->rq)) == ROUTER_FOUND;
}

static void on_request(void *arg, struct httpd_request *rq) {
    (void)arg;
    if (str_starts(httpd_path(rq), STR(OWN_PATHS))) {
        resume_request(rq);
        return;
    }
    struct call *c = httpd_user(rq);
    if (!still_there(c))
        answer_not_routed(c, ROUTER_NOT_FOUND);
    else if ((!access_needs_body(c->match.flow) || allowed(c)) && is_enabled(c) && is_within_limits(c))
        start_run(c);
}

bool endpoints_match(const struct endpoints *e, const struct workspace *w, struct str method, struct str path,
                     struct arena *arena, struct router_match *match) {
    const struct routes *r = e->routes;
    while (r && r->workspace != w)
        r = r->next;
    return r && router_find(r->router, method, path, arena, match) == ROUTER_FOUND;
}

struct endpoints *endpoints_open(const struct endpoints_env *env, struct error *err) {
    static const struct httpd_handler handler = {.head = on_head, .request = on_request};
    struct endpoints *e = mem_alloc(sizeof *e);
    e->env = *env;
    map_init(&e->quotas);
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

static void warn_if_unreachable(const struct endpoints *e, const struct workspace *w) {
    const struct routes *r = e->routes;
    while (r && r->release->hosts)
        r = r->next;
    if (r && r->workspace != w && !w->release->hosts)
        log_warn("endpoints",
                 "workspace=" STR_FMT " msg=\"no request reaches it: " STR_FMT " answers for all other hosts, and this "
                 "workspace.json has no `hosts`\"",
                 STR_ARG(w->name), STR_ARG(r->workspace->name));
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
    warn_if_unreachable(e, w);
}

void endpoints_close(struct endpoints *e) {
    if (!e)
        return;
    httpd_close(e->httpd);
    for (struct routes *r = e->routes, *next; r; r = next) {
        next = r->next;
        routes_free(r);
    }
    struct map_entry *q;
    for (size_t at = 0; (q = map_next(&e->quotas, &at));)
        quota_free(q->value);
    map_release(&e->quotas);
    free(e);
}
