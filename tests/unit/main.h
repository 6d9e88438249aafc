/* main.h — what belongs to the test program as a whole: the workers that its tests start, of scripts and kinds of their own. */
#ifndef FLOWLET_TESTS_MAIN_H
#define FLOWLET_TESTS_MAIN_H

#include "worker/worker.h"

struct test_worker {
    const char *name;
    struct worker_parts parts;
};
/* The workers of test_pool.c and test_sandbox.c. */
const struct test_worker *test_pool_worker(void);
const struct test_worker *test_forging_worker(void);
const struct test_worker *test_seal_worker(void);
const struct test_worker *test_unfiltered_worker(void);

/* Makes a folder under /tmp and in it a link to the program of worker/main.c by the worker's name: what to execute. */
void test_worker_link(const struct test_worker *worker, char *path, size_t size);
/* Removes both. */
void test_worker_unlink(const char *path);

#endif
