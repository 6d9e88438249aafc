/* source.c — see source.h. */
#include "flow/source.h"

#include "flow/shape.h"

#define STEPS_MAX 32
#define CODE_MAX (64 * 1024)

struct parse {
    struct finding where; /* pointer moves along */
    struct arena *arena;
    struct codes *codes;
    struct findings *findings;
};

static bool fault(struct parse *p, const char *code, const char *format, ...) PRINTF_LIKE(3, 4);
static bool fault(struct parse *p, const char *code, const char *format, ...) {
    char text[500];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    p->where.code = code;
    findings_add(p->findings, &p->where, "%s", text);
    return false;
}

static bool is_key_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '-';
}

static struct str take_word(struct str *at) {
    size_t n = 0;
    while (n < at->len && is_key_char(at->ptr[n]))
        n++;
    struct str word = str_of(at->ptr, n);
    *at = str_of(at->ptr + n, at->len - n);
    return word;
}

/* The inside of [...]: a place in a list, or a key in double quotes without escapes. */
static bool take_bracket(struct str *at, struct path_step *step) {
    size_t end = 1;
    if (at->len && at->ptr[0] == '"') {
        while (end < at->len && at->ptr[end] != '"' && at->ptr[end] != '\\')
            end++;
        if (end + 1 >= at->len || at->ptr[end] != '"' || at->ptr[end + 1] != ']')
            return false;
        step->key = str_of(at->ptr + 1, end - 1);
        *at = str_of(at->ptr + end + 2, at->len - end - 2);
        return true;
    }
    int64_t index;
    size_t close = str_find(*at, STR("]"));
    if (close == SIZE_MAX || !str_to_int64(str_of(at->ptr, close), &index) || index < 0 || index > 1000000 || at->ptr[0] == '-')
        return false;
    step->index = (uint32_t)index;
    *at = str_of(at->ptr + close + 1, at->len - close - 1);
    return true;
}

/* NAME, then any of .key, [0] and ["any key"]. */
static bool parse_path(struct parse *p, struct str text, struct source *out) {
    struct path_step steps[STEPS_MAX];
    struct str at = text;
    size_t n = 0;
    out->name = take_word(&at);
    bool ok = is_name(out->name);
    while (ok && at.len && n < STEPS_MAX) {
        char c = at.ptr[0];
        at = str_of(at.ptr + 1, at.len - 1);
        steps[n] = (struct path_step){0};
        if (c == '.') {
            steps[n].key = take_word(&at);
            ok = steps[n].key.len > 0;
        } else {
            ok = c == '[' && take_bracket(&at, &steps[n]);
        }
        ok = ok && !str_is(steps[n].key, "__proto__");
        n += ok;
    }
    if (!ok || at.len)
        return fault(p, "bad_path", "`" STR_FMT "` is no path: write NAME, then .key, [0] or [\"any key\"], at most %d of them",
                     STR_ARG(text), STEPS_MAX);
    out->name = arena_str(p->arena, out->name);
    out->steps = arena_alloc(p->arena, n * sizeof *steps);
    out->step_count = n;
    for (size_t i = 0; i < n; i++) {
        out->steps[i] = steps[i];
        if (steps[i].key.ptr)
            out->steps[i].key = arena_str(p->arena, steps[i].key);
    }
    return true;
}

static bool parse(struct parse *p, const json_t *json, struct source *out);

static bool parse_part(struct parse *p, struct str outer, const char *kind, struct str token, const json_t *json,
                       struct source *out) {
    struct buf pointer;
    buf_init(&pointer, SIZE_MAX);
    buf_add(&pointer, outer);
    jsonx_pointer_add(&pointer, str_from(kind));
    jsonx_pointer_add(&pointer, token);
    p->where.pointer = arena_str(p->arena, buf_str(&pointer));
    buf_release(&pointer);
    bool ok = parse(p, json, out);
    p->where.pointer = outer;
    return ok;
}

static bool parse_parts(struct parse *p, const char *kind, const json_t *json, struct source *out) {
    bool is_object = out->kind == SOURCE_OBJECT, ok = true;
    const char *key;
    json_t *part;
    size_t i;
    char index[24];
    out->part_count = 0;
    if (is_object) {
        out->parts = arena_alloc(p->arena, json_object_size(json) * sizeof *out->parts);
        out->keys = arena_alloc(p->arena, json_object_size(json) * sizeof *out->keys);
        json_object_foreach((json_t *)(uintptr_t)json, key, part) {
            out->keys[out->part_count] = arena_str(p->arena, str_from(key));
            ok &= parse_part(p, out->pointer, kind, str_from(key), part, &out->parts[out->part_count++]);
        }
        return ok;
    }
    out->parts = arena_alloc(p->arena, json_array_size(json) * sizeof *out->parts);
    json_array_foreach(json, i, part) {
        snprintf(index, sizeof index, "%zu", i);
        ok &= parse_part(p, out->pointer, kind, str_from(index), part, &out->parts[out->part_count++]);
    }
    return ok;
}

static bool parse(struct parse *p, const json_t *json, struct source *out) {
    static const char *const kinds[] = {"from", "value", "code", "secret", "setting", "link", "object", "list"};
    void *found = json_is_object(json) && json_object_size(json) == 1 ? json_object_iter((json_t *)(uintptr_t)json) : NULL;
    size_t kind = 0;
    while (found && kind < ARRAY_LEN(kinds) && strcmp(kinds[kind], json_object_iter_key(found)) != 0)
        kind++;
    if (!found || kind == ARRAY_LEN(kinds))
        return fault(p, "bad_source",
                     "a source is an object with exactly one of from, value, code, secret, setting, link, object and list: keep one");
    const json_t *value = json_object_iter_value(found);
    struct str text = jsonx_string_value(value);
    *out = (struct source){.kind = (enum source_kind)kind, .pointer = p->where.pointer};
    bool wants_string = out->kind != SOURCE_VALUE && out->kind != SOURCE_OBJECT && out->kind != SOURCE_LIST;
    if (wants_string && !json_is_string(value))
        return fault(p, "wrong_type", "`%s` must be a string", kinds[kind]);
    switch (out->kind) {
    case SOURCE_FROM:
        return parse_path(p, text, out);
    case SOURCE_VALUE:
        out->value = value;
        return true;
    case SOURCE_CODE:
        if (text.len > CODE_MAX)
            return fault(p, "too_long", "an expression of more than %d bytes: make it a script", CODE_MAX);
        if (str_trim(text).len == 0)
            return fault(p, "empty_code", "the expression is empty: write one, or remove this input");
        out->code = codes_add(p->codes, CODE_EXPRESSION, text, NULL);
        return true;
    case SOURCE_SECRET:
    case SOURCE_SETTING:
        if (!is_name(text))
            return fault(p, "bad_name", "`" STR_FMT "` is no name of a %s", STR_ARG(text), kinds[kind]);
        out->name = arena_str(p->arena, text);
        return true;
    case SOURCE_LINK:
        if (!is_id(text))
            return fault(p, "bad_name", "`" STR_FMT "` is no block's id", STR_ARG(text));
        out->name = arena_str(p->arena, text);
        return true;
    case SOURCE_OBJECT:
        if (!json_is_object(value))
            return fault(p, "wrong_type", "`object` must be an object whose values are sources");
        return parse_parts(p, kinds[kind], value, out);
    case SOURCE_LIST:
        if (!json_is_array(value))
            return fault(p, "wrong_type", "`list` must be a list of sources");
        return parse_parts(p, kinds[kind], value, out);
    }
    return false;
}

bool source_parse(const json_t *json, const struct finding *where, struct arena *arena, struct codes *codes, struct source *out,
                  struct findings *findings) {
    struct parse p = {.where = *where, .arena = arena, .codes = codes, .findings = findings};
    p.where.pointer = arena_str(arena, where->pointer);
    if (!parse(&p, json, out))
        return false;
    out->json = json;
    return true;
}

void source_walk(const struct source *s, source_fn *fn, void *arg) {
    fn(arg, s);
    for (size_t i = 0; i < s->part_count; i++)
        source_walk(&s->parts[i], fn, arg);
}
