/* arena.c — see arena.h. */
#include "base/arena.h"

#include <stdarg.h>

#if defined(__SANITIZE_ADDRESS__)
#define BLOCK_SIZE 0 /* each allocation a block of its own */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BLOCK_SIZE 0
#endif
#endif
#ifndef BLOCK_SIZE
#define BLOCK_SIZE 4000
#endif

struct arena_block {
    struct arena_block *next;
    size_t used, size; /* bytes of data */
    _Alignas(16) char data[];
};

struct arena_deferred {
    struct arena_deferred *next;
    void (*fn)(void *arg);
    void *arg;
};

void arena_init(struct arena *a) { *a = (struct arena){0}; }

void arena_release(struct arena *a) {
    for (struct arena_deferred *d = a->deferred; d; d = d->next)
        d->fn(d->arg);
    for (struct arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    arena_init(a);
}

void *arena_alloc(struct arena *a, size_t size) {
    size_t want = (size + 15) & ~(size_t)15;
    struct arena_block *b = a->blocks;
    if (!b || b->size - b->used < want || !BLOCK_SIZE) {
        size_t room = BLOCK_SIZE ? (want > BLOCK_SIZE ? want : BLOCK_SIZE) : size;
        b = mem_realloc(NULL, sizeof *b + room);
        *b = (struct arena_block){.next = a->blocks, .size = room};
        a->blocks = b;
    }
    void *p = b->data + b->used;
    b->used += BLOCK_SIZE ? want : size;
    return memset(p, 0, size);
}

char *arena_strdup(struct arena *a, struct str s) {
    char *p = arena_alloc(a, s.len + 1);
    if (s.len)
        memcpy(p, s.ptr, s.len);
    return p;
}

struct str arena_str(struct arena *a, struct str s) {
    return str_of(arena_strdup(a, s), s.len);
}

char *arena_printf(struct arena *a, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    ENSURE(n >= 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    return p;
}

void arena_defer(struct arena *a, void (*fn)(void *arg), void *arg) {
    struct arena_deferred *d = arena_alloc(a, sizeof *d);
    *d = (struct arena_deferred){.next = a->deferred, .fn = fn, .arg = arg};
    a->deferred = d;
}
