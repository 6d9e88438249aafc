/* settings.c — see settings.h. */
#include "flow/settings.h"

#define POINTER_MAX 2000

struct setting_value {
    const char *file, *name;
    struct str pointer;
    const struct code *code; /* borrowed */
    struct setting_value *next;
};

static void decref(void *value) { json_decref(value); }

static void ask(struct settings *s, struct codes *codes, const char *file, const char *name, const char *key,
                const json_t *schema, const json_t *value) {
    struct buf pointer;
    struct setting_value *it = arena_alloc(&s->arena, sizeof *it);
    json_t *both = json_pack("{s:O, s:O}", "schema", schema, "value", value);
    arena_defer(&s->arena, decref, both);
    buf_init(&pointer, POINTER_MAX);
    if (key)
        buf_adds(&pointer, "/settings");
    jsonx_pointer_add(&pointer, str_from(name));
    if (key)
        jsonx_pointer_add(&pointer, str_from(key));
    *it = (struct setting_value){.file = file,
                                 .name = name,
                                 .pointer = arena_str(&s->arena, buf_str(&pointer)),
                                 .code = codes_add(codes, CODE_VALUE, (struct str){0}, both),
                                 .next = s->first};
    buf_release(&pointer);
    s->first = it;
}

void settings_ask(struct settings *s, const struct catalog *w, struct codes *codes) {
    static const char *const keys[] = {"default", "practice"};
    const char *name;
    json_t *declared, *value;
    json_object_foreach((json_t *)(uintptr_t)w->settings, name, declared) {
        const json_t *schema = json_object_get(declared, "schema");
        if (!json_is_object(schema))
            continue;
        value = json_object_get(w->values, name);
        if (value && !json_is_null(value))
            ask(s, codes, "settings.json", name, NULL, schema, value);
        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
            if ((value = json_object_get(declared, keys[i])))
                ask(s, codes, "workspace.json", name, keys[i], schema, value);
    }
}

void settings_report(const struct settings *s, struct findings *findings) {
    for (const struct setting_value *it = s->first; it; it = it->next) {
        size_t i;
        json_t *found;
        json_array_foreach(code_findings(it->code), i, found) {
            struct buf at;
            buf_init(&at, 2 * POINTER_MAX);
            buf_addf(&at, STR_FMT STR_FMT, STR_ARG(it->pointer), STR_ARG(jsonx_str(found, "pointer")));
            findings_add(findings, &(struct finding){.code = "bad_value", .file = str_from(it->file), .pointer = buf_str(&at)},
                         "the setting `%.100s`: " STR_FMT STR_FMT, it->name, STR_ARG(jsonx_str(found, "pointer")),
                         STR_ARG(jsonx_str(found, "message")));
            buf_release(&at);
        }
    }
}

void settings_release(struct settings *s) {
    arena_release(&s->arena);
    s->first = NULL;
}
