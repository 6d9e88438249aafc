/* seal_calls.c — the last layer: which system calls are left. See seal.h.
 *
 * Each entry was found to be needed by taking it away. Whatever is not named kills the process, so that a break-in ends
 * with its first attempt; crashes of the engine show as SIGSYS for the same reason (abort wants tgkill). */
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "worker/seal.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#define NEW_SPACES                                                                                                               \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | 0x80 /* time    \
                                                                                                                       */)
#define THREAD (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)

static const int allowed[] = {
    SCMP_SYS(futex),         SCMP_SYS(madvise),
    SCMP_SYS(munmap),        SCMP_SYS(brk),
    SCMP_SYS(sched_yield),   SCMP_SYS(read),
    SCMP_SYS(write),         SCMP_SYS(pread64),
    SCMP_SYS(poll),          SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(gettid),        SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),          SCMP_SYS(sched_getaffinity),
    SCMP_SYS(clock_gettime), SCMP_SYS(exit),
    SCMP_SYS(exit_group),    SCMP_SYS(restart_syscall), /* after SIGSTOP and SIGCONT, or a freezer */
#if SEAL_SANITIZED
    SCMP_SYS(sigaltstack),   SCMP_SYS(getpid),
    SCMP_SYS(rt_sigaction),  SCMP_SYS(prlimit64),
    SCMP_SYS(readlinkat),    SCMP_SYS(nanosleep),
    SCMP_SYS(close),         SCMP_SYS(clock_nanosleep),
    SCMP_SYS(lseek),         SCMP_SYS(dup),
    SCMP_SYS(getrusage),
#endif
};

static const struct {
    int call, error;
} refused[] = {
    {SCMP_SYS(clone3), ENOSYS},
    {SCMP_SYS(openat), ENOENT},
    {SCMP_SYS(newfstatat), ENOENT},
    {SCMP_SYS(readlink), ENOENT},
    {SCMP_SYS(sched_setscheduler), EPERM},
#if SEAL_SANITIZED
    {SCMP_SYS(open), ENOENT},
    {SCMP_SYS(stat), ENOENT},
    {SCMP_SYS(socket), EACCES},
#endif
};

static int add_rules(scmp_filter_ctx filter) {
    int failed = 0;
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint16_t)refused[i].error), refused[i].call, 0);
    /* Memory, but none that is executable: the JIT's is one mapping made with the engine. */
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    /* The allocator grows its large blocks by it. */
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mremap), 1, SCMP_A3(SCMP_CMP_EQ, MREMAP_MAYMOVE));
    /* Threads, but no processes. */
    failed |=
        seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, THREAD | NEW_SPACES, THREAD));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_VMA));
    return failed;
}

void seal_calls(struct seal *s) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int failed = filter ? seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) : -ENOMEM;
    if (!failed) /* calls by another architecture's numbers: libseccomp would end the thread alone */
        failed = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (!failed && !(failed = add_rules(filter)))
        failed = seccomp_load(filter);
    errno = -failed;
    seal_note(s, "system calls", true, !failed, "seccomp");
    seccomp_release(filter);
}
