/* shape.h — what a document may hold: tables that check it, put its keys in order and describe it.
 *
 *     static const struct shape retry = {.kind = SHAPE_OBJECT, .keys = (const struct shape_key[]){
 *         {"times", &shape_count, true, "further attempts"}, ..., {0}}};
 *     shape_check(&retry, value, &where, findings);      every fault, with its pointer
 *     ordered = shape_order(&retry, value);              canonical order
 *     schema = shape_schema(&retry, defs);               JSON Schema 2020-12
 *
 * The tables are the one truth about documents; spec/ *.schema.json and the editor's forms come from them. */
#ifndef FLOWLET_SHAPE_H
#define FLOWLET_SHAPE_H

#include "flow/finding.h"

enum shape_kind {
    SHAPE_STRING, /* min to max characters; max 0: any number */
    SHAPE_ID,     /* [a-z][a-z0-9_-]{0,63} */
    SHAPE_NAME,   /* of a value: [A-Za-z_$][A-Za-z0-9_$]{0,63} and not __proto__ */
    SHAPE_CHOICE, /* one of `choices` */
    SHAPE_BOOL,
    SHAPE_INT,     /* min to max */
    SHAPE_NUMBER,  /* min to max */
    SHAPE_OBJECT,  /* with `keys` and no others */
    SHAPE_LIST,    /* of `item`, at most max */
    SHAPE_MAP,     /* any keys (names where .names), each an `item` */
    SHAPE_VARIANT, /* an object whose own member `by` says which of `variant` it is */
    SHAPE_SCHEMA,  /* a JSON Schema: an object */
    SHAPE_SOURCE,  /* where a value comes from; flow/source.c looks at it more closely */
    SHAPE_JSON,    /* anything */
};

struct shape {
    enum shape_kind kind;
    const struct shape_key *keys; /* ends with one without a name */
    const struct shape *item;
    const char *const *choices; /* ends with NULL */
    int64_t min, max;
    bool or_null;
    bool names; /* MAP: keys are names */
    const char *by;
    const char *ref; /* its name among a schema's $defs; NULL: written out where it stands */
    /* The i-th variant and the value of `by` that chooses it; NULL after the last. */
    const struct shape *(*variant)(size_t i, const char **value);
};

struct shape_key {
    const char *name;
    const struct shape *shape;
    bool required;
    const char *about;
};

#define SHAPE_KEYS(...) ((const struct shape_key[]){__VA_ARGS__, {0}})
#define SHAPE_CHOICES(...) ((const char *const[]){__VA_ARGS__, NULL})

extern const struct shape shape_id, shape_name, shape_title, shape_text, shape_bool, shape_schema_value, shape_source, shape_json;

/* Whether value has the shape; adds a finding for each place where not. where: file, flow, and in
 * .pointer the value's own. */
bool shape_check(const struct shape *s, const json_t *value, const struct finding *where, struct findings *out);
/* The same value with known keys in the table's order and unknown ones after them. */
json_t *shape_order(const struct shape *s, json_t *value) MUST_USE;
/* defs: an object that gets the shapes that have a name. */
json_t *shape_schema(const struct shape *s, json_t *defs) MUST_USE;

bool is_id(struct str s);
bool is_name(struct str s);

#endif
