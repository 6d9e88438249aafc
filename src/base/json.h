/* json.h — what jansson leaves out: errors that say where, canonical text, pointers.
 *
 * jansson's own functions are used directly wherever they do (json_object_get, ...);
 * everything here starts with jsonx_. References are counted: what a function here
 * returns with `json_t *` is new and the caller's to json_decref, unless it says borrowed. */
#ifndef FLOWLET_JSON_H
#define FLOWLET_JSON_H

#include <jansson.h>

#include "base/buf.h"

/* Deepest nesting accepted anywhere. */
#define JSONX_DEPTH_MAX 128

/* Any JSON value; refuses duplicate keys, bad UTF-8, NUL in keys, depth past the maximum.
 * The error says line and column. */
json_t *jsonx_parse(struct str text, struct error *err) MUST_USE;
/* The same with the place apart from the sentence, from 1. */
json_t *jsonx_parse_at(struct str text, unsigned *line, unsigned *column, struct error *err) MUST_USE;
/* Compact text. False when out's maximum is passed. */
bool jsonx_write(const json_t *value, struct buf *out);
/* The canonical text of documents in folders: two spaces, what fits on a line of 110 bytes on one
 * line, the outermost value never, keys in the order they came (callers put known keys in
 * canonical order first), the shortest form of each number, one line end at the end. */
bool jsonx_write_pretty(const json_t *value, struct buf *out);

/* Borrowed; {NULL, 0} / fallback when the key is missing or of another type. */
struct str jsonx_str(const json_t *object, const char *key);
int64_t jsonx_int(const json_t *object, const char *key, int64_t fallback);
bool jsonx_bool(const json_t *object, const char *key, bool fallback);
struct str jsonx_string_value(const json_t *string);
/* Strings from bytes that may not be UTF-8 (U+FFFD takes the place of what is not). */
json_t *jsonx_from_str(struct str s) MUST_USE;

/* Appends "/token" to a JSON pointer, escaped as RFC 6901 says. */
bool jsonx_pointer_add(struct buf *pointer, struct str token);

/* Bytes travel in JSON as {"$bytes": "BASE64"}. */
json_t *jsonx_from_bytes(struct str bytes) MUST_USE;
/* True when value has that form; then out gets the bytes (false as well when they do not fit). */
bool jsonx_to_bytes(const json_t *value, struct buf *out);

#endif
