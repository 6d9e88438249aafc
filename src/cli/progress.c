/* progress.c — see progress.h. */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define FIRST_US 1000000
#define AGAIN_US 200000

static int64_t began_us, shown_us;

void progress_begin(void) {
    began_us = clock_monotonic_us();
    shown_us = 0;
}

void progress_show(const char *what, int64_t done, int64_t total) {
    int64_t now = clock_monotonic_us();
    if (now - began_us < FIRST_US || now - shown_us < AGAIN_US || !isatty(STDERR_FILENO))
        return;
    shown_us = now;
    long long seconds = (long long)(now - began_us) / 1000000;
    if (total > 0)
        fprintf(stderr, "\r\033[K%s: %lld of %lld MB, %lld s", what, (long long)done >> 20, (long long)total >> 20, seconds);
    else
        fprintf(stderr, "\r\033[K%s: %lld s", what, seconds);
    fflush(stderr);
}

void progress_end(void) {
    if (shown_us)
        fputs("\r\033[K", stderr);
}
