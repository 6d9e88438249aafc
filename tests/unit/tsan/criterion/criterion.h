/* criterion.h — as much of Criterion as the tests of threads need, for BUILD=tsan alone: the real one
 * wants memory at addresses that ThreadSanitizer keeps for itself. Messages of asserts are left out. */
#ifndef FLOWLET_TSAN_CRITERION_H
#define FLOWLET_TSAN_CRITERION_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tsan_test {
    const char *name;
    void (*run)(void);
    struct {
        void (*init)(void);
        void (*fini)(void);
    } options;
    struct tsan_test *next;
};
void tsan_test_add(struct tsan_test *t);
void tsan_test_failed(const char *what, const char *file, int line) __attribute__((noreturn));

#define Test(suite, name_, ...)                                                                                                  \
    static void suite##_##name_(void);                                                                                           \
    __attribute__((constructor)) static void suite##_##name_##_add(void) {                                                       \
        static struct tsan_test t = {.name = #suite "/" #name_, .run = suite##_##name_, .options = {__VA_ARGS__}};               \
        tsan_test_add(&t);                                                                                                       \
    }                                                                                                                            \
    static void suite##_##name_(void)

#define cr_assert(what, ...) ((what) ? (void)0 : tsan_test_failed(#what, __FILE__, __LINE__))
#define cr_assert_eq(a, b, ...) cr_assert((a) == (b))
#define cr_assert_neq(a, b, ...) cr_assert((a) != (b))
#define cr_assert_lt(a, b, ...) cr_assert((a) < (b))
#define cr_assert_leq(a, b, ...) cr_assert((a) <= (b))
#define cr_assert_gt(a, b, ...) cr_assert((a) > (b))
#define cr_assert_gt(a, b, ...) cr_assert((a) > (b))
#define cr_assert_geq(a, b, ...) cr_assert((a) >= (b))
#define cr_assert_str_eq(a, b, ...) cr_assert(strcmp(a, b) == 0)
#define cr_expect cr_assert
#define cr_expect_eq cr_assert_eq
#define cr_expect_geq cr_assert_geq
#define cr_expect_str_eq cr_assert_str_eq

#endif
