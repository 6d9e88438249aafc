/* captured.c — see captured.h. */
#include "cli/captured.h"

#include "cli/mail_text.h"

#define READABLE_MAX ((size_t)64 * 1024 * 1024)

static void spread(json_t *value) {
    struct error err;
    json_t *member, *inner;
    const char *key;
    json_object_foreach(value, key, member) {
        struct str text = jsonx_string_value(member);
        if (text.len && (text.ptr[0] == '{' || text.ptr[0] == '[') && (inner = jsonx_parse(text, &err)))
            json_object_set_new_nocheck(value, key, inner);
    }
}

json_t *captured_readable(struct str kind, struct str content) {
    struct error err;
    struct buf text;
    if (!str_is(kind, "mail")) {
        json_t *value = jsonx_parse(content, &err);
        spread(value);
        return value ? value : jsonx_from_str(content);
    }
    buf_init(&text, READABLE_MAX);
    mail_text(content, &text);
    json_t *value = jsonx_from_str(buf_str(&text));
    buf_release(&text);
    return value;
}
