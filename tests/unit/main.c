/* main.c — see main.h. */
#include <criterion/criterion.h>
#include <criterion/hooks.h>
#include <limits.h>
#include <unistd.h>

#include "main.h"

void test_worker_link(const struct test_worker *worker, char *path, size_t size) {
    char self[PATH_MAX] = {0}, program[PATH_MAX + 8], folder[] = "/tmp/flowlet-test-XXXXXX";
    cr_assert(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    snprintf(program, sizeof program, "%s-worker", self);
    cr_assert(mkdtemp(folder));
    snprintf(path, size, "%s/%s", folder, worker->name);
    cr_assert_eq(symlink(program, path), 0);
}

void test_worker_unlink(const char *path) {
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    unlink(path);
    rmdir(folder);
}

/* No leak check in the runner: each test was checked in its own process, and Criterion at times leaks in this one. */
static void leave(int status, void *arg) {
    (void)arg;
    fflush(NULL);
    _exit(status);
}
ReportHook(PRE_ALL)(struct criterion_test_set *tests) {
    (void)tests;
    on_exit(leave, NULL);
}
