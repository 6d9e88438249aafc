/* error.c — see error.h. */
#include "base/error.h"

#include <ctype.h>
#include <errno.h>

static const struct row {
    char name[24];
    int http_status;
    bool retry;
    const char *general;
} rows[] = {
#define X(name, http, retry, general) {#name, http, retry, general},
#include "base/errors.def"
#undef X
};

/* The names as programs see them, in lower case; made once. */
static char lower[ARRAY_LEN(rows)][24];

__attribute__((constructor)) static void names_make(void) {
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t k = 0; rows[i].name[k]; k++)
            lower[i][k] = (char)tolower((unsigned char)rows[i].name[k]);
}

void ensure_failed(const char *what, const char *file, int line) {
    fprintf(stderr, "flowlet: cannot go on: %s is not true (%s:%d)\n", what, file, line);
    abort();
}

static void out_of_memory(void) {
    fputs("flowlet: out of memory\n", stderr);
    abort();
}

void *mem_alloc(size_t size) {
    void *p = calloc(1, size ? size : 1);
    if (!p)
        out_of_memory();
    return p;
}

void *mem_realloc(void *old, size_t size) {
    void *p = realloc(old, size ? size : 1);
    if (!p)
        out_of_memory();
    return p;
}

char *mem_strdup(const char *text) {
    char *p = strdup(text);
    if (!p)
        out_of_memory();
    return p;
}

bool error_set(struct error *err, enum error_code code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    err->code = code;
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return false;
}

bool error_wrap(struct error *err, const char *format, ...) {
    char text[sizeof err->text];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    snprintf(text + used, sizeof text - used, ": %s", err->text);
    memcpy(err->text, text, sizeof text);
    return false;
}

bool error_errno(struct error *err, const char *what) {
    int e = errno;
    enum error_code code = e == ENOSPC || e == EDQUOT ? ERR_DISK_FULL : e == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    return error_set(err, code, "%s: %s", what, strerror(e));
}

const char *error_name(enum error_code code) { return lower[code]; }
int error_http_status(enum error_code code) { return rows[code].http_status; }
bool error_may_retry(enum error_code code) { return rows[code].retry; }
const char *error_general(enum error_code code) { return rows[code].general; }

enum error_code error_from_name(const char *name) {
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(lower[i], name) == 0)
            return (enum error_code)i;
    return ERR_INTERNAL;
}

bool error_has_name(const char *name) {
    return error_from_name(name) != ERR_INTERNAL || strcmp(name, error_name(ERR_INTERNAL)) == 0;
}
