/* spawn.c — see spawn.h. */
#include "js/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE (64 * 1024)
#define FIRST_FREE 10 /* descriptors from here on do not stand in the way of those a worker gets */
#define IDLE_US 200000

/* Asked for together, then fewer. */
static const unsigned attempts[] = {
    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS,
    CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS,
    0,
};

struct child {
    const char *path;
    char **argv, **envp;
    int socket, page;
    unsigned namespaces;
    char uid_map[32], gid_map[32];
    int error; /* errno of what failed before the exec; the memory is shared */
};

__attribute__((no_sanitize("address", "undefined", "thread"))) static bool put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    size_t len = strlen(text);
    bool ok = fd >= 0 && write(fd, text, len) == (ssize_t)len;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* In the child, in the parent's memory, while the parent stands still: system calls and nothing else. */
__attribute__((no_sanitize("address", "undefined", "thread"))) static int child_main(void *arg) {
    struct child *c = arg;
    int null;
    bool ok = true;
    if (c->namespaces & CLONE_NEWUSER)
        ok =
            put("/proc/self/setgroups", "deny") && put("/proc/self/uid_map", c->uid_map) && put("/proc/self/gid_map", c->gid_map);
    ok = ok && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && setsid() >= 0 && (null = open("/dev/null", O_RDWR)) >= 0 &&
         dup2(null, 0) == 0 && dup2(null, 1) == 1 && dup2(c->socket, LINK_SOCKET) == LINK_SOCKET &&
         dup2(c->page, LINK_PAGE) == LINK_PAGE && close_range(LINK_PAGE + 1, ~0u, 0) == 0;
    if (ok)
        execve(c->path, c->argv, c->envp);
    c->error = errno;
    _exit(LINK_EXIT_FAULT);
}

/* The first attempt that works is where the next worker begins. */
static int clone_child(struct child *c, char *namespaces_arg, size_t size, int *pidfd) {
    static size_t attempt;
    static char stack[STACK_SIZE] __attribute__((aligned(16)));
    for (;; attempt++) {
        c->namespaces = attempts[attempt];
        c->error = 0;
        snprintf(namespaces_arg, size, "%u", c->namespaces);
        /* No exit signal: whoever else waits for children does not see it. */
        int pid = clone(child_main, stack + sizeof stack, (int)(CLONE_VM | CLONE_VFORK | CLONE_PIDFD | c->namespaces), c, pidfd);
        if (pid >= 0 && !c->error)
            return pid;
        if (pid >= 0) {
            waitpid(pid, NULL, __WALL);
            close(*pidfd);
            errno = c->error;
        }
        if (!c->namespaces)
            return -1;
    }
}

static int move_up(int fd) {
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE);
    int saved = errno;
    close(fd);
    errno = saved;
    return moved;
}

/* A memfd of one page that nobody can shrink: what the server has mapped stays there. */
static int page_new(struct link_page **page) {
    int fd = memfd_create("flowlet-link", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || (fd = move_up(fd)) < 0)
        return -1;
    *page = MAP_FAILED;
    if (ftruncate(fd, sizeof **page) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        *page = mmap(NULL, sizeof **page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (*page != MAP_FAILED)
        return fd;
    *page = NULL;
    close(fd);
    return -1;
}

static bool sockets(int *ours, int *theirs, struct error *err) {
    int pair[2];
    struct timeval idle = {.tv_usec = IDLE_US};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return error_errno(err, "socketpair");
    *ours = pair[0];
    *theirs = move_up(pair[1]);
    if (*theirs >= 0 && fcntl(*ours, F_SETFL, O_NONBLOCK) == 0 &&
        setsockopt(*theirs, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle) == 0)
        return true;
    error_errno(err, "socketpair");
    close(pair[0]);
    if (*theirs >= 0)
        close(*theirs);
    return false;
}

/* Everything that the engine reads from its environment; workers have no other. */
#define ENGINE_ENVIRONMENT                                                                                                       \
    (char *)"JSC_usePollingTraps=1", /* without it the time limit ends a warm loop tens of times too late */                     \
        (char *)"JSC_useWasm=0",                                                                                                 \
        (char *)"JSC_useConcurrentGC=0", /* its thread stops the engine's by a signal, which the filter forbids */               \
        (char *)"JSC_useTailCalls=0",    /* stack traces with all their frames */                                                \
        (char *)"LANG=en_US.UTF-8", (char *)"TZ=UTC",                                                                            \
        (char *)"ASAN_OPTIONS=detect_stack_use_after_return=0:detect_leaks=0:handle_segv=0:handle_abort=0:symbolize=0:"          \
                "allocator_may_return_null=1"
static char *const engine_environment[] = {ENGINE_ENVIRONMENT, NULL};
/* A job is over before what the optimizing compiler makes of it would pay: its threads take twice the time of the job. */
static char *const toolbox_environment[] = {ENGINE_ENVIRONMENT, (char *)"JSC_useDFGJIT=0", NULL};

bool spawn_worker(const struct spawn_options *options, struct spawned *out, struct error *err) {
    char namespaces[16], memory[16], cpu[16], statm[64];
    const char *argv[12] = {options->binary ? options->binary : "flowlet",
                            "worker",
                            "--namespaces",
                            namespaces,
                            "--memory-mb",
                            memory,
                            "--cpu-ms",
                            cpu,
                            options->toolbox   ? "--toolbox"
                            : options->checker ? "--checker"
                                               : NULL};
    struct child child = {
        .path = options->binary ? options->binary : "/proc/self/exe",
        .argv = (char **)(uintptr_t)argv,
        .envp = (char **)(uintptr_t)(options->toolbox || options->checker ? toolbox_environment : engine_environment),
        .socket = -1,
        .page = -1};
    struct spawned w = {.pidfd = -1, .socket = -1, .statm = -1};
    sigset_t all, before;
    snprintf(memory, sizeof memory, "%u", options->memory_mb);
    snprintf(cpu, sizeof cpu, "%u", options->cpu_ms);
    snprintf(child.uid_map, sizeof child.uid_map, "0 %u 1", geteuid());
    snprintf(child.gid_map, sizeof child.gid_map, "0 %u 1", getegid());
    if (!sockets(&w.socket, &child.socket, err))
        return false;
    bool ok = (child.page = page_new(&w.page)) >= 0;
    if (!ok)
        error_errno(err, "memfd_create");
    if (ok) {
        /* The child has the parent's handlers until it is executed: none may run. The worker unblocks them. */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        w.pid = clone_child(&child, namespaces, sizeof namespaces, &w.pidfd);
        int saved = errno;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        errno = saved;
        ok = w.pid > 0 || error_errno(err, "starting a worker");
    }
    close(child.socket);
    if (child.page >= 0)
        close(child.page);
    if (!ok) {
        spawned_release(&w);
        return false;
    }
    snprintf(statm, sizeof statm, "/proc/%d/statm", w.pid);
    w.statm = open(statm, O_RDONLY | O_CLOEXEC);
    *out = w;
    return true;
}

int spawn_reap(struct spawned *w) {
    int status = 0;
    while (waitpid(w->pid, &status, __WALL) < 0 && errno == EINTR)
        continue;
    return status;
}

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void spawned_release(struct spawned *w) {
    close_fd(&w->pidfd);
    close_fd(&w->socket);
    close_fd(&w->statm);
    if (w->page)
        munmap(w->page, sizeof *w->page);
    w->page = NULL;
}

size_t spawned_rss(const struct spawned *w) {
    char text[128], *at;
    ssize_t n = w->statm < 0 ? 0 : pread(w->statm, text, sizeof text - 1, 0);
    if (n <= 0)
        return 0;
    text[n] = 0;
    strtoull(text, &at, 10);
    return (size_t)strtoull(at, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

int64_t spawned_cpu_us(const struct spawned *w) {
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(w->pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
