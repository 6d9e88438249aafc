/* own_server.c — see own_server.h. */
#include "cli/own_server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/progress.h"

#define SAID_MAX ((size_t)64 * 1024)
#define LOOK_MS 200

/* In the child; only what is safe after fork. */
static void execute(const char *data, const char *workspace, int out, int log, pid_t parent) {
    const char *const argv[] = {"flowlet",   "serve",       "--data",      data,      "--listen",   "127.0.0.1:0",
                                "--console", "127.0.0.1:0", "--workspace", workspace, "--practice", NULL};
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent || dup2(out, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        _exit(4);
    execv("/proc/self/exe", (char *const *)(uintptr_t)argv);
    _exit(4);
}

static bool launch(struct own_server *s, const char *workspace, int *out, struct error *err) {
    char log[300];
    int ends[2];
    snprintf(log, sizeof log, "%s/log", s->dir);
    int fd = open(log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || pipe2(ends, O_CLOEXEC) != 0)
        return error_errno(err, log);
    pid_t parent = getpid();
    s->pid = fork();
    if (s->pid == 0)
        execute(s->data, workspace, ends[1], fd, parent);
    close(fd);
    close(ends[1]);
    *out = ends[0];
    return s->pid > 0 || error_errno(err, "fork");
}

/* Until there is something to read, or its end. */
static bool wait_for(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n;
    while ((n = poll(&p, 1, LOOK_MS)) == 0 || (n < 0 && errno == EINTR))
        progress_show("starting a server for the tests", 0, 0);
    return n > 0;
}

/* "ready listen=URL console=URL" comes when it answers; else it ends. */
static bool wait_ready(struct own_server *s, int out, struct arena *arena) {
    struct buf said;
    char part[1024];
    ssize_t n;
    buf_init(&said, SAID_MAX);
    progress_begin();
    while (!memchr(said.ptr, '\n', said.len) && wait_for(out) && (n = read(out, part, sizeof part)) > 0)
        buf_add(&said, str_of(part, (size_t)n));
    progress_end();
    struct str rest = buf_str(&said), line, word;
    str_cut(&rest, '\n', &line);
    while (str_starts(buf_str(&said), STR("ready ")) && str_cut(&line, ' ', &word))
        if (str_starts(word, STR("console=")))
            s->console = arena_strdup(arena, str_of(word.ptr + 8, word.len - 8));
    buf_release(&said);
    return s->console;
}

static bool tell_log(const struct own_server *s, struct error *err) {
    char path[300];
    struct buf text;
    struct error ignored;
    snprintf(path, sizeof path, "%s/log", s->dir);
    buf_init(&text, SAID_MAX);
    if (!file_read(path, &text, &ignored))
        buf_adds(&text, "it says nothing");
    fprintf(stderr, STR_FMT "\n", STR_ARG(str_trim(buf_str(&text))));
    error_set(err, ERR_INVALID, "the server for the tests did not start: mend what is told above");
    buf_release(&text);
    return false;
}

bool own_server_start(struct own_server *s, const char *workspace, struct arena *arena, struct error *err) {
    int out;
    const char *temporary = getenv("TMPDIR");
    *s = (struct own_server){.pid = 0};
    snprintf(s->dir, sizeof s->dir, "%s/flowlet-test-XXXXXX", temporary && strlen(temporary) < 200 ? temporary : "/tmp");
    if (!mkdtemp(s->dir)) {
        error_errno(err, s->dir);
        s->dir[0] = 0;
        return false;
    }
    s->data = arena_printf(arena, "%s/data", s->dir);
    if (!launch(s, workspace, &out, err))
        return false;
    bool ready = wait_ready(s, out, arena);
    close(out);
    return ready || tell_log(s, err);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at) {
    (void)st, (void)kind, (void)at;
    remove(path);
    return 0;
}

void own_server_stop(struct own_server *s) {
    if (s->pid > 0) {
        kill(s->pid, SIGTERM);
        while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    if (s->dir[0])
        nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    *s = (struct own_server){.pid = 0};
}
