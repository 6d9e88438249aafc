/* libcurl on the loop, against a listener of the test's own. */
#include <criterion/criterion.h>
#include <netinet/in.h>

#include "net/curl_loop.h"

static struct loop *l;
static struct curl_loop *c;
static struct curl_transfer transfers[20];
static int finished;
static uv_tcp_t listener;
static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";

static void on_closed(uv_handle_t *h) { free(h); }
static void on_written(uv_write_t *w, int status) {
    (void)status;
    uv_close((uv_handle_t *)w->handle, on_closed);
    free(w);
}
static void on_room(uv_handle_t *h, size_t size, uv_buf_t *b) {
    static char room[4096];
    (void)h, (void)size;
    *b = uv_buf_init(room, sizeof room);
}
static void on_request(uv_stream_t *peer, ssize_t n, const uv_buf_t *b) {
    (void)b;
    uv_read_stop(peer);
    if (n < 0) {
        uv_close((uv_handle_t *)peer, on_closed);
        return;
    }
    uv_buf_t out = uv_buf_init((char *)(uintptr_t)answer, sizeof answer - 1);
    uv_write(mem_alloc(sizeof(uv_write_t)), peer, &out, 1, on_written);
}
static void on_connection(uv_stream_t *s, int status) {
    cr_assert_eq(status, 0);
    uv_tcp_t *peer = mem_alloc(sizeof *peer);
    uv_tcp_init(loop_uv(l), peer);
    cr_assert_eq(uv_accept(s, (uv_stream_t *)peer), 0);
    uv_read_start((uv_stream_t *)peer, on_room, on_request);
}

static size_t swallow(char *p, size_t size, size_t n, void *arg) {
    (void)p, (void)arg;
    return size * n;
}

static void on_done(struct curl_transfer *t, CURLcode code) {
    cr_expect_eq(code, CURLE_OK, "%s", curl_easy_strerror(code));
    curl_loop_remove(c, t);
    curl_easy_cleanup(t->easy);
    t->easy = NULL;
    if (++finished == 10)
        loop_stop(l);
}

Test(curl_loop, transfers_finish_later_and_removed_ones_stay_silent) {
    l = loop_new();
    c = curl_loop_new(l);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int len = sizeof at;
    uv_tcp_init(loop_uv(l), &listener);
    cr_assert_eq(uv_tcp_bind(&listener, (struct sockaddr *)&at, 0), 0);
    cr_assert_eq(uv_listen((uv_stream_t *)&listener, 64, on_connection), 0);
    uv_tcp_getsockname(&listener, (struct sockaddr *)&at, &len);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(at.sin_port));
    for (size_t i = 0; i < ARRAY_LEN(transfers); i++) {
        transfers[i] = (struct curl_transfer){.easy = curl_easy_init(), .done = on_done};
        curl_easy_setopt(transfers[i].easy, CURLOPT_URL, url);
        curl_easy_setopt(transfers[i].easy, CURLOPT_PROXY, "");
        curl_easy_setopt(transfers[i].easy, CURLOPT_WRITEFUNCTION, swallow);
        curl_loop_add(c, &transfers[i]);
    }
    cr_assert_eq(finished, 0, "nothing is called from inside curl_loop_add");
    for (size_t i = 0; i < ARRAY_LEN(transfers); i += 2) {
        curl_loop_remove(c, &transfers[i]);
        curl_easy_cleanup(transfers[i].easy);
    }
    loop_run(l);
    cr_assert_eq(finished, 10);
    uv_close((uv_handle_t *)&listener, NULL);
    curl_loop_free(c);
    loop_free(l);
}
