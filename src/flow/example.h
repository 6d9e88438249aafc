/* example.h — saved examples of a workspace's flows: examples/FLOW.NAME.json, what `flowlet test` replays
 * (docs/internals.md, section 2).
 *
 * They are part of the folder: checked and made canonical with it, pushed and pulled. */
#ifndef FLOWLET_EXAMPLE_H
#define FLOWLET_EXAMPLE_H

#include "flow/folder.h"
#include "flow/shape.h"

extern const struct shape example_shape;

/* "examples/hello.in-german.json" -> "hello", "in-german". False for other paths. */
bool example_of(const char *path, struct str *flow, struct str *name);

/* That each has its shape, and a flow. */
void examples_check(const struct folder *folder, struct findings *findings);

#endif
