/* log.h — one line per event in logfmt, to standard error.
 *
 *     log_info("run", "run=%016llx flow=%s state=done ms=%d", id, flow, ms);
 *
 * gives: time=2026-11-23T17:22:40.123Z level=info about=run run=... flow=... state=done ms=12
 * The text is logfmt too: values from outside go in by log_quote, so that no line can be
 * forged. FLOWLET_TRACE=http,run turns on the debug lines of these. Thread: any. */
#ifndef FLOWLET_LOG_H
#define FLOWLET_LOG_H

#include "base/str.h"

void log_info(const char *about, const char *format, ...) PRINTF_LIKE(2, 3);
void log_warn(const char *about, const char *format, ...) PRINTF_LIKE(2, 3);
void log_error(const char *about, const char *format, ...) PRINTF_LIKE(2, 3);
void log_debug(const char *about, const char *format, ...) PRINTF_LIKE(2, 3);

/* A logfmt value: as it is when it needs no quotes, else quoted and escaped; cut at 200 bytes.
 * Points into one of eight buffers of this thread, good until eight calls later. */
const char *log_quote(struct str value);

#endif
