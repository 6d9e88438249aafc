/* finding.c — see finding.h. */
#include "flow/finding.h"

void findings_init(struct findings *f) { *f = (struct findings){0}; }

void findings_release(struct findings *f) {
    arena_release(&f->arena);
    free(f->items);
    findings_init(f);
}

/* A script that several blocks run is looked at for each. */
static bool is_there(const struct findings *f, const struct finding *where, struct str text) {
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *it = &f->items[i];
        if (it->code == where->code && it->line == where->line && it->column == where->column && str_eq(it->file, where->file) &&
            str_eq(it->pointer, where->pointer) && str_eq(it->text, text))
            return true;
    }
    return false;
}

void findings_add(struct findings *f, const struct finding *where, const char *format, ...) {
    char text[1000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c; c++)
        *c = (unsigned char)*c < ' ' || *c == 0x7F ? ' ' : *c; /* it is printed to terminals */
    if (where->severity == FINDING_ERROR)
        f->errors++;
    if (f->count == FINDINGS_MAX || is_there(f, where, str_from(text)))
        return;
    if (f->count == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 16;
        f->items = mem_realloc(f->items, f->cap * sizeof *f->items);
    }
    f->items[f->count++] = (struct finding){
        .severity = where->severity,
        .line = where->line,
        .column = where->column,
        .code = where->code,
        .file = arena_str(&f->arena, where->file),
        .flow = arena_str(&f->arena, where->flow),
        .block = arena_str(&f->arena, where->block),
        .at = arena_str(&f->arena, where->at),
        .pointer = arena_str(&f->arena, where->pointer),
        .text = arena_str(&f->arena, str_from(text)),
    };
}

bool findings_has_other(const struct findings *f, const struct finding *where) {
    for (size_t i = 0; i < f->count; i++)
        if (str_eq(f->items[i].file, where->file) && str_eq(f->items[i].pointer, where->pointer) &&
            strcmp(f->items[i].code, where->code) != 0)
            return true;
    return false;
}

void findings_locate(struct findings *f, struct str file, struct str text) {
    for (size_t i = 0; i < f->count; i++) {
        struct finding *it = &f->items[i];
        if (!it->line && str_eq(it->file, file))
            json_place(text, it->pointer, &it->line, &it->column);
    }
}

static int compare(const struct finding *x, const struct finding *y) {
    int by_file = str_compare(x->file, y->file);
    if (by_file)
        return by_file;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

void findings_sort(struct findings *f) {
    /* An insertion sort: stable, and there are few. */
    for (size_t i = 1; i < f->count; i++) {
        struct finding it = f->items[i];
        size_t at = i;
        for (; at > 0 && compare(&f->items[at - 1], &it) > 0; at--)
            f->items[at] = f->items[at - 1];
        f->items[at] = it;
    }
}

void findings_print(const struct findings *f, struct buf *out) {
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *it = &f->items[i];
        if (it->file.len)
            buf_addf(out, STR_FMT ":", STR_ARG(it->file));
        if (it->line)
            buf_addf(out, "%u:%u:", it->line, it->column);
        buf_addf(out, "%s%s: " STR_FMT " [%s]\n", it->file.len || it->line ? " " : "",
                 it->severity == FINDING_ERROR ? "error" : "warning", STR_ARG(it->text), it->code);
    }
}

static void set_text(json_t *object, const char *key, struct str text) {
    if (text.len)
        json_object_set_new(object, key, jsonx_from_str(text));
}

json_t *findings_json(const struct findings *f) {
    json_t *list = json_array();
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *it = &f->items[i];
        json_t *o = json_object();
        set_text(o, "severity", str_from(it->severity == FINDING_ERROR ? "error" : "warning"));
        set_text(o, "code", str_from(it->code));
        set_text(o, "file", it->file);
        if (it->line) {
            json_object_set_new(o, "line", json_integer(it->line));
            json_object_set_new(o, "column", json_integer(it->column));
        }
        set_text(o, "flow", it->flow);
        set_text(o, "block", it->block);
        set_text(o, "at", it->at);
        set_text(o, "pointer", it->pointer);
        set_text(o, "text", it->text);
        json_array_append_new(list, o);
    }
    return list;
}
