/* percent.h — percent-encoded text (RFC 3986, 2.1), as it stands in paths and queries. Thread: any. */
#ifndef FLOWLET_PERCENT_H
#define FLOWLET_PERCENT_H

#include "base/arena.h"
#include "base/str.h"

/* One segment of a path: out is raw itself where nothing is escaped, else from the arena.
 * False for a broken escape, NUL and bytes that are no UTF-8. */
MUST_USE bool percent_decode(struct str raw, struct arena *arena, struct str *out);
/* The same for a name or a value of a query, where '+' is a space. */
MUST_USE bool query_decode(struct str raw, struct arena *arena, struct str *out);
/* The first value of that name in a query, "a=1&b=x+y", decoded ('+' is a space); false: there is none. */
MUST_USE bool query_find(struct str query, struct str name, struct arena *arena, struct str *out);

#endif
