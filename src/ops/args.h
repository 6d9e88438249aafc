/* args.h — reading an operation's arguments, which come from a worker and may be anything.
 *
 * Missing and null are the same: *out keeps what it holds. What is there in another form is
 * ERR_INVALID, with the argument's name. Strings are borrowed from the arguments. Thread: any. */
#ifndef FLOWLET_ARGS_H
#define FLOWLET_ARGS_H

#include "base/json.h"

MUST_USE bool args_str(const json_t *args, const char *key, struct str *out, struct error *err);
MUST_USE bool args_needed_str(const json_t *args, const char *key, struct str *out, struct error *err); /* nor may it be empty */
MUST_USE bool args_int(const json_t *args, const char *key, int64_t min, int64_t max, int64_t *out, struct error *err);

#endif
