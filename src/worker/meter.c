/* meter.c — see meter.h. */
#include "worker/meter.h"

#include <fcntl.h>
#include <unistd.h>

static int statm = -1;

bool meter_open(struct error *err) {
    statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    return statm >= 0 || error_errno(err, "/proc/self/statm");
}

/* "total resident shared text 0 data 0", in pages (proc(5)). */
static size_t pages(int field) {
    char text[128];
    ssize_t n = pread(statm, text, sizeof text - 1, 0);
    if (n <= 0)
        return 0;
    text[n] = 0;
    char *at = text;
    for (; field > 0; field--)
        strtoull(at, &at, 10);
    return (size_t)strtoull(at, NULL, 10);
}

static size_t page_size(void) {
    static size_t size;
    if (!size)
        size = (size_t)sysconf(_SC_PAGESIZE);
    return size;
}

size_t meter_rss(void) { return pages(1) * page_size(); }
size_t meter_data(void) { return pages(5) * page_size(); }

int64_t meter_cpu_us(clockid_t thread) {
    struct timespec t;
    clock_gettime(thread, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
