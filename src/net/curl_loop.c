/* curl_loop.c — see curl_loop.h. */
#include "net/curl_loop.h"

#include <sys/socket.h>
#include <unistd.h>

struct curl_loop {
    struct loop *loop;
    CURLM *multi;
    struct timer timer;
    struct loop_flush at_once; /* libcurl wants to be called before the loop sleeps */
    bool in_flush;
    struct watcher **kept; /* by descriptor; NULL: none */
    size_t kept_size;
};

/* One a socket. For those of curl_loop_open until they are closed: a connection is watched on between its transfers, as
 * taking it out of the loop and putting it in again would cost six system calls a transfer. Others (libcurl's own pairs)
 * from libcurl's first word about them to its CURL_POLL_REMOVE. */
struct watcher {
    uv_poll_t poll;
    struct curl_loop *owner;
    curl_socket_t socket;
    int events; /* polled for */
    bool kept, idle;
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

static void on_flush(void *arg) {
    struct curl_loop *c = arg;
    c->in_flush = true;
    act(c, CURL_SOCKET_TIMEOUT, 0);
    c->in_flush = false;
}

static void on_ready(uv_poll_t *p, int status, int events);

static void poll_for(struct watcher *w, int events) {
    if (w->events == events)
        return;
    w->events = events;
    if (events)
        uv_poll_start(&w->poll, events, on_ready);
    else
        uv_poll_stop(&w->poll);
}

static void on_ready(uv_poll_t *p, int status, int events) {
    struct watcher *w = container_of(p, struct watcher, poll);
    int what = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    if (w->idle)
        poll_for(w, 0); /* the other side has closed it: libcurl finds out when it wants to use it again */
    else
        act(w->owner, w->socket, status < 0 ? CURL_CSELECT_ERR : what);
}

static void on_closed(uv_handle_t *h) { free(container_of((uv_poll_t *)h, struct watcher, poll)); }

static void watcher_close(struct watcher *w) {
    uv_poll_stop(&w->poll);
    uv_close((uv_handle_t *)&w->poll, on_closed);
}

static struct watcher *watcher_new(struct curl_loop *c, curl_socket_t socket) {
    struct watcher *w = mem_alloc(sizeof *w);
    w->owner = c;
    w->socket = socket;
    ENSURE(uv_poll_init_socket(loop_uv(c->loop), &w->poll, socket) == 0);
    return w;
}

static struct watcher *find_kept(const struct curl_loop *c, curl_socket_t socket) {
    return (size_t)socket < c->kept_size ? c->kept[socket] : NULL;
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *arg, void *known) {
    (void)easy;
    struct curl_loop *c = arg;
    struct watcher *w = known ? known : find_kept(c, socket);
    if (what == CURL_POLL_REMOVE && !w)
        return 0;
    if (what == CURL_POLL_REMOVE && w->kept) {
        w->idle = true;
        poll_for(w, w->events == UV_READABLE ? UV_READABLE : 0);
        return 0;
    }
    if (what == CURL_POLL_REMOVE) {
        watcher_close(w);
        curl_multi_assign(c->multi, socket, NULL);
        return 0;
    }
    if (!w)
        w = watcher_new(c, socket);
    if (!known)
        curl_multi_assign(c->multi, socket, w);
    w->idle = false;
    poll_for(w, (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0));
    return 0;
}

curl_socket_t curl_loop_open(struct curl_loop *c, int family, int type, int protocol) {
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    if ((size_t)fd >= c->kept_size) {
        size_t size = ((size_t)fd + 1) * 2;
        c->kept = mem_realloc(c->kept, size * sizeof(struct watcher *));
        memset(c->kept + c->kept_size, 0, (size - c->kept_size) * sizeof(struct watcher *));
        c->kept_size = size;
    }
    c->kept[fd] = watcher_new(c, fd);
    c->kept[fd]->kept = true;
    return fd;
}

static int on_close_socket(void *arg, curl_socket_t socket) {
    struct curl_loop *c = arg;
    struct watcher *w = find_kept(c, socket);
    if (w) {
        watcher_close(w);
        c->kept[socket] = NULL;
    }
    return close(socket);
}

/* libcurl must not be entered from here. */
static int on_timeout_change(CURLM *multi, long delay_ms, void *arg) {
    (void)multi;
    struct curl_loop *c = arg;
    timer_stop(&c->timer);
    if (delay_ms == 0 && !c->in_flush)
        loop_flush_add(c->loop, &c->at_once);
    else if (delay_ms >= 0)
        timer_start(&c->timer, delay_ms);
    return 0;
}

struct curl_loop *curl_loop_new(struct loop *l) {
    ENSURE(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); /* counted by libcurl */
    struct curl_loop *c = mem_alloc(sizeof *c);
    c->loop = l;
    timer_init(&c->timer, l, on_timer);
    c->at_once = (struct loop_flush){.fn = on_flush, .arg = c};
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
    loop_flush_remove(c->loop, &c->at_once);
    free(c->kept);
    curl_global_cleanup();
    free(c);
}

CURLM *curl_loop_multi(struct curl_loop *c) { return c->multi; }

void curl_loop_add(struct curl_loop *c, struct curl_transfer *t) {
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(t->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    curl_easy_setopt(t->easy, CURLOPT_CLOSESOCKETDATA, c);
    ENSURE(curl_multi_add_handle(c->multi, t->easy) == CURLM_OK);
}

void curl_loop_remove(struct curl_loop *c, struct curl_transfer *t) {
    ENSURE(curl_multi_remove_handle(c->multi, t->easy) == CURLM_OK);
}
