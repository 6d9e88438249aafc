/* code.h — texts that only the toolbox understands: scripts, expressions, schemas.
 *
 *     c = codes_add(&codes, CODE_EXPRESSION, text, NULL);      the same text gives the same code
 *     codes_job(&codes, &job)                                  what was not answered yet
 *     codes_answer(&codes, answer, err)                        fills c->answer
 *
 * Keys are digests of kind, toolbox and text, so answers can be kept for ever.
 * docs/internals.md, section 3, has the job's format. */
#ifndef FLOWLET_CODE_H
#define FLOWLET_CODE_H

#include "base/arena.h"
#include "base/json.h"
#include "base/map.h"

enum code_kind {
    CODE_SCRIPT,
    CODE_EXPRESSION,
    CODE_SCHEMA,
    CODE_VALUE, /* `schema` is {"schema", "value"}: whether the one fits the other */
};

#define CODE_KEY_SIZE 65
struct code {
    enum code_kind kind;
    char key[CODE_KEY_SIZE]; /* hex */
    struct str text;         /* script, expression */
    const json_t *schema;    /* borrowed from the document */
    json_t *answer;          /* owned by codes; NULL: not asked yet */
    bool cached;             /* the answer came by code_set_answer */
    struct code *next;       /* in the order added */
};

struct codes {
    struct arena arena;
    struct map by_key;
    struct code *first, **last;
    struct str version; /* of the toolbox; borrowed */
};

void codes_init(struct codes *c, struct str version);
void codes_release(struct codes *c);
/* Borrowed. text is copied. */
struct code *codes_add(struct codes *c, enum code_kind kind, struct str text, const json_t *schema);
/* How many have no answer; their job as JSON text. */
size_t codes_job(const struct codes *c, struct buf *out);
/* Takes the toolbox's answer: an item for each code asked, or it fails. */
MUST_USE bool codes_answer(struct codes *c, struct str answer, struct error *err);
/* One code's answer from a cache; false when it is none. */
bool code_set_answer(struct code *c, struct str answer);

/* A key of a cache, in hex. */
void code_digest(struct str text, char key[CODE_KEY_SIZE]);

/* Parts of an answer; NULL and empty where there are none. */
struct str code_js(const struct code *c);
bool code_awaits(const struct code *c);
const json_t *code_uses(const struct code *c, const char *what); /* a list, or NULL */
const json_t *code_findings(const struct code *c);               /* a list, or NULL: none */
const json_t *code_signature(const struct code *c, const char *part);

#endif
