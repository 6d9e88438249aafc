/* source.h — where a value comes from: the SOURCE of docs/internals.md, section 2. */
#ifndef FLOWLET_SOURCE_H
#define FLOWLET_SOURCE_H

#include "flow/code.h"
#include "flow/finding.h"

enum source_kind {
    SOURCE_FROM,
    SOURCE_VALUE,
    SOURCE_CODE,
    SOURCE_SECRET,
    SOURCE_SETTING,
    SOURCE_LINK,
    SOURCE_OBJECT,
    SOURCE_LIST,
};

/* One step of a path: a key, or a place in a list. */
struct path_step {
    struct str key; /* ptr NULL: index counts */
    uint32_t index;
};

struct source {
    enum source_kind kind;
    const json_t *json;      /* as in the document; borrowed */
    struct str pointer;      /* in the document */
    struct str name;         /* FROM: the name read; SECRET, SETTING and LINK: which */
    struct path_step *steps; /* FROM: the way into it */
    size_t step_count;
    const json_t *value;  /* VALUE; borrowed from the document */
    struct code *code;    /* CODE */
    struct source *parts; /* OBJECT, LIST */
    struct str *keys;     /* OBJECT: of each part */
    size_t part_count;
};

/* Fills *out from json, whose place `where` names; everything comes from arena. False: findings say why. */
bool source_parse(const json_t *json, const struct finding *where, struct arena *arena, struct codes *codes, struct source *out,
                  struct findings *findings);

/* Calls fn for the source and every part of it. */
typedef void source_fn(void *arg, const struct source *s);
void source_walk(const struct source *s, source_fn *fn, void *arg);

#endif
