/* captured.h — what was captured instead of being sent, as a person reads it. */
#ifndef FLOWLET_CAPTURED_H
#define FLOWLET_CAPTURED_H

#include "base/json.h"

/* kind and content as the outbox has them. A mail is text: the headers that matter, decoded, and what it says; a call is
 * JSON, with the JSON texts in it spread out as well; what is neither stays as it is. New. */
json_t *captured_readable(struct str kind, struct str content) MUST_USE;

#endif
