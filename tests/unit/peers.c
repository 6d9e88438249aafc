/* peers.c — see peers.h. */
#include "peers.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int listen_somewhere(uint16_t *port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof sa;
    cr_assert(bind(fd, (struct sockaddr *)&sa, size) == 0 && listen(fd, 16) == 0 &&
              getsockname(fd, (struct sockaddr *)&sa, &size) == 0);
    *port = ntohs(sa.sin_port);
    return fd;
}

static void wait_for(uint16_t port) {
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    for (int i = 0; i < 500; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int r = connect(fd, (struct sockaddr *)&sa, sizeof sa);
        close(fd);
        if (r == 0)
            return;
        usleep(10000);
    }
    cr_assert_fail("nginx did not start");
}

static const char certificates[] =
    "exec >log 2>&1; set -e; EC='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
    "authority() { openssl req -x509 $EC -keyout $1.key -out $1.pem -days 9 -subj \"/CN=$1\"; }\n"
    "request() { openssl req $EC -keyout $1.key -out $1.csr -subj '/O=Flowlet/CN=good.test'; }\n"
    "leaf() { request $1; openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days 9 -extfile san -out "
    "$1.pem; }\n"
    "echo 'subjectAltName=DNS:good.test,DNS:*.wild.test,IP:127.0.0.1' >san; touch index\n"
    "printf '[ca]\\ndefault_ca=a\\n[a]\\ndatabase=index\\nnew_certs_dir=.\\nrand_serial=yes\\ndefault_md=sha256\\npolicy=p\\n"
    "[p]\\ncommonName=supplied\\n' >ca.conf\n"
    "authority ca; authority stranger; leaf good ca; leaf unknown stranger; request expired\n"
    "openssl ca -batch -config ca.conf -cert ca.pem -keyfile ca.key -in expired.csr -out expired.pem -extfile san"
    " -startdate 20200101000000Z -enddate 20200201000000Z -notext\n";

static const char configuration[] =
    "daemon off; master_process off; worker_processes 1; pid %1$s/pid; error_log %1$s/error.log;\n"
    "events { worker_connections 64; }\n"
    "http { access_log off; client_body_temp_path %1$s/body; proxy_temp_path %1$s/proxy; fastcgi_temp_path %1$s/f;\n"
    "  uwsgi_temp_path %1$s/u; scgi_temp_path %1$s/s; default_type text/plain; absolute_redirect off; ssl_protocols TLSv1.2 "
    "TLSv1.3;\n"
    "  server { listen 127.0.0.1:%2$u; listen 127.0.0.2:%2$u; include %1$s/where; }\n"
    "  server { listen 127.0.0.1:%3$u ssl http2; ssl_certificate %1$s/good.pem; ssl_certificate_key %1$s/good.key; include "
    "%1$s/where; }\n"
    "  server { listen 127.0.0.1:%6$u ssl; ssl_certificate %1$s/good.pem; ssl_certificate_key %1$s/good.key; include "
    "%1$s/where; }\n"
    "  server { listen 127.0.0.1:%4$u ssl; ssl_certificate %1$s/expired.pem; ssl_certificate_key %1$s/expired.key; include "
    "%1$s/where; }\n"
    "  server { listen 127.0.0.1:%5$u ssl; ssl_certificate %1$s/unknown.pem; ssl_certificate_key %1$s/unknown.key; include "
    "%1$s/where; }\n"
    "}\n";

static const char places[] = "location = /see { add_header X-Twice one; add_header X-Twice two;\n"
                             "  return 200 "
                             "\"$request_method|$http_host|$http_authorization|$http_cookie|$http_x_test|$content_type|$content_"
                             "length|$server_protocol|$http_user_agent\"; }\n"
                             "location = /missing { return 404 gone; }\n"
                             "location = /nothing { return 204; }\n"
                             "location = /here { return 302 /see; }\n"
                             "location = /keep { return 307 /see; }\n"
                             "location = /other { return 303 https://other.test:%2$u/see; }\n"
                             "location = /inside { return 302 http://127.0.0.2:%1$u/see; }\n"
                             "location = /file { return 301 file:///etc/passwd; }\n"
                             "location = /round { return 302 /round; }\n";

static void write_file(const char *dir, const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

void peers_start(struct peers *p) {
    char text[4096], conf[96];
    uint16_t *const ports[] = {&p->http, &p->tls, &p->expired, &p->unknown, &p->closed, &p->old};
    int fds[6];
    snprintf(p->dir, sizeof p->dir, "/tmp/flowlet-peers-XXXXXX");
    cr_assert(mkdtemp(p->dir));
    snprintf(p->ca, sizeof p->ca, "%s/ca.pem", p->dir);
    pid_t maker = fork();
    if (maker == 0) {
        if (chdir(p->dir) == 0)
            execlp("bash", "bash", "-c", certificates, (char *)NULL);
        _exit(127);
    }
    int status;
    cr_assert(waitpid(maker, &status, 0) == maker && status == 0, "openssl could not make certificates");
    for (int i = 0; i < 6; i++)
        fds[i] = listen_somewhere(ports[i]);
    for (int i = 0; i < 6; i++)
        close(fds[i]);
    snprintf(text, sizeof text, configuration, p->dir, p->http, p->tls, p->expired, p->unknown, p->old);
    write_file(p->dir, "conf", text);
    snprintf(text, sizeof text, places, p->http, p->tls);
    write_file(p->dir, "where", text);
    snprintf(conf, sizeof conf, "%s/conf", p->dir);
    p->nginx = fork();
    if (p->nginx == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp("nginx", "nginx", "-c", conf, "-p", p->dir, "-e", "stderr", (char *)NULL);
        _exit(127);
    }
    wait_for(p->http);
}

void peers_stop(struct peers *p) {
    char command[128];
    kill(p->nginx, SIGKILL);
    waitpid(p->nginx, NULL, 0);
    snprintf(command, sizeof command, "rm -r %s", p->dir);
    cr_expect_eq(system(command), 0);
}

static void *speak(void *arg) {
    struct speaker *s = arg;
    char head[65536];
    int fd = -1;
    for (const char *const *say = s->says; *say; say++) {
        size_t n = 0;
        if (fd < 0)
            fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
        head[0] = 0;
        while (!strstr(head, "\r\n\r\n") && n < sizeof head - 1) {
            ssize_t r = recv(fd, head + n, sizeof head - 1 - n, 0);
            if (r <= 0)
                break;
            head[n += (size_t)r] = 0;
        }
        if (n)
            __atomic_add_fetch(&s->heads, 1, __ATOMIC_SEQ_CST);
        const char *text = **say == '~' ? *say + 1 : *say;
        if (strcmp(text, "-") == 0)
            pause();
        (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
        if (**say == '~')
            continue;
        close(fd);
        fd = -1;
    }
    pause();
    return NULL;
}

void speaker_start(struct speaker *s, const char *const *says) {
    pthread_t t;
    s->says = says;
    s->fd = listen_somewhere(&s->port);
    pthread_create(&t, NULL, speak, s);
    pthread_detach(t);
}
