/* finding.h — what is wrong with a workspace, where, and what to do about it.
 *
 *     struct findings f;
 *     findings_init(&f);
 *     findings_add(&f, &(struct finding){.file = ..., .pointer = ..., .code = "unknown_pin"}, "block %s has no pin ...", id);
 *     findings_locate(&f, STR("flows/hello.json"), text);      lines and columns from pointers
 *     findings_print(&f, &out);       flows/hello.json:12:5: error: there is no block `scan` ... [unknown_block]
 *     json_t *j = findings_json(&f);
 *
 * Checks never stop at the first: they add and go on. Each sentence says what is wrong
 * and what to do. The same at the same place is kept once, past FINDINGS_MAX nothing more. Thread: any, not shared. */
#ifndef FLOWLET_FINDING_H
#define FLOWLET_FINDING_H

#include "base/arena.h"
#include "base/json.h"

#define FINDINGS_MAX 200

enum severity {
    FINDING_ERROR,
    FINDING_WARNING,
};

/* Everything but severity and text may be empty. Strings given to findings_add are copied. */
struct finding {
    enum severity severity;
    unsigned line, column; /* from 1; 0: unknown. Columns count characters */
    const char *code;      /* static: "may_be_reached_twice" */
    struct str file;       /* path in the folder: "flows/hello.json" */
    struct str flow;       /* id */
    struct str block;      /* id */
    struct str at;         /* a pin, an input or a connection: "start.out -> page", "page.url" */
    struct str pointer;    /* of the place in the file, RFC 6901 */
    struct str text;       /* one sentence or two */
};

struct findings {
    struct arena arena;
    struct finding *items; /* sorted by findings_sort */
    size_t count, cap;
    size_t errors; /* how many of them are errors */
};

void findings_init(struct findings *f);
void findings_release(struct findings *f); /* may be called twice */
void findings_add(struct findings *f, const struct finding *where, const char *format, ...) PRINTF_LIKE(3, 4);
/* Whether something that has another code was found at this place already. */
bool findings_has_other(const struct findings *f, const struct finding *where);
/* Gives the findings of this file that have a pointer their line and column in its text. */
void findings_locate(struct findings *f, struct str file, struct str text);
/* By file and place; what has no place comes first. Order of arrival otherwise. */
void findings_sort(struct findings *f);
/* One line each, as compilers print them. */
void findings_print(const struct findings *f, struct buf *out);
/* [{"severity", "code", "file", "line", "column", "flow", "block", "at", "pointer", "text"}], empty ones left out. */
json_t *findings_json(const struct findings *f) MUST_USE;

/* Line and column (from 1) of the value that pointer names in a JSON text; of its key where it is
 * a member; of the innermost value around it where the text has no such place. */
void json_place(struct str text, struct str pointer, unsigned *line, unsigned *column);

#endif
