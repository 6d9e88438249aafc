/* home.c — the server itself: a page for who opens its console listener in a browser, health, metrics, the API's document. */
#include "api/call.h"

#define PAGE_MAX (1024 * 1024)

static void add_text(struct buf *out, struct str s) {
    for (size_t i = 0; i < s.len; i++) {
        const char *escaped = s.ptr[i] == '<'   ? "&lt;"
                              : s.ptr[i] == '>' ? "&gt;"
                              : s.ptr[i] == '&' ? "&amp;"
                              : s.ptr[i] == '"' ? "&quot;"
                                                : NULL;
        if (escaped)
            buf_adds(out, escaped);
        else
            buf_addc(out, s.ptr[i]);
    }
}

/* GET endpoints without parameters can be opened; the others are only named. */
static void add_endpoint(struct buf *out, const struct api *a, const struct release_flow *f) {
    bool link = str_is(f->method, "GET") && !f->parameter_count;
    buf_addf(out, "<li>" STR_FMT " ", STR_ARG(f->method));
    if (link) {
        buf_addf(out, "<a href=\"%s", a->env.public_url);
        add_text(out, f->path);
        buf_adds(out, "\">");
    }
    add_text(out, f->path);
    buf_adds(out, link ? "</a> &ndash; " : " &ndash; ");
    add_text(out, f->name);
    buf_adds(out, "</li>\n");
}

static void add_workspace(struct buf *out, const struct api *a, const struct workspace *w) {
    const struct release *r = w->release;
    buf_adds(out, "<h2>");
    add_text(out, r && r->title.len ? r->title : w->name);
    buf_addf(out, "</h2>\n<p>%s</p>\n<ul>\n",
             w->mode == 'l' ? "Live: pages, mails and messages are sent."
                            : "Practice mode: pages, mails and messages are captured, nothing is sent.");
    for (size_t i = 0; r && i < r->flow_count; i++)
        if (r->flows[i].type == FLOW_ENDPOINT)
            add_endpoint(out, a, &r->flows[i]);
    buf_adds(out, "</ul>\n");
    if (w->mode == 'p') {
        buf_adds(out, "<p>What was captured: <code>flowlet outbox --workspace ");
        add_text(out, w->name);
        buf_adds(out, "</code></p>\n");
    }
}

static void home(struct api_call *c) {
    struct buf page;
    struct workspace *w;
    buf_init(&page, PAGE_MAX);
    buf_adds(
        &page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
        "<title>Flowlet</title>\n<style>body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}"
        "code{background:#8882;padding:.1em .3em}:root{color-scheme:light dark}</style></head>\n<body>\n<h1>Flowlet</h1>\n"
        "<p>This is a Flowlet server's console listener: its REST API (<code>/api/v1</code>, with the token of the data folder), "
        "<a href=\"/metrics\">metrics</a> and <a href=\"/readyz\">readiness</a>. There is no editor in the browser yet: "
        "workspaces are folders, published with <code>flowlet push</code>.</p>\n");
    for (size_t i = 0; (w = workspaces_at(c->api->env.workspaces, i)); i++)
        add_workspace(&page, c->api, w);
    buf_adds(&page, "<p>What ran: <code>flowlet runs</code>. What happens: <code>flowlet logs -f</code>.</p>\n</body></html>\n");
    api_answer_text(c, 200, "text/html; charset=utf-8", buf_str(&page));
    buf_release(&page);
}

static void openapi(struct api_call *c) { api_answer(c, 200, api_openapi()); }

static const struct shape document = {.kind = SHAPE_MAP, .item = &shape_json};
static const struct api_route routes[] = {
    {.method = "GET",
     .path = "/",
     .name = "home",
     .about = "A page that says what this is.",
     .answers = API_ANSWERS({200, NULL, "for browsers"}),
     .type = "text/html",
     .run = home},
    {.method = "GET",
     .path = "/healthz",
     .name = "health",
     .about = "Whether the process answers.",
     .answers = API_ANSWERS({200, NULL, "it does"}),
     .type = "text/plain",
     .run = api_healthz},
    {.method = "GET",
     .path = "/readyz",
     .name = "readiness",
     .about = "Whether a request to a durable flow would be taken right now; else 503 says why not.",
     .answers = API_ANSWERS({200, NULL, "it would"}),
     .type = "text/plain",
     .run = api_readyz},
    {.method = "GET",
     .path = "/metrics",
     .name = "metrics",
     .about = "Numbers for Prometheus.",
     .answers = API_ANSWERS({200, NULL, "its text format 0.0.4"}),
     .type = "text/plain",
     .run = api_metrics},
    {.method = "GET",
     .path = "/api/v1/openapi.json",
     .name = "openapi",
     .about = "This document.",
     .answers = API_ANSWERS({200, &document, "OpenAPI 3.1"}),
     .run = openapi},
};
const struct api_resource api_resource_server = API_RESOURCE("Server", routes);
