/* text.h — UTF-8 to UTF-16 and back. The engine's own conversions are three to ten times slower.
 *
 * What is not well-formed becomes U+FFFD, by the rule of "maximal subparts" that the Encoding Standard uses as well. */
#ifndef FLOWLET_TEXT_H
#define FLOWLET_TEXT_H

#include "base/str.h"

/* out has room for s.len units; returns how many it became. *well_formed tells whether nothing was replaced. */
size_t text_to_utf16(struct str s, uint16_t *out, bool *well_formed);
/* out has room for 3 * len bytes, or for what text_utf8_size says. */
size_t text_to_utf8(const uint16_t *in, size_t len, char *out);
size_t text_utf8_size(const uint16_t *in, size_t len);

#endif
