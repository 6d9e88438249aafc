/* The test program, which is also the worker that its tests start: with the scripts of this binary, or with those that
 * test_pool.c brings along when it is called by the name that test asks for. */
#include <criterion/criterion.h>

#include "main.h"
#include "worker/worker.h"

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "worker") == 0)
        return str_ends(str_from(argv[0]), STR(TEST_WORKER))
                   ? worker_run(argc - 1, argv + 1, test_worker_bundle(), test_worker_bundle())
                   : worker_main(argc - 1, argv + 1);
    struct criterion_test_set *tests = criterion_initialize();
    int failed = criterion_handle_args(argc, argv, true) ? !criterion_run_all_tests(tests) : 0;
    criterion_finalize(tests);
    return failed;
}
