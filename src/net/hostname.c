/* hostname.c — see hostname.h. */
#include "net/hostname.h"

#include <idn2.h>

static bool is_ascii(struct str s) {
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] >= 0x80)
            return false;
    return true;
}

static bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool check(struct str name, struct error *err) {
    if (!name.len || name.len >= HOSTNAME_MAX)
        return error_set(err, ERR_INVALID, "a host name has 1 to %d bytes, not %zu", HOSTNAME_MAX - 1, name.len);
    size_t label = 0;
    for (size_t i = 0; i <= name.len; i++) {
        if (i < name.len && name.ptr[i] != '.') {
            if (!is_name_char(name.ptr[i]))
                return error_set(err, ERR_INVALID, "no host name: byte %zu is none that may stand there", i + 1);
            label++;
            continue;
        }
        if (label < 1 || label > 63)
            return error_set(err, ERR_INVALID, "no host name: between its dots stand 1 to 63 bytes, not %zu", label);
        label = 0;
    }
    return true;
}

bool hostname_to_ascii(struct str name, char out[HOSTNAME_MAX], struct error *err) {
    if (name.len && name.ptr[name.len - 1] == '.')
        name.len--;
    if (name.len > 4 * HOSTNAME_MAX)
        return error_set(err, ERR_INVALID, "a host name of %zu bytes", name.len);
    char *text = str_dup(name), *converted = NULL;
    bool ok = false;
    if (!is_ascii(name)) {
        int code = strlen(text) == name.len ? idn2_to_ascii_8z(text, &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL)
                                            : IDN2_DISALLOWED;
        if (code != IDN2_OK) {
            error_set(err, ERR_INVALID, "no host name: %s", idn2_strerror(code));
            goto out;
        }
        name = str_from(converted);
    }
    if (!check(name, err))
        goto out;
    memcpy(out, name.ptr, name.len);
    out[name.len] = 0;
    ok = true;
out:
    if (converted)
        idn2_free(converted);
    free(text);
    return ok;
}
