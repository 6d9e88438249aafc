/* main.h — see main.c. */
#ifndef FLOWLET_TESTS_MAIN_H
#define FLOWLET_TESTS_MAIN_H

#include "base/str.h"

#define TEST_WORKER "/test-worker"
struct str test_worker_bundle(void);

#endif
