/* main.c — the workers that unit tests start, one kind by each name that the program is called by. A program of its own,
 * because Criterion runs its tests only where main() is its own. */
#include "../main.h"

#include <string.h>

int main(int argc, char **argv) {
    const struct test_worker *workers[] = {test_pool_worker(), test_forging_worker(), test_seal_worker(),
                                           test_unfiltered_worker()};
    const char *name = strrchr(argv[0], '/');
    for (size_t i = 0; name && argc > 1 && i < ARRAY_LEN(workers); i++)
        if (strcmp(name + 1, workers[i]->name) == 0)
            return worker_run(argc - 1, argv + 1, &workers[i]->parts);
    return 2;
}
