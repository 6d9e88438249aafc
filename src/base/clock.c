/* clock.c — see clock.h. */
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static int64_t fixed_ms;

static int64_t read_us(clockid_t which) {
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static const volatile int64_t *test_offset_ms; /* NULL: the machine's clock is right */

static void open_test_clock(void) {
    const char *path = getenv("FLOWLET_TEST_CLOCK");
    struct stat st;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_size == sizeof *test_offset_ms) {
        void *mapped = mmap(NULL, sizeof *test_offset_ms, PROT_READ, MAP_SHARED, fd, 0);
        test_offset_ms = mapped == MAP_FAILED ? NULL : mapped;
    }
    close(fd);
}

int64_t clock_now_ms(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_test_clock);
    if (fixed_ms)
        return fixed_ms;
    return read_us(CLOCK_REALTIME) / 1000 + (test_offset_ms ? *test_offset_ms : 0);
}
int64_t clock_monotonic_us(void) { return read_us(CLOCK_MONOTONIC); }
int64_t clock_monotonic_ms(void) { return clock_monotonic_us() / 1000; }
void clock_set_for_test(int64_t now_ms) { fixed_ms = now_ms; }

void clock_write(int64_t ms, char out[CLOCK_TEXT_MAX]) {
    int64_t seconds = ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000);
    time_t t = (time_t)seconds;
    struct tm tm;
    if (!gmtime_r(&t, &tm)) {
        out[0] = 0;
        return;
    }
    size_t n = strftime(out, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, CLOCK_TEXT_MAX - n, ".%03dZ", (int)(ms - seconds * 1000));
}

void random_bytes(void *out, size_t size) {
    uint8_t *p = out;
    while (size) {
        ssize_t n = getrandom(p, size, 0);
        if (n < 0) {
            ENSURE(errno == EINTR);
            continue;
        }
        p += n;
        size -= (size_t)n;
    }
}
