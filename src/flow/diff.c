/* diff.c — see diff.h. */
#include "flow/diff.h"

#define KEY_MAX 1000

static json_t *add(json_t *changes, const char *kind, const char *at, const json_t *before, const json_t *after) {
    const char *change = !before ? "added" : !after ? "removed" : "changed";
    json_t *it = json_pack("{s:s, s:s, s:s}", "kind", kind, "change", change, "at", at);
    if (before)
        json_object_set(it, "before", (json_t *)(uintptr_t)before);
    if (after)
        json_object_set(it, "after", (json_t *)(uintptr_t)after);
    json_array_append_new(changes, it);
    return it;
}

static bool same(const json_t *x, const json_t *y) { return x == y || (x && y && json_equal(x, y)); }

/* Names of all members that one of two objects has, those of `after` first. */
static json_t *names_of(const json_t *before, const json_t *after) {
    json_t *names = json_object(), *value;
    const char *name;
    json_object_foreach((json_t *)(uintptr_t)after, name, value) json_object_set_new(names, name, json_null());
    json_object_foreach((json_t *)(uintptr_t)before, name, value) json_object_set_new(names, name, json_null());
    return names;
}

/* ---- blocks, connections and their mappings ---- */

/* {KEY: element}; what has no key, or one that was there before, is told apart by its place. */
static json_t *by_key(const json_t *list, void (*key_of)(const json_t *element, char out[KEY_MAX])) {
    json_t *all = json_object(), *element;
    char key[KEY_MAX];
    size_t i;
    json_array_foreach(list, i, element) {
        key_of(element, key);
        if (!key[0] || json_object_get(all, key)) {
            size_t n = strlen(key);
            snprintf(key + n, sizeof key - n, "[%zu]", i);
        }
        json_object_set(all, key, element);
    }
    return all;
}

static void block_key(const json_t *block, char out[KEY_MAX]) {
    snprintf(out, KEY_MAX, "%.200s", jsonx_str(block, "id").ptr ? jsonx_str(block, "id").ptr : "");
}

static void connection_key(const json_t *connection, char out[KEY_MAX]) {
    struct str from = jsonx_str(connection, "from"), to = jsonx_str(connection, "to");
    snprintf(out, KEY_MAX, "%.200s -> %.200s", from.ptr ? from.ptr : "", to.ptr ? to.ptr : "");
}

static void diff_block(json_t *changes, const char *at, const json_t *before, const json_t *after) {
    json_t *it = add(changes, "block", at, before, after), *names, *fields, *ignored;
    const char *name;
    if (!before || !after)
        return;
    names = names_of(before, after);
    fields = json_array();
    json_object_foreach(names, name, ignored) {
        if (!same(json_object_get(before, name), json_object_get(after, name)))
            json_array_append_new(fields, json_string(name));
    }
    json_object_set_new(it, "fields", fields);
    json_decref(names);
}

static void diff_connection(json_t *changes, const char *at, const json_t *before, const json_t *after) {
    if (!before || !after) {
        add(changes, "connection", at, before, after);
        return;
    }
    const json_t *old = json_object_get(before, "map"), *new = json_object_get(after, "map");
    json_t *names = names_of(old, new), *ignored;
    const char *input;
    json_object_foreach(names, input, ignored) {
        const json_t *was = json_object_get(old, input), *is = json_object_get(new, input);
        if (!same(was, is))
            json_object_set_new(add(changes, "mapping", at, was, is), "input", json_string(input));
    }
    json_decref(names);
}

static void diff_list(json_t *changes, const json_t *before, const json_t *after, void (*key_of)(const json_t *, char[KEY_MAX]),
                      void (*diff)(json_t *, const char *, const json_t *, const json_t *)) {
    json_t *old = by_key(before, key_of), *new = by_key(after, key_of), *names = names_of(old, new), *ignored;
    const char *key;
    json_object_foreach(names, key, ignored) {
        if (!same(json_object_get(old, key), json_object_get(new, key)))
            diff(changes, key, json_object_get(old, key), json_object_get(new, key));
    }
    json_decref(names);
    json_decref(old);
    json_decref(new);
}

/* ---- scripts ---- */

static size_t common_start(struct str a, struct str b, unsigned *line) {
    size_t i = 0, start = 0;
    while (i < a.len && i < b.len && a.ptr[i] == b.ptr[i])
        if (a.ptr[i++] == '\n') {
            start = i;
            ++*line;
        }
    if (i == a.len && i == b.len)
        start = i;
    return start;
}

/* Whole lines at the end that both have. */
static size_t common_end(struct str a, struct str b) {
    size_t n = 0, end = 0;
    while (n < a.len && n < b.len && a.ptr[a.len - 1 - n] == b.ptr[b.len - 1 - n]) {
        if (n && a.ptr[a.len - 1 - n] == '\n')
            end = n;
        n++;
    }
    bool a_whole = n == a.len && (n == b.len || b.ptr[b.len - 1 - n] == '\n');
    bool b_whole = n == b.len && (n == a.len || a.ptr[a.len - 1 - n] == '\n');
    return a_whole || b_whole ? n : end;
}

/* The lines from the first that differs to the last. */
static void diff_script(json_t *changes, const char *path, const json_t *before, const json_t *after) {
    struct str old = jsonx_string_value(before), new = jsonx_string_value(after);
    unsigned line = 1;
    if (!before || !after) {
        add(changes, "script", path, before, after);
        return;
    }
    size_t start = common_start(old, new, &line);
    old = str_of(old.ptr + start, old.len - start);
    new = str_of(new.ptr + start, new.len - start);
    size_t end = common_end(old, new);
    json_t *was = jsonx_from_str(str_of(old.ptr, old.len - end)), *is = jsonx_from_str(str_of(new.ptr, new.len - end));
    json_object_set_new(add(changes, "script", path, was, is), "line", json_integer(line));
    json_decref(was);
    json_decref(is);
}

/* ---- the whole ---- */

static void diff_members(json_t *changes, const char *kind, const json_t *before, const json_t *after) {
    json_t *names = names_of(before, after), *ignored;
    const char *name;
    json_object_foreach(names, name, ignored) {
        const json_t *was = json_object_get(before, name), *is = json_object_get(after, name);
        if (strcmp(name, "blocks") != 0 && strcmp(name, "connections") != 0 && strcmp(name, "layout") != 0 && !same(was, is))
            add(changes, kind, name, was, is);
    }
    json_decref(names);
}

json_t *flow_diff(const json_t *before, const json_t *after) {
    const json_t *old = json_object_get(before, "document"), *new = json_object_get(after, "document");
    const json_t *old_scripts = json_object_get(before, "scripts"), *new_scripts = json_object_get(after, "scripts");
    json_t *changes = json_array(), *scripts, *ignored;
    const char *path;
    diff_members(changes, "flow", old, new);
    diff_list(changes, json_object_get(old, "blocks"), json_object_get(new, "blocks"), block_key, diff_block);
    diff_list(changes, json_object_get(old, "connections"), json_object_get(new, "connections"), connection_key, diff_connection);
    scripts = names_of(old_scripts, new_scripts);
    json_object_foreach(scripts, path, ignored) {
        if (!same(json_object_get(old_scripts, path), json_object_get(new_scripts, path)))
            diff_script(changes, path, json_object_get(old_scripts, path), json_object_get(new_scripts, path));
    }
    json_decref(scripts);
    if (!same(json_object_get(old, "layout"), json_object_get(new, "layout")))
        add(changes, "layout", "layout", json_object_get(old, "layout"), json_object_get(new, "layout"));
    return changes;
}
