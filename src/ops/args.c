/* args.c — see args.h. */
#include "ops/args.h"

#include <math.h>

bool args_str(const json_t *args, const char *key, struct str *out, struct error *err) {
    const json_t *value = json_object_get(args, key);
    if (!value || json_is_null(value))
        return true;
    if (!json_is_string(value))
        return error_set(err, ERR_INVALID, "%s is not a string", key);
    *out = jsonx_string_value(value);
    return true;
}

bool args_needed_str(const json_t *args, const char *key, struct str *out, struct error *err) {
    struct str value = {NULL, 0};
    if (!args_str(args, key, &value, err))
        return false;
    if (!value.len)
        return error_set(err, ERR_INVALID, "%s is missing", key);
    *out = value;
    return true;
}

/* JavaScript's numbers may come as 5.0. */
bool args_int(const json_t *args, const char *key, int64_t min, int64_t max, int64_t *out, struct error *err) {
    const json_t *value = json_object_get(args, key);
    if (!value || json_is_null(value))
        return true;
    double number = json_number_value(value);
    if (!json_is_number(value) || number != floor(number) || number < (double)min || number > (double)max)
        return error_set(err, ERR_INVALID, "%s is not a whole number from %lld to %lld", key, (long long)min, (long long)max);
    *out = (int64_t)number;
    return true;
}
