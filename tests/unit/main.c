/* main.c — see main.h. */
#include <criterion/criterion.h>
#include <limits.h>
#include <unistd.h>

#include "main.h"

static const struct test_worker *find_worker(const char *path) {
    const struct test_worker *workers[] = {test_pool_worker(), test_forging_worker(), test_seal_worker(),
                                           test_unfiltered_worker()};
    const char *name = strrchr(path, '/');
    for (size_t i = 0; name && i < ARRAY_LEN(workers); i++)
        if (strcmp(name + 1, workers[i]->name) == 0)
            return workers[i];
    return NULL;
}

void test_worker_link(const struct test_worker *worker, char *path, size_t size) {
    char self[PATH_MAX] = {0}, folder[] = "/tmp/flowlet-test-XXXXXX";
    cr_assert(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    cr_assert(mkdtemp(folder));
    snprintf(path, size, "%s/%s", folder, worker->name);
    cr_assert_eq(symlink(self, path), 0);
}

void test_worker_unlink(const char *path) {
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    unlink(path);
    rmdir(folder);
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "worker") == 0) {
        const struct test_worker *worker = find_worker(argv[0]);
        return worker ? worker_run(argc - 1, argv + 1, &worker->parts) : worker_main(argc - 1, argv + 1);
    }
    struct criterion_test_set *tests = criterion_initialize();
    int failed = criterion_handle_args(argc, argv, true) ? !criterion_run_all_tests(tests) : 0;
    criterion_finalize(tests);
    fflush(NULL);
    /* No leak check here: each test was checked in its own process, and Criterion at times leaks in this one. */
    _exit(failed);
}
