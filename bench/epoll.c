/* epoll.c — the limit to close in on: reads a request, finds its name, answers; one thread, nothing checked.
 *
 *     epoll PORT */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_on(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) || bind(s, (struct sockaddr *)&to, sizeof to) ||
        listen(s, 128))
        err(1, "port %d", port);
    return s;
}

static void watch(int epoll, int fd) {
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd}))
        err(1, "epoll_ctl");
}

/* A request comes in one piece here. */
static void answer(int fd) {
    char in[4096], body[200], out[512];
    ssize_t n = read(fd, in, sizeof in - 1);
    if (n <= 0) {
        close(fd);
        return;
    }
    in[n] = 0;
    const char *name = strstr(in, "name=");
    name = name ? name + 5 : "";
    int length = snprintf(body, sizeof body, "{\"message\":\"Hello %.*s\"}", (int)strcspn(name, " &\r\n"), name);
    n = snprintf(out, sizeof out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", length, body);
    if (write(fd, out, (size_t)n) != n)
        close(fd);
}

int main(int argc, char **argv) {
    int listener = listen_on(argc > 1 ? atoi(argv[1]) : 0), epoll = epoll_create1(0), one = 1;
    struct epoll_event ready[64];
    watch(epoll, listener);
    for (;;)
        for (int i = 0, n = epoll_wait(epoll, ready, 64, -1); i < n; i++) {
            if (ready[i].data.fd != listener) {
                answer(ready[i].data.fd);
                continue;
            }
            int fd = accept(listener, NULL, NULL);
            if (fd >= 0) {
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                watch(epoll, fd);
            }
        }
}
