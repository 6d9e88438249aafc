/* clock.h — time and random numbers, behind a seam that tests can replace. */
#ifndef FLOWLET_CLOCK_H
#define FLOWLET_CLOCK_H

#include "base/str.h"

/* Milliseconds since 1970 in UTC, and of a clock that never goes back. Tests of a whole server set its clock by
 * FLOWLET_TEST_CLOCK, the name of a file of eight bytes: a number that is added to the milliseconds, read anew each time. */
int64_t clock_now_ms(void);
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);
/* Tests only: from now on clock_now_ms gives this; 0 ends it. */
void clock_set_for_test(int64_t now_ms);

/* "2026-11-23T17:22:40.123Z" (RFC 3339) into out, NUL-ended. */
#define CLOCK_TEXT_MAX 32
void clock_write(int64_t ms, char out[CLOCK_TEXT_MAX]);

/* Random bytes from the kernel, fit for keys. */
void random_bytes(void *out, size_t size);

#endif
