/* Each rule of the sandbox by force, from inside a real worker. Each attempt has a worker of its own, as most are its last act;
 * then all of them again without the filter of system calls, so that the other layers have to hold. */
#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "js/frame.h"
#include "js/spawn.h"
#include "main.h"
#include "worker/seal.h"

static char ready[8192]; /* what the last worker said of its layers */
static long parent;      /* the pid of the server, as it sees it */

static long try_open_raw(void) { return syscall(SYS_open, "/etc/passwd", O_RDONLY); }
static long try_open(void) { return open("/etc/passwd", O_RDONLY); }
static long try_open_root(void) { return open("/", O_RDONLY | O_DIRECTORY); }
static long try_open_up(void) { return open("../../../../../../etc/passwd", O_RDONLY); }
static long try_create(void) { return open("/x", O_CREAT | O_WRONLY, 0600); }
static long try_create_tmp(void) { return open("/tmp/flowlet-seal-test", O_CREAT | O_WRONLY, 0600); }
static long try_memory(void) { return open("/proc/self/mem", O_RDWR); }
static long try_proc(void) { return open("/proc/1/environ", O_RDONLY); }
static long try_write_urandom(void) { return open("/dev/urandom", O_WRONLY); }
static long try_connect(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(0x7f000001)};
    int s = socket(AF_INET, SOCK_STREAM, 0);
    long r = s < 0 ? -1 : connect(s, (struct sockaddr *)&a, sizeof a);
    return r < 0 && errno == ECONNREFUSED ? 0 : r; /* refused by the peer: then the sandbox let it through */
}
static long try_bind(void) {
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/tmp/flowlet-seal-socket"};
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    return s < 0 ? -1 : bind(s, (struct sockaddr *)&a, sizeof a);
}
static long try_kill_parent(void) { return kill((pid_t)parent, 0); }
static long try_kill_all(void) { return kill(-1, 0); }
static long try_fork(void) { return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }
static long try_vfork(void) { return syscall(SYS_clone, CLONE_VM | SIGCHLD, 0, 0, 0, 0) > 0; }
static long try_clone3(void) {
    uint64_t args[11] = {0};
    args[4] = SIGCHLD;
    return syscall(SYS_clone3, args, sizeof args);
}
static long try_exec(void) {
    char *argv[] = {(char *)"x", NULL};
    return execve("/proc/self/exe", argv, argv);
}
static long try_exec_shell(void) {
    char *argv[] = {(char *)"sh", NULL};
    return execve("/bin/sh", argv, argv + 1);
}
static long try_unshare(void) { return unshare(CLONE_NEWNS); }
static long try_unshare_user(void) { return unshare(CLONE_NEWUSER | CLONE_NEWNET); }
static long try_setns(void) { return setns(0, 0); }
static long try_mount(void) { return mount("none", "/dev", "tmpfs", 0, NULL); }
static long try_umount(void) { return umount2("/dev/urandom", MNT_DETACH); }
static long try_chroot(void) { return chroot("/"); }
static long try_mmap(void) {
    return (long)mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
static long try_mprotect(void) {
    void *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(m, 4096, PROT_READ | PROT_EXEC);
}
static long try_setuid(void) { return setuid(0) == 0 ? setuid(12345) : -1; }
static long try_ptrace(void) { return ptrace(PTRACE_ATTACH, (pid_t)parent, NULL, NULL); }
static long try_read_parent(void) {
    char byte;
    struct iovec here = {&byte, 1}, there = {&byte, 1};
    return process_vm_readv((pid_t)parent, &here, 1, &there, 1, 0);
}
static long try_pidfd(void) { return syscall(SYS_pidfd_open, parent, 0); }
static long try_io_uring(void) {
    struct io_uring_params p = {0};
    return syscall(SYS_io_uring_setup, 8, &p);
}
static long try_bpf(void) {
    union bpf_attr a = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    return syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof a);
}
static long try_perf(void) {
    char attr[128] = {0};
    return syscall(SYS_perf_event_open, attr, 0, -1, -1, 0);
}
static long try_memfd(void) { return memfd_create("x", 0); }
static long try_keyctl(void) { return syscall(SYS_keyctl, 0, -3, 0); }
static long try_userfaultfd(void) { return syscall(SYS_userfaultfd, 0); }
static long try_shm(void) { return syscall(SYS_shmget, 0, 4096, 01600); }
static long try_prctl(void) { return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); }
static long try_raise_limit(void) { return setrlimit(RLIMIT_NOFILE, &(struct rlimit){1000, 1000}); }
static long try_sethostname(void) { return sethostname("x", 1); }
static long try_settime(void) { return clock_settime(CLOCK_REALTIME, &(struct timespec){1, 0}); }
static long try_sendmsg(void) {
    struct msghdr m = {0};
    return sendmsg(LINK_SOCKET, &m, 0);
}
static long try_ioctl(void) { return syscall(SYS_ioctl, LINK_SOCKET, 0x5412 /* TIOCSTI */, ""); }
#ifdef __x86_64__
static long try_32_bit(void) {
    long r;
    __asm__ volatile("int $0x80" : "=a"(r) : "a"(20L /* getpid */) : "memory", "r8", "r9", "r10", "r11");
    return r;
}
static long try_x32(void) { return syscall(0x40000000 | SYS_getppid); }
#endif

static const struct attempt {
    const char *name;
    long (*fn)(void);
    enum {
        KILLED, /* by the filter; else it must fail */
        REFUSED,
        FILTERED, /* killed by the filter; without it it may work: no other layer covers it */
    } expected;
} attempts[] = {
    {"open by the old call", try_open_raw, KILLED},
    {"open /etc/passwd", try_open, REFUSED},
    {"open /", try_open_root, REFUSED},
    {"open ../../etc/passwd", try_open_up, REFUSED},
    {"create /x", try_create, REFUSED},
    {"create in /tmp", try_create_tmp, REFUSED},
    {"open /proc/self/mem", try_memory, REFUSED},
    {"open /proc/1/environ", try_proc, REFUSED},
    {"write urandom", try_write_urandom, REFUSED},
    {"connect to loopback", try_connect, KILLED},
    {"bind a socket file", try_bind, KILLED},
    {"signal the server", try_kill_parent, KILLED},
    {"signal everybody", try_kill_all, KILLED},
    {"fork", try_fork, FILTERED},
    {"fork with shared memory", try_vfork, FILTERED},
    {"clone3", try_clone3, FILTERED},
    {"execute itself", try_exec, KILLED},
    {"execute a shell", try_exec_shell, KILLED},
    {"unshare", try_unshare, KILLED},
    {"unshare a user namespace", try_unshare_user, FILTERED},
    {"setns", try_setns, KILLED},
    {"mount", try_mount, KILLED},
    {"unmount", try_umount, KILLED},
    {"chroot", try_chroot, KILLED},
    {"map executable memory", try_mmap, FILTERED},
    {"make memory executable", try_mprotect, FILTERED},
    {"setuid", try_setuid, KILLED},
    {"ptrace", try_ptrace, KILLED},
    {"read the server's memory", try_read_parent, KILLED},
    {"pidfd_open", try_pidfd, KILLED},
    {"io_uring_setup", try_io_uring, FILTERED},
    {"bpf", try_bpf, KILLED},
    {"perf_event_open", try_perf, FILTERED},
    {"memfd_create", try_memfd, FILTERED},
    {"keyctl", try_keyctl, FILTERED},
    {"userfaultfd", try_userfaultfd, FILTERED},
    {"shmget", try_shm, FILTERED},
    {"prctl", try_prctl, FILTERED},
    {"raise a limit", try_raise_limit, KILLED},
    {"sethostname", try_sethostname, KILLED},
    {"set the clock", try_settime, KILLED},
    {"pass a descriptor", try_sendmsg, FILTERED},
    {"push input to a terminal", try_ioctl, KILLED},
#ifdef __x86_64__
    {"a 32-bit call", try_32_bit, FILTERED},
    {"an x32 call", try_x32, KILLED},
#endif
};

/* In the worker: "NUMBER PARENT" comes, the attempt is made, what it gave goes back. */
static void serve(void) {
    char text[64] = {0}, answer[64];
    if (read(LINK_SOCKET, text, sizeof text - 1) <= 0)
        _exit(1);
    char *rest;
    unsigned long i = strtoul(text, &rest, 10);
    parent = strtol(rest, NULL, 10);
    errno = 0;
    long r = attempts[i].fn();
    int n = snprintf(answer, sizeof answer, "%ld %d", r, errno);
    (void)!write(LINK_SOCKET, answer, (size_t)n + 1);
    _exit(0);
}

static struct str empty_bundle(void) { return STR("(function () { return {frame() {}}; })"); }
const struct test_worker *test_seal_worker(void) {
    static struct test_worker worker = {.name = "test-seal-worker", .parts.serve = serve};
    worker.parts.runtime = worker.parts.toolbox = empty_bundle();
    return &worker;
}
const struct test_worker *test_unfiltered_worker(void) {
    static struct test_worker worker = {.name = "test-unfiltered-worker", .parts = {.serve = serve, .unfiltered = true}};
    worker.parts.runtime = worker.parts.toolbox = empty_bundle();
    return &worker;
}

static size_t read_some(int socket, char *out, size_t size) {
    struct pollfd p = {.fd = socket, .events = POLLIN};
    ssize_t n = poll(&p, 1, 20000) == 1 ? read(socket, out, size) : -1;
    return n > 0 ? (size_t)n : 0;
}

/* False: it was killed. */
static bool attempt(const char *binary, size_t i, long *result, int *error, int *status) {
    struct spawned w;
    struct error err;
    char text[64] = {0};
    struct spawn_options options = {.binary = binary, .memory_mb = 64, .cpu_ms = 1000};
    cr_assert(spawn_worker(&options, &w, &err), "%s", err.text);
    size_t said = read_some(w.socket, ready, sizeof ready - 1);
    cr_assert(said, "%s: no READY", attempts[i].name);
    memset(ready, ' ', FRAME_HEADER_SIZE + 4); /* leaves the JSON */
    ready[said] = 0;
    int n = snprintf(text, sizeof text, "%zu %d", i, getpid());
    cr_assert_eq(write(w.socket, text, (size_t)n + 1), n + 1);
    bool answered = read_some(w.socket, text, sizeof text - 1) > 0;
    *status = spawn_reap(&w);
    spawned_release(&w);
    char *rest;
    *result = strtol(text, &rest, 10);
    *error = (int)strtol(rest, NULL, 10);
    return answered;
}

Test(sandbox, every_attempt_is_the_last_or_fails, .timeout = 120) {
    char binary[200];
    test_worker_link(test_seal_worker(), binary, sizeof binary);
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
        long result;
        int error, status;
        bool lives = attempt(binary, i, &result, &error, &status);
        if (lives)
            cr_expect(result < 0, "%s worked: %ld", attempts[i].name, result);
        else
            cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%s ended it with status %x", attempts[i].name, status);
        if (!SEAL_SANITIZED && attempts[i].fn != try_clone3)
            cr_expect_eq(lives, attempts[i].expected == REFUSED, "%s: result %ld, error %d", attempts[i].name, result, error);
    }
    test_worker_unlink(binary);
}

Test(sandbox, without_the_filter_the_other_layers_hold, .timeout = 120) {
    char binary[200];
    test_worker_link(test_unfiltered_worker(), binary, sizeof binary);
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
        long result;
        int error, status;
        if (attempts[i].expected == FILTERED)
            continue;
        bool lives = attempt(binary, i, &result, &error, &status);
        if (strstr(ready, "namespace\",\"holds\":false") || strstr(ready, "empty root\",\"holds\":false"))
            cr_skip_test("this system allows no namespaces: the filter stands alone");
        cr_expect(!lives || result < 0, "%s worked: %ld", attempts[i].name, result);
    }
    test_worker_unlink(binary);
}
