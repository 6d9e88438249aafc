/* types.h — what JSON type a value can have, as far as its schema tells: enough to find what can't fit.
 *
 * Types are bits of a set. A schema that does not say (no type, $ref, not, ...) allows all of them. */
#ifndef FLOWLET_TYPES_H
#define FLOWLET_TYPES_H

#include "base/json.h"
#include "flow/source.h"

enum json_types {
    TYPE_OBJECT = 1 << 0,
    TYPE_ARRAY = 1 << 1,
    TYPE_STRING = 1 << 2,
    TYPE_INTEGER = 1 << 3,
    TYPE_NUMBER = 1 << 4, /* one that is no integer */
    TYPE_BOOLEAN = 1 << 5,
    TYPE_NULL = 1 << 6,
    TYPE_ANY = 127,
};

unsigned types_of_schema(const json_t *schema); /* NULL: any */
unsigned types_of_value(const json_t *value);
/* "a string or null" into out. */
void types_write(unsigned types, struct buf *out);
/* The schema of what stands at the end of a path into a value of this schema; NULL: not known. */
const json_t *types_follow(const json_t *schema, const struct path_step *steps, size_t count);

#endif
