/* HTTP requests of any bytes, over a real connection: what reaches the handler stands in the input exactly as it is
 * handed over, line by line, so nothing was joined, cut or guessed on the way. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/httpd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loop *l;
static struct httpd *h;
static struct str input;

/* Of what libmicrohttpd 0.9.75 has overwritten with NULs one can't tell which of these it was: CRLF, or a NUL or a
 * colon that passes for half of it. No harm is in that; a line's end it is. */
static bool is_line_end(size_t at) {
    return at + 2 <= input.len && memchr("\r\n", input.ptr[at], 3) && memchr("\r\n:", input.ptr[at + 1], 4);
}

/* "NAME: VALUE" as a line of its own. */
static bool has_line(const struct httpd_field *f) {
    for (size_t at = 2; at + f->name.len < input.len; at++) {
        struct str rest = str_of(input.ptr + at, input.len - at);
        if (!is_line_end(at - 2) || !str_starts(rest, f->name) || rest.ptr[f->name.len] != ':')
            continue;
        size_t value = at + f->name.len + 1;
        while (value < input.len && (input.ptr[value] == ' ' || input.ptr[value] == '\t'))
            value++;
        if (str_starts(str_of(input.ptr + value, input.len - value), f->value) && is_line_end(value + f->value.len))
            return true;
    }
    return false;
}

static void on_head(void *arg, struct httpd_request *rq) {
    (void)arg;
    size_t n, hosts = 0, lengths = 0;
    const struct httpd_field *f = httpd_headers(rq, &n);
    for (size_t i = 0; i < n; i++) {
        ENSURE(has_line(&f[i]));
        hosts += str_eq_nocase(f[i].name, STR("host"));
        lengths += str_eq_nocase(f[i].name, STR("content-length")) || str_eq_nocase(f[i].name, STR("transfer-encoding"));
    }
    ENSURE(hosts <= 1 && lengths <= 1);
    ENSURE(str_find(input, httpd_path(rq)) != SIZE_MAX && str_find(input, httpd_query(rq)) != SIZE_MAX);
}

static void on_request(void *arg, struct httpd_request *rq) {
    (void)arg;
    struct httpd_field type = {STR("Content-Type"), httpd_header(rq, "content-type")};
    httpd_answer(rq, 200, &type, 1, httpd_body(rq));
}

static void start(void) {
    struct error err;
    struct httpd_options o = {.address = "127.0.0.1",
                              .max_connections = 100,
                              .header_max = 16384,
                              .body_max = 1000,
                              .bodies_max = 100000,
                              .timeout_s = 1,
                              .idle_s = 1};
    struct httpd_handler handler = {on_head, on_request, NULL};
    l = loop_new();
    h = httpd_open(l, &o, &handler, NULL, &err);
    ENSURE(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!l)
        start();
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(httpd_port(h)), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct linger at_once = {.l_onoff = 1};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (int tries = 0; connect(fd, (struct sockaddr *)&sa, sizeof sa); tries++) { /* at times all ports were just in use */
        ENSURE(tries < 100);
        uv_run(loop_uv(l), UV_RUN_NOWAIT);
        usleep(1000);
    }
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    input = str_of(data, size);
    (void)!send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    for (int i = 0; i < 4; i++)
        uv_run(loop_uv(l), UV_RUN_NOWAIT);
    close(fd);
    for (int i = 0; i < 100 && httpd_connections(h); i++)
        uv_run(loop_uv(l), UV_RUN_NOWAIT);
    return 0;
}
