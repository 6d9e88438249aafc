/* compare.c — see compare.h. */
#include "cli/compare.h"

#define LINES_MAX 12       /* of a text that differs */
#define VALUE_SHOWN 400    /* bytes of a value that differs */
#define DIFFERENCES_MAX 20 /* told of one example */

struct differences {
    struct buf *out;
    struct buf pointer;
    size_t count;
};

static void add_value(struct buf *out, const char *label, const json_t *value) {
    struct buf text;
    buf_init(&text, (size_t)64 * 1024 * 1024);
    if (!value)
        buf_adds(&text, "nothing");
    else if (!jsonx_write(value, &text))
        buf_adds(&text, "...");
    buf_addf(out, "      %-9s" STR_FMT "%s\n", label, (int)(text.len > VALUE_SHOWN ? VALUE_SHOWN : text.len), text.ptr,
             text.len > VALUE_SHOWN ? " ..." : "");
    buf_release(&text);
}

static size_t split(struct str text, struct str *lines, size_t max) {
    size_t n = 0;
    while (n < max && str_cut(&text, '\n', &lines[n]))
        n++;
    return n;
}

static size_t count_lines(struct str text) {
    size_t n = 1;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    return n;
}

static void add_lines(struct buf *out, char sign, const struct str *lines, size_t n) {
    for (size_t i = 0; i < n && i < LINES_MAX; i++)
        buf_addf(out, "      %c " STR_FMT "\n", sign, STR_ARG(lines[i]));
    if (n > LINES_MAX)
        buf_addf(out, "      %c ... %zu lines more\n", sign, n - LINES_MAX);
}

/* The lines between what both begin and end with, and the line before them. */
static void add_texts(struct buf *out, struct str expected, struct str got) {
    size_t n = count_lines(expected), m = count_lines(got), same = 0, tail = 0;
    struct str *a = mem_alloc(n * sizeof *a), *b = mem_alloc(m * sizeof *b);
    n = split(expected, a, n);
    m = split(got, b, m);
    while (same < n && same < m && str_eq(a[same], b[same]))
        same++;
    while (tail < n - same && tail < m - same && str_eq(a[n - 1 - tail], b[m - 1 - tail]))
        tail++;
    buf_addf(out, "      line %zu (- expected, + got)\n", same + 1);
    if (same)
        add_lines(out, ' ', &a[same - 1], 1);
    add_lines(out, '-', a + same, n - same - tail);
    add_lines(out, '+', b + same, m - same - tail);
    free(a);
    free(b);
}

static void differ(struct differences *d, const json_t *expected, const json_t *got) {
    struct str a = jsonx_string_value(expected), b = jsonx_string_value(got);
    if (d->count++ >= DIFFERENCES_MAX)
        return;
    buf_addf(d->out, "    %s\n", d->pointer.len ? d->pointer.ptr : "/");
    if (a.ptr && b.ptr && (memchr(a.ptr, '\n', a.len) || memchr(b.ptr, '\n', b.len))) {
        add_texts(d->out, a, b);
    } else {
        add_value(d->out, "expected", expected);
        add_value(d->out, "got", got);
    }
}

static void walk(struct differences *d, const json_t *expected, const json_t *got, bool loose);

static void walk_member(struct differences *d, struct str key, const json_t *expected, const json_t *got, bool loose) {
    size_t before = d->pointer.len;
    jsonx_pointer_add(&d->pointer, key);
    walk(d, expected, got, loose);
    d->pointer.ptr[d->pointer.len = before] = 0;
}

static void walk_object(struct differences *d, const json_t *expected, const json_t *got, bool loose) {
    static const char *const loose_too[] = {"answer", "headers", "error"};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)expected, key, value) {
        bool inner = false;
        for (size_t i = 0; loose && i < ARRAY_LEN(loose_too); i++)
            inner |= strcmp(key, loose_too[i]) == 0;
        walk_member(d, str_from(key), value, json_object_get(got, key), inner);
    }
    json_object_foreach((json_t *)(uintptr_t)got, key, value) {
        if (!loose && !json_object_get(expected, key))
            walk_member(d, str_from(key), NULL, value, false);
    }
}

static void walk_list(struct differences *d, const json_t *expected, const json_t *got) {
    size_t n = json_array_size(expected), m = json_array_size(got);
    char number[24];
    for (size_t i = 0; i < n || i < m; i++) {
        snprintf(number, sizeof number, "%zu", i);
        walk_member(d, str_from(number), json_array_get(expected, i), json_array_get(got, i), false);
    }
}

static void walk(struct differences *d, const json_t *expected, const json_t *got, bool loose) {
    if (json_is_object(expected) && json_is_object(got))
        walk_object(d, expected, got, loose);
    else if (json_is_array(expected) && json_is_array(got))
        walk_list(d, expected, got);
    else if (!(expected && got && json_equal(expected, got)) &&
             !(json_is_number(expected) && json_is_number(got) && json_number_value(expected) == json_number_value(got)))
        differ(d, expected, got);
}

size_t compare(const json_t *expected, const json_t *got, struct buf *out) {
    struct differences d = {.out = out};
    buf_init(&d.pointer, 64 * 1024);
    walk(&d, expected, got, true);
    if (d.count > DIFFERENCES_MAX)
        buf_addf(out, "    ... and %zu differences more\n", d.count - DIFFERENCES_MAX);
    buf_release(&d.pointer);
    return d.count;
}

/* ---- what is not compared ---- */

/* "~1" as "/", "~0" as "~". */
static char *unescape(struct str token) {
    char *out = str_dup(token), *to = out;
    for (const char *at = out; *at; at++)
        *to++ = at[0] == '~' && at[1] == '1' ? (at++, '/') : at[0] == '~' && at[1] == '0' ? (at++, '~') : *at;
    *to = 0;
    return out;
}

static void drop(json_t *value, struct str pointer) {
    struct str token;
    void *next;
    const char *key;
    json_t *member;
    size_t i;
    if (!str_cut(&pointer, '/', &token))
        return;
    char *name = unescape(token);
    bool any = strcmp(name, "*") == 0, last = !pointer.ptr;
    json_object_foreach_safe(value, next, key, member) {
        if (!any && strcmp(key, name) != 0)
            continue;
        if (last)
            json_object_del(value, key);
        else
            drop(member, pointer);
    }
    json_array_foreach(value, i, member) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        if (!any && strcmp(number, name) != 0)
            continue;
        if (last)
            json_array_set_new(value, i, json_null());
        else
            drop(member, pointer);
    }
    free(name);
}

void compare_drop(json_t *value, const json_t *pointers) {
    const json_t *pointer;
    size_t i;
    json_array_foreach(pointers, i, pointer) {
        struct str text = jsonx_string_value(pointer);
        if (str_starts(text, STR("/")))
            drop(value, str_of(text.ptr + 1, text.len - 1));
    }
}
