/* spec.h — the JSON Schemas (2020-12) of the documents of a folder, written from their shapes.
 * spec/ holds them as text, for editors and for whoever writes flows by hand; a test keeps it the same. */
#ifndef FLOWLET_SPEC_H
#define FLOWLET_SPEC_H

#include "base/json.h"

json_t *spec_flow(void) MUST_USE;
json_t *spec_workspace(void) MUST_USE;
json_t *spec_example(void) MUST_USE;

#endif
