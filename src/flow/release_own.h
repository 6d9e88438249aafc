/* release_own.h — what building and loading a release share; for release.c and build.c alone. */
#ifndef FLOWLET_RELEASE_OWN_H
#define FLOWLET_RELEASE_OWN_H

#include "flow/release.h"

struct release *release_new(void);
/* Takes value, to be released with r; gives it back. */
const json_t *release_keep(struct release *r, json_t *value);
/* When all is there: gives the flows their numbers, which are never given again, and marks those that draw random numbers. */
void release_number(struct release *r);
/* Everything that follows from start, type and responds. */
void release_describe_flow(struct release_flow *f, struct arena *arena);
/* Declarations as in workspace.json, which r must keep. */
void release_describe_declarations(struct release *r, const json_t *settings, const json_t *secrets);
/* The keys of a JSON object. */
struct str *release_names(struct arena *arena, const json_t *set, size_t *count);

#endif
