/* seal.c — see seal.h. The order matters: what needs privileges comes before they are dropped, and Landlock binds
 * only this thread and those made after it. */
#include "worker/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "js/link.h"

#define NOBODY 65534
#define CAPABILITIES 64 /* more than there are */

void seal_note(struct seal *s, const char *name, bool must, bool ok, const char *what) {
    ENSURE(s->count < SEAL_LAYERS_MAX);
    struct seal_layer *layer = &s->layers[s->count++];
    *layer = (struct seal_layer){.name = name, .must = must, .holds = ok};
    if (!ok)
        snprintf(layer->why, sizeof layer->why, "%s: %s", what, strerror(errno));
}

void seal_descriptors(struct seal *s) {
    seal_note(s, "closed descriptors", true, close_range(LINK_PAGE + 1, ~0u, 0) == 0, "close_range");
}

static bool limit_resources(void) {
    static const struct {
        __rlimit_resource_t what;
        rlim_t max;
    } limits[] = {{RLIMIT_CORE, 0}, {RLIMIT_NOFILE, 16}, {RLIMIT_MEMLOCK, 0}, {RLIMIT_MSGQUEUE, 0}};
    for (size_t i = 0; i < ARRAY_LEN(limits); i++)
        if (setrlimit(limits[i].what, &(struct rlimit){limits[i].max, limits[i].max}) < 0)
            return false;
    return true;
}

/* A new root that holds /dev/urandom, which the engine reads, and nothing else. */
static bool empty_root(void) {
    static const char root[] = "/tmp";
    int fd;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", root, "tmpfs", MS_NOSUID | MS_NOEXEC, "size=64k,mode=0755") == 0 && chdir(root) == 0 &&
           mkdir("dev", 0755) == 0 && (fd = open("dev/urandom", O_CREAT | O_CLOEXEC | O_WRONLY, 0444)) >= 0 && close(fd) == 0 &&
           mount("/dev/urandom", "dev/urandom", NULL, MS_BIND, NULL) == 0 && syscall(SYS_pivot_root, ".", ".") == 0 &&
           umount2(".", MNT_DETACH) == 0 && chdir("/") == 0 &&
           mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC, NULL) == 0;
}

/* Root of the machine becomes nobody. In a user namespace root is nobody already. */
static bool ordinary_user(unsigned namespaces) {
    return namespaces & CLONE_NEWUSER || geteuid() != 0 ||
           (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

static bool drop_capabilities(void) {
    for (unsigned long c = 0; c < CAPABILITIES; c++)
        prctl(PR_CAPBSET_DROP, c, 0, 0, 0); /* an ordinary user may not, and then has none */
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}, {0}};
    return syscall(SYS_capset, &header, none) == 0;
}

/* The server may have died before this was set: then the socket's other end is closed. */
static bool die_with_parent(void) {
    struct pollfd socket = {.fd = LINK_SOCKET};
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return false;
    if (poll(&socket, 1, 0) == 1 && socket.revents & POLLHUP)
        _exit(LINK_EXIT_CLOSED);
    return true;
}

/* <linux/landlock.h> as of version 6; older kernels take the first fields only. */
struct landlock_ruleset {
    uint64_t fs, net, scoped;
};
struct landlock_path {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));
#define LANDLOCK_READ_FILE (1u << 2)

/* Everything that this kernel's version can refuse is refused, but reading urandom. */
static bool landlock(void) {
    static const uint64_t fs[] = {0, 0x1FFF, 0x3FFF, 0x7FFF, 0x7FFF, 0xFFFF};
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    if (version < 1)
        return false;
    struct landlock_ruleset rules = {
        .fs = fs[version < 5 ? version : 5], .net = version >= 4 ? 3 : 0, .scoped = version >= 6 ? 3 : 0};
    size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    int set = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    struct landlock_path urandom = {.allowed = LANDLOCK_READ_FILE, .parent = open("/dev/urandom", O_PATH | O_CLOEXEC)};
    bool ok = set >= 0 && urandom.parent >= 0 && syscall(SYS_landlock_add_rule, set, 1, &urandom, 0) == 0 &&
              syscall(SYS_landlock_restrict_self, set, 0) == 0;
    int saved = errno;
    close(urandom.parent);
    close(set);
    errno = saved;
    return ok;
}

static void note_namespaces(struct seal *s, unsigned have) {
    static const struct {
        unsigned flag;
        const char *name;
    } spaces[] = {{CLONE_NEWUSER, "user namespace"}, {CLONE_NEWPID, "process namespace"}, {CLONE_NEWNET, "network namespace"}};
    errno = EPERM;
    for (size_t i = 0; i < ARRAY_LEN(spaces); i++)
        seal_note(s, spaces[i].name, false, have & spaces[i].flag, "clone");
}

void seal_process(struct seal *s, unsigned namespaces) {
    seal_note(s, "resource limits", false, limit_resources(), "setrlimit");
    note_namespaces(s, namespaces);
    errno = EPERM;
    seal_note(s, "empty root", false, namespaces & CLONE_NEWNS && empty_root(), "pivot_root");
    seal_note(s, "ordinary user", false, ordinary_user(namespaces), "setresuid");
    seal_note(s, "no capabilities", false, drop_capabilities(), "capset");
    seal_note(s, "not dumpable", true, prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "prctl");
    seal_note(s, "parent death signal", true, die_with_parent(), "prctl");
    seal_note(s, "no new privileges", true, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "prctl");
    seal_note(s, "landlock", false, landlock(), "landlock");
}

void seal_write(const struct seal *s, struct buf *out) {
    buf_adds(out, "{\"layers\":[");
    for (size_t i = 0; i < s->count; i++) {
        const struct seal_layer *layer = &s->layers[i];
        buf_addf(out, "%s{\"name\":\"%s\",\"holds\":%s,\"must\":%s", i ? "," : "", layer->name, layer->holds ? "true" : "false",
                 layer->must ? "true" : "false");
        if (!layer->holds) {
            buf_adds(out, ",\"why\":");
            buf_add_json_string(out, str_from(layer->why));
        }
        buf_addc(out, '}');
    }
    buf_adds(out, "]}");
}
