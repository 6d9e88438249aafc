/* map.c — see map.h. Open addressing with linear probing; grows at two thirds. */
#include "base/map.h"

void map_init(struct map *m) { *m = (struct map){0}; }

void map_release(struct map *m) {
    for (size_t i = 0; i < m->cap; i++)
        free(m->entries[i].key);
    free(m->entries);
    map_init(m);
}

/* The entry of key, or the place where it would be put. */
static struct map_entry *place(const struct map *m, struct str key, uint64_t hash) {
    struct map_entry *removed = NULL;
    for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct map_entry *e = &m->entries[i];
        if (!e->key)
            return removed ? removed : e;
        if (e->hash == hash && e->value && str_eq(str_of(e->key, e->key_len), key))
            return e;
        if (!e->value && !removed)
            removed = e;
    }
}

static void resize(struct map *m) {
    struct map old = *m;
    m->cap = old.count * 3 < old.cap ? old.cap : old.cap ? old.cap * 2 : 16;
    m->entries = mem_alloc(m->cap * sizeof *m->entries);
    m->used = m->count;
    for (size_t i = 0; i < old.cap; i++) {
        struct map_entry *e = &old.entries[i];
        if (e->value)
            *place(m, str_of(e->key, e->key_len), e->hash) = *e;
        else
            free(e->key);
    }
    free(old.entries);
}

void *map_find(const struct map *m, struct str key) { return m->cap ? place(m, key, str_hash(key))->value : NULL; }

void *map_set(struct map *m, struct str key, void *value) {
    ENSURE(value);
    if ((m->used + 1) * 3 > m->cap * 2)
        resize(m);
    uint64_t hash = str_hash(key);
    struct map_entry *e = place(m, key, hash);
    void *before = e->value;
    if (!before) {
        if (!e->key)
            m->used++;
        free(e->key);
        *e = (struct map_entry){.key = str_dup(key), .key_len = key.len, .hash = hash};
        m->count++;
    }
    e->value = value;
    return before;
}

void *map_remove(struct map *m, struct str key) {
    if (!m->cap)
        return NULL;
    struct map_entry *e = place(m, key, str_hash(key));
    void *before = e->value;
    if (before) {
        e->value = NULL;
        m->count--;
    }
    return before;
}

struct map_entry *map_next(const struct map *m, size_t *at) {
    while (*at < m->cap) {
        struct map_entry *e = &m->entries[(*at)++];
        if (e->value)
            return e;
    }
    return NULL;
}
