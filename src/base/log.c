/* log.c — see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <unistd.h>

#include "base/clock.h"

static void line(const char *level, const char *about, const char *format, va_list args) {
    char text[2048], when[CLOCK_TEXT_MAX];
    clock_write(clock_now_ms(), when);
    int head = snprintf(text, sizeof text, "time=%s level=%s about=%s ", when, level, about);
    int n = vsnprintf(text + head, sizeof text - (size_t)head - 1, format, args);
    size_t len = (size_t)head + (n < 0 ? 0 : (size_t)n);
    if (len > sizeof text - 2)
        len = sizeof text - 2;
    text[len++] = '\n';
    /* One write a line, so that lines of several threads do not mix; a full pipe loses it. */
    ssize_t written = write(STDERR_FILENO, text, len);
    (void)written;
}

#define LEVEL(name, level)                                                                                                       \
    void name(const char *about, const char *format, ...) {                                                                      \
        va_list args;                                                                                                            \
        va_start(args, format);                                                                                                  \
        line(level, about, format, args);                                                                                        \
        va_end(args);                                                                                                            \
    }
LEVEL(log_info, "info")
LEVEL(log_warn, "warn")
LEVEL(log_error, "error")

static bool traced(const char *about) {
    struct str rest = str_from(getenv("FLOWLET_TRACE")), part;
    while (str_cut(&rest, ',', &part))
        if (str_is(part, about) || str_is(part, "all"))
            return true;
    return false;
}

void log_debug(const char *about, const char *format, ...) {
    if (!traced(about))
        return;
    va_list args;
    va_start(args, format);
    line("debug", about, format, args);
    va_end(args);
}

const char *log_quote(struct str value) {
    static _Thread_local char ring[8][440];
    static _Thread_local unsigned next;
    char *out = ring[next++ % 8], *p = out;
    bool plain = value.len > 0;
    size_t n = value.len > 200 ? 200 : value.len;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 127)
            plain = false;
    }
    if (!plain)
        *p++ = '"';
    for (size_t i = 0; i < n; i++) {
        char c = value.ptr[i];
        if (c == '"' || c == '\\')
            *p++ = '\\';
        *p++ = (unsigned char)c < ' ' || c == 127 ? ' ' : c;
    }
    if (!plain)
        *p++ = '"';
    *p = 0;
    return out;
}
