/* templates.h — the workspaces of workspaces/ as they were when this program was built, for `flowlet init`. */
#ifndef FLOWLET_TEMPLATES_H
#define FLOWLET_TEMPLATES_H

#include "base/json.h"

/* {"NAME": {"PATH": "TEXT", ...}, ...}, in the order in which they are listed. */
json_t *templates_read(void) MUST_USE;

#endif
