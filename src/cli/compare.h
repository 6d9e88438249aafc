/* compare.h — what a run gave beside what its example expects.
 *
 *     compare(expected, got, &out)      every difference, by its JSON pointer; texts of several lines by their lines
 *
 * The outermost object, and in it `answer`, `headers` and `error`, hold what matters alone: keys that are not expected are not
 * compared. Everything inside of them is. */
#ifndef FLOWLET_COMPARE_H
#define FLOWLET_COMPARE_H

#include "base/json.h"

/* How many differences were added to out, each some lines, indented by four. */
size_t compare(const json_t *expected, const json_t *got, struct buf *out);

/* Takes away what a list of JSON pointers (RFC 6901) names, `*` standing for any key: members go, items become null. */
void compare_drop(json_t *value, const json_t *pointers);

#endif
