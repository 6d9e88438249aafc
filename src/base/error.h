/* error.h — how a function says why it failed.
 *
 *     struct error err;
 *     if (!flow_parse(text, &flow, &err))
 *         log_warn(NULL, "%s", err.text);
 *
 * A code for programs and a sentence for people. It needs no memory of its own,
 * so it can always be made. Functions that can fail return bool or a pointer and
 * take `struct error *err` last; err is never NULL. Thread: any, not shared. */
#ifndef FLOWLET_ERROR_H
#define FLOWLET_ERROR_H

#include <stdarg.h>

#include "base/base.h"

enum error_code {
#define X(name, http, retry, general) ERR_##name,
#include "base/errors.def"
#undef X
};

struct error {
    enum error_code code;
    char text[512]; /* NUL-ended UTF-8; a longer sentence is cut */
};

/* All return false, so that `return error_set(...)` reads well. */
bool error_set(struct error *err, enum error_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* Puts "CONTEXT: " before the text: the name that only this layer knows. */
bool error_wrap(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);
/* From errno, as "WHAT: strerror". ENOSPC and EDQUOT become ERR_DISK_FULL. */
bool error_errno(struct error *err, const char *what);

/* The code's row: "not_found", 404, whether a retry can help, the general sentence. */
const char *error_name(enum error_code code);
int error_http_status(enum error_code code);
bool error_may_retry(enum error_code code);
const char *error_general(enum error_code code);
/* The code of a name, ERR_INTERNAL for an unknown one. */
enum error_code error_from_name(const char *name);
bool error_has_name(const char *name);

#endif
