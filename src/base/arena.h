/* arena.h — memory that goes all at once, with the thing it was made for.
 *
 * A connection, a request, an activation or a parsed document has one; what is made
 * for it comes from it. arena_defer gives back what isn't memory. Under
 * AddressSanitizer every allocation gets a block of its own, so overruns still show. */
#ifndef FLOWLET_ARENA_H
#define FLOWLET_ARENA_H

#include "base/str.h"

struct arena {
    struct arena_block *blocks; /* newest first */
    struct arena_deferred *deferred;
};

void arena_init(struct arena *a);
void arena_release(struct arena *a);                        /* runs what was deferred, newest first; may be called twice */
void *arena_alloc(struct arena *a, size_t size) MUST_USE;   /* zeroed, aligned for anything */
char *arena_strdup(struct arena *a, struct str s) MUST_USE; /* NUL-ended */
struct str arena_str(struct arena *a, struct str s) MUST_USE;
char *arena_printf(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3) MUST_USE;
void arena_defer(struct arena *a, void (*fn)(void *arg), void *arg);

#endif
