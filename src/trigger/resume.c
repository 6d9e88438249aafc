/* resume.c — see resume.h. */
#include "trigger/resume.h"

#include "base/percent.h"
#include "trigger/resume_page.h"

#define POST_MAX (64 * 1024)

/* In the request's arena. */
struct visit {
    struct runs *runs;
    struct httpd_request *rq;
    uint64_t run;
    struct str path;
    bool posts, json, json_body;
};

/* ---- answers ---- */

static void reply(struct visit *v, int status, struct str type, struct str body) {
    struct httpd_field fields[] = {
        {STR("Content-Type"), type},
        {STR("Cache-Control"), STR("no-store")},
        {STR("Referrer-Policy"), STR("no-referrer")},
        {STR("X-Content-Type-Options"), STR("nosniff")},
        {STR("Content-Security-Policy"),
         STR("default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")},
        {status == 405 ? STR("Allow") : STR("Retry-After"), status == 405 ? STR("GET, HEAD, POST") : STR("2")},
    };
    httpd_answer(v->rq, status, fields, ARRAY_LEN(fields) - (status != 405 && status != 503), body);
}

static void show(struct visit *v, int status, const struct link_view *view, const char *wrong) {
    struct buf out;
    buf_init(&out, 4 * 1024 * 1024);
    if (v->json) {
        json_t *json = resume_page_json(view);
        if (wrong)
            json_object_set_new(json, "detail", json_string(wrong));
        jsonx_write(json, &out);
        json_decref(json);
    } else {
        json_t *given = wrong ? resume_form(httpd_body(v->rq)) : NULL;
        resume_page_html(view, wrong, given, &out);
        json_decref(given);
    }
    reply(v, status, v->json ? STR("application/json") : STR("text/html; charset=utf-8"), buf_str(&out));
    buf_release(&out);
}

static void show_unknown(struct visit *v, int status) { show(v, status, &(struct link_view){.state = LINK_UNKNOWN}, NULL); }

static int status_of(const struct link_view *view, bool posts) {
    switch (view->state) {
    case LINK_UNKNOWN:
        return 404;
    case LINK_EXPIRED:
    case LINK_OVER:
        return 410;
    case LINK_USED:
    case LINK_NOT_YET:
        return posts && !view->is_ours ? 409 : 200;
    case LINK_OPEN:
        break;
    }
    return posts ? 503 : 200;
}

/* ---- looking and using ---- */

static void on_used(void *arg, const struct link_view *view, const struct error *err) {
    struct visit *v = arg;
    show(v, err ? 503 : status_of(view, true), view, NULL);
}

static void on_looked(void *arg, const struct link_view *view, const struct error *err) {
    struct visit *v = arg;
    struct error wrong;
    if (err || view->state != LINK_OPEN || !v->posts) {
        show(v, err ? 503 : status_of(view, v->posts), view, NULL);
        return;
    }
    json_t *answer = resume_answer(view->page, httpd_body(v->rq), v->json_body, &wrong);
    if (answer)
        runs_link_use(v->runs, v->run, v->path, answer, on_used, v);
    else
        show(v, 400, view, wrong.text);
}

/* ---- the listener's calls ---- */

static bool parse_path(struct visit *v) {
    struct str rest = httpd_path(v->rq), run, path, prefix = STR(LINKS_PREFIX);
    if (!str_starts(rest, prefix))
        return false;
    rest = str_of(rest.ptr + prefix.len, rest.len - prefix.len);
    return str_cut(&rest, '/', &run) && str_cut(&rest, '/', &path) && run_id_parse(run, &v->run) &&
           percent_decode(path, httpd_arena(v->rq), &v->path) && runs_link_check(v->runs, v->run, v->path, rest);
}

void resume_head(struct runs *runs, struct httpd_request *rq) {
    struct visit *v = arena_alloc(httpd_arena(rq), sizeof *v);
    struct str method = httpd_method(rq), accept = httpd_header(rq, "Accept");
    *v = (struct visit){.runs = runs, .rq = rq, .posts = str_is(method, "POST")};
    v->json_body = str_starts(httpd_header(rq, "Content-Type"), STR("application/json"));
    v->json = str_starts(accept, STR("application/json")) || (v->json_body && !str_starts(accept, STR("text/html")));
    httpd_set_user(rq, v);
    httpd_set_body_max(rq, POST_MAX);
    if (!v->posts && !str_is(method, "GET") && !str_is(method, "HEAD"))
        show_unknown(v, 405);
    else if (!parse_path(v))
        show_unknown(v, 404);
}

void resume_request(struct httpd_request *rq) {
    struct visit *v = httpd_user(rq);
    runs_link_look(v->runs, v->run, v->path, on_looked, v);
}
