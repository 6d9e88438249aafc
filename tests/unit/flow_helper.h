/* flow_helper.h — folders and releases in tests, with a toolbox that knows just enough:
 * an expression reads every `input.NAME` in it; a script tells its signature in comments,
 * `// inputs: SCHEMA`, `// output: SCHEMA`, `// uses: {"secrets": [...]}`; a text with `@fault`
 * has one on line 2. */
#ifndef FLOW_HELPER_H
#define FLOW_HELPER_H

#include "base/map.h"
#include "flow/release.h"

/* Pairs of path and text, ending with NULL; documents may use ' for ". */
struct folder *helper_folder(const char *first, ...);

struct helper_build {
    struct release *release; /* NULL where there are errors */
    struct buf printed;      /* the findings */
    json_t *findings;
    size_t jobs; /* how often the toolbox was asked */
    struct map cache;
};
void helper_build(struct helper_build *b, const struct folder *folder);
void helper_build_release(struct helper_build *b);
/* Whether there is a finding of this code. */
bool helper_found(const struct helper_build *b, const char *code);

void helper_toolbox(void *arg, struct str job, release_toolbox_done_fn *done, void *done_arg);

#endif
