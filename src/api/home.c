/* home.c — a page for who opens the console listener in a browser: what this is, and where to go on. */
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

void api_home(struct api_call *c) {
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
