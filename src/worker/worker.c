/* worker.c — see worker.h. */
#include "worker/worker.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/bundle.h"
#include "worker/engine.h"
#include "worker/meter.h"
#include "worker/seal.h"
#include "worker/watch.h"

#define OUT_MAX (64u << 20)
#define STACK_SIZE (8u << 20)
/* Frames that are ready wait at most this long for the others of their batch. */
#define FLUSH_US 1000
#define FLUSH_BYTES (256u << 10)
#define IDLE_MS 200
/* What the kernel lets the process add to its memory after the start, over the run's own limit: a backstop. */
#define DATA_GRACE (512ull << 20)

static struct engine_options options = {.cpu_ms = 10000, .memory_mb = 64};
static struct worker_parts parts;
static struct seal seal;

NORETURN static void fault(const char *text) {
    fprintf(stderr, "flowlet worker: %s\n", text);
    _exit(LINK_EXIT_FAULT);
}

static void write_all(struct buf *out) {
    for (size_t at = 0; at < out->len;) {
        ssize_t n = write(LINK_SOCKET, out->ptr + at, out->len - at);
        if (n < 0 && errno != EINTR)
            _exit(LINK_EXIT_CLOSED);
        at += n > 0 ? (size_t)n : 0;
    }
    buf_clear(out);
}

static void handle_frames(struct frame_reader *in, struct buf *out) {
    struct frame frame;
    struct error err;
    int got;
    int64_t since_us = 0; /* when the first frame that waits in out was made */
    while ((got = frame_reader_next(in, &frame, &err)) > 0) {
        enum link_exit fatal = engine_frame(&frame, out);
        if (fatal != LINK_EXIT_CLOSED) {
            write_all(out);
            _exit(fatal);
        }
        if (!out->len)
            continue;
        int64_t now_us = clock_monotonic_us();
        if (!since_us)
            since_us = now_us;
        if (now_us - since_us > FLUSH_US || out->len > FLUSH_BYTES) {
            write_all(out);
            since_us = 0;
        }
    }
    if (got < 0)
        _exit(LINK_EXIT_FAULT); /* the server speaks another language than this binary */
    if (out->len)
        write_all(out);
}

/* The socket has a receive time-out (set by the server), so that a read that finds nothing for a while lets the engine tidy
 * up; then it waits without one. */
NORETURN static void serve(void) {
    struct frame_reader in;
    struct buf out;
    frame_reader_init(&in, true);
    buf_init(&out, OUT_MAX);
    for (;;) {
        ssize_t n = frame_reader_read(&in, LINK_SOCKET);
        if (n > 0) {
            handle_frames(&in, &out);
        } else if (n < 0 && errno == EAGAIN) {
            engine_idle();
            poll(&(struct pollfd){.fd = LINK_SOCKET, .events = POLLIN}, 1, -1);
        } else if (n == 0 || errno != EINTR) {
            _exit(LINK_EXIT_CLOSED);
        }
    }
}

static void limit_data(void) {
    rlim_t max = meter_data() + ((rlim_t)options.memory_mb << 20) + DATA_GRACE;
    (void)setrlimit(RLIMIT_DATA, &(struct rlimit){max, max});
}

static void say_ready(void) {
    struct buf out, json;
    buf_init(&json, FRAME_PART_MAX);
    buf_init(&out, FRAME_PART_MAX * 2);
    seal_write(&seal, &json);
    struct frame_writer w = frame_begin(&out, FRAME_READY, 0);
    frame_section(&w, buf_str(&json));
    ENSURE(frame_end(&w));
    write_all(&out);
    buf_release(&out);
    buf_release(&json);
}

NORETURN static void *engine_thread(void *arg) {
    (void)arg;
    struct error err;
    if (!engine_open(&options, &err))
        fault(err.text);
    limit_data();
    if (!SEAL_SANITIZED)
        dup2(STDOUT_FILENO, STDERR_FILENO); /* /dev/null: nothing may be written to the server's log past its checks */
    errno = ENOSYS;
    if (parts.unfiltered)
        seal_note(&seal, "system calls", true, false, "seccomp");
    else
        seal_calls(&seal);
    say_ready();
    if (parts.serve)
        parts.serve();
    serve();
}

static bool parse(int argc, char **argv, unsigned *namespaces) {
    static const struct option known[] = {
        {"toolbox", no_argument, NULL, 't'},          {"checker", no_argument, NULL, 'k'},
        {"namespaces", required_argument, NULL, 'n'}, {"memory-mb", required_argument, NULL, 'm'},
        {"cpu-ms", required_argument, NULL, 'c'},     {NULL, 0, NULL, 0}};
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        int64_t number = 0;
        if (c == '?' || (c != 't' && c != 'k' && (!str_to_int64(str_from(optarg), &number) || number < 0 || number > UINT32_MAX)))
            return false;
        if (c == 't' || c == 'k')
            options.toolbox = true;
        if (c == 't')
            options.bundle = parts.toolbox;
        else if (c == 'k')
            options.bundle = parts.checker;
        else if (c == 'n')
            *namespaces = (unsigned)number;
        else if (c == 'm')
            options.memory_mb = (unsigned)number;
        else
            options.cpu_ms = (unsigned)number;
    }
    return true;
}

int worker_main(int argc, char **argv) {
    return worker_run(
        argc, argv,
        &(struct worker_parts){.runtime = bundle_runtime(), .toolbox = bundle_toolbox(), .checker = bundle_checker()});
}

int worker_run(int argc, char **argv, const struct worker_parts *given) {
    unsigned namespaces = 0;
    struct error err;
    pthread_t engine;
    pthread_attr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_IGN);
    parts = *given;
    options.bundle = parts.runtime;
    if (!parse(argc, argv, &namespaces))
        return LINK_EXIT_USAGE;
    options.page = mmap(NULL, sizeof *options.page, PROT_READ | PROT_WRITE, MAP_SHARED, LINK_PAGE, 0);
    if (options.page == MAP_FAILED) {
        fprintf(stderr, "flowlet worker: the server starts this by itself\n");
        return LINK_EXIT_USAGE;
    }
    close(LINK_PAGE);
    seal_descriptors(&seal);
    if (!meter_open(&err))
        fault(err.text);
    seal_process(&seal, namespaces);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    ENSURE(pthread_create(&engine, &attributes, engine_thread, NULL) == 0);
    watch_run();
}
