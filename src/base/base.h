/* base.h — the few macros that every file speaks. */
#ifndef FLOWLET_BASE_H
#define FLOWLET_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/banned.h"

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#define NORETURN __attribute__((noreturn))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* What can't be otherwise. Kept in release builds: a wrong belief must not go on. */
#define ENSURE(what) ((what) ? (void)0 : ensure_failed(#what, __FILE__, __LINE__))
NORETURN void ensure_failed(const char *what, const char *file, int line);

/* malloc and friends that never return NULL: memory that the machine lacks ends
 * the process (the journal makes starting again cheap). Sizes that a client
 * chooses are limited before they get here. Free with free(). */
void *mem_alloc(size_t size) MUST_USE; /* zeroed */
void *mem_realloc(void *old, size_t size) MUST_USE;
char *mem_strdup(const char *text) MUST_USE;

#endif
