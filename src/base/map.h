/* map.h — a hash table from bytes to pointers.
 *
 * Keys are copied in; values are the caller's. Iterating is in no order, and the
 * map must not change meanwhile. */
#ifndef FLOWLET_MAP_H
#define FLOWLET_MAP_H

#include "base/str.h"

struct map {
    struct map_entry *entries;
    size_t count, used, cap; /* used counts removed places too */
};

struct map_entry {
    char *key; /* NULL: never used. Owned */
    size_t key_len;
    uint64_t hash;
    void *value; /* NULL: removed */
};

void map_init(struct map *m);
void map_release(struct map *m);                     /* keys only; may be called twice */
void *map_find(const struct map *m, struct str key); /* NULL when there is none */
/* Puts value (not NULL) under key; returns the value that it replaces, or NULL. */
void *map_set(struct map *m, struct str key, void *value);
void *map_remove(struct map *m, struct str key); /* the value removed, or NULL */
/* for (size_t at = 0; (e = map_next(m, &at));) */
struct map_entry *map_next(const struct map *m, size_t *at);

/* Keys that are numbers. */
static inline struct str map_key(const uint64_t *id) { return str_of(id, sizeof *id); }

#endif
