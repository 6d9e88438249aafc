/* curl_loop.c — see curl_loop.h. */
#include "net/curl_loop.h"

struct curl_loop {
    struct loop *loop;
    CURLM *multi;
    struct timer timer;
};

/* One a socket, from libcurl's first word about it to its CURL_POLL_REMOVE. */
struct watcher {
    uv_poll_t poll;
    struct curl_loop *owner;
    curl_socket_t socket;
};

static void report_done(struct curl_loop *c) {
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(c->multi, &left))) {
        struct curl_transfer *t = NULL;
        CURLcode code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
        t->done(t, code);
    }
}

static void act(struct curl_loop *c, curl_socket_t socket, int events) {
    int running;
    ENSURE(curl_multi_socket_action(c->multi, socket, events, &running) == CURLM_OK);
    report_done(c);
}

static void on_timer(struct timer *t) { act(container_of(t, struct curl_loop, timer), CURL_SOCKET_TIMEOUT, 0); }

static void on_ready(uv_poll_t *p, int status, int events) {
    struct watcher *w = container_of(p, struct watcher, poll);
    int what = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    act(w->owner, w->socket, status < 0 ? CURL_CSELECT_ERR : what);
}

static void on_closed(uv_handle_t *h) { free(container_of((uv_poll_t *)h, struct watcher, poll)); }

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *arg, void *known) {
    (void)easy;
    struct curl_loop *c = arg;
    struct watcher *w = known;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            uv_poll_stop(&w->poll);
            uv_close((uv_handle_t *)&w->poll, on_closed);
            curl_multi_assign(c->multi, socket, NULL);
        }
        return 0;
    }
    if (!w) {
        w = mem_alloc(sizeof *w);
        w->owner = c;
        w->socket = socket;
        ENSURE(uv_poll_init_socket(loop_uv(c->loop), &w->poll, socket) == 0);
        curl_multi_assign(c->multi, socket, w);
    }
    uv_poll_start(&w->poll, (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0), on_ready);
    return 0;
}

/* libcurl must not be entered from here: a delay of 0 waits for the next turn as well. */
static int on_timeout_change(CURLM *multi, long delay_ms, void *arg) {
    (void)multi;
    struct curl_loop *c = arg;
    if (delay_ms < 0)
        timer_stop(&c->timer);
    else
        timer_start(&c->timer, delay_ms);
    return 0;
}

struct curl_loop *curl_loop_new(struct loop *l) {
    ENSURE(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); /* counted by libcurl */
    struct curl_loop *c = mem_alloc(sizeof *c);
    c->loop = l;
    timer_init(&c->timer, l, on_timer);
    c->multi = curl_multi_init();
    ENSURE(c->multi);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timeout_change);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    return c;
}

void curl_loop_free(struct curl_loop *c) {
    if (!c)
        return;
    curl_multi_cleanup(c->multi);
    timer_stop(&c->timer);
    curl_global_cleanup();
    free(c);
}

CURLM *curl_loop_multi(struct curl_loop *c) { return c->multi; }

void curl_loop_add(struct curl_loop *c, struct curl_transfer *t) {
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    ENSURE(curl_multi_add_handle(c->multi, t->easy) == CURLM_OK);
}

void curl_loop_remove(struct curl_loop *c, struct curl_transfer *t) {
    ENSURE(curl_multi_remove_handle(c->multi, t->easy) == CURLM_OK);
}
