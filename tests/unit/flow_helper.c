#include "flow_helper.h"

#include <ctype.h>

struct folder *helper_folder(const char *first, ...) {
    struct folder *f = folder_new();
    struct error err;
    va_list args;
    va_start(args, first);
    for (const char *path = first; path; path = va_arg(args, const char *)) {
        char *text = mem_strdup(va_arg(args, const char *));
        if (str_ends(str_from(path), STR(".json")))
            for (char *c = text; *c; c++)
                *c = *c == '\'' ? '"' : *c;
        ENSURE(folder_set(f, str_from(path), str_from(text), &err));
        free(text);
    }
    va_end(args);
    return f;
}

static json_t *names_after(const char *text, const char *prefix) {
    json_t *names = json_array();
    for (const char *at = text; (at = strstr(at, prefix));) {
        at += strlen(prefix);
        size_t n = 0;
        while (isalnum((unsigned char)at[n]) || at[n] == '_' || at[n] == '$')
            n++;
        json_array_append_new(names, json_stringn(at, n));
    }
    return names;
}

static json_t *comment(const char *text, const char *mark) {
    const char *at = strstr(text, mark);
    struct error err;
    if (!at)
        return NULL;
    at += strlen(mark);
    return jsonx_parse(str_of(at, strcspn(at, "\n")), &err);
}

static json_t *answer(const json_t *item) {
    const char *kind = json_string_value(json_object_get(item, "kind")), *text = json_string_value(json_object_get(item, "text"));
    json_t *a = json_pack("{s:O}", "key", json_object_get(item, "key"));
    if (text && strstr(text, "@fault")) {
        json_object_set_new(a, "findings", json_pack("[{s:i, s:i, s:s}]", "line", 2, "column", 5, "message", "unexpected token"));
    } else if (strcmp(kind, "expression") == 0) {
        json_object_set_new(a, "js", json_string(text));
        json_object_set_new(a, "await", json_boolean(strstr(text, "await")));
        json_object_set_new(a, "uses", json_pack("{s:o, s:[]}", "input", names_after(text, "input."), "names"));
        if (strstr(text, "Math."))
            json_array_append_new(json_object_get(json_object_get(a, "uses"), "names"), json_string("Math"));
    } else if (strcmp(kind, "script") == 0) {
        json_t *inputs = comment(text, "// inputs: "), *output = comment(text, "// output: "), *uses = comment(text, "// uses: ");
        json_object_set_new(a, "js", json_string("(function ($) { return function () {}; })"));
        json_object_set_new(a, "signature",
                            json_pack("{s:o, s:o}", "inputs",
                                      inputs ? inputs : json_pack("{s:s, s:{}}", "type", "object", "properties"), "output",
                                      output ? output : json_pack("{s:s}", "type", "number")));
        json_object_set_new(a, "uses", uses ? uses : json_object());
    } else if (str_is(jsonx_str(json_object_get(item, "schema"), "type"), "@fault")) {
        json_object_set_new(a, "findings",
                            json_pack("[{s:i, s:i, s:s}]", "line", 1, "column", 1, "message", "there is no type @fault"));
    } else {
        json_object_set_new(a, "js", json_string("(function (lib) { return function () { return true; }; })"));
    }
    return a;
}

void helper_toolbox(void *arg, struct str job, release_toolbox_done_fn *done, void *done_arg) {
    struct helper_build *b = arg;
    struct error err;
    struct buf text;
    json_t *request = jsonx_parse(job, &err), *answers = json_array(), *item, *reply;
    size_t i;
    if (b)
        b->jobs++;
    ENSURE(request);
    json_array_foreach(json_object_get(request, "items"), i, item) json_array_append_new(answers, answer(item));
    reply = json_pack("{s:o}", "items", answers);
    buf_init(&text, 1 << 24);
    ENSURE(jsonx_write(reply, &text));
    json_decref(reply);
    json_decref(request);
    done(done_arg, buf_str(&text), NULL);
    buf_release(&text);
}

static bool cache_get(void *arg, const char *key, struct buf *out) {
    struct helper_build *b = arg;
    const char *text = map_find(&b->cache, str_from(key));
    return text && buf_adds(out, text);
}

static void cache_put(void *arg, const char *key, struct str value) {
    struct helper_build *b = arg;
    free(map_set(&b->cache, str_from(key), str_dup(value)));
}

static void on_done(void *arg, struct release *release, const struct findings *findings) {
    struct helper_build *b = arg;
    b->release = release;
    b->findings = findings_json(findings);
    findings_print(findings, &b->printed);
}

void helper_build(struct helper_build *b, const struct folder *folder) {
    struct release_env env = {
        .toolbox = helper_toolbox, .toolbox_arg = b, .cache_get = cache_get, .cache_put = cache_put, .cache_arg = b};
    release_unref(b->release);
    json_decref(b->findings);
    buf_release(&b->printed);
    buf_init(&b->printed, 1 << 20);
    release_build_start(folder, &env, on_done, b);
}

void helper_build_release(struct helper_build *b) {
    size_t at = 0;
    for (struct map_entry *e; (e = map_next(&b->cache, &at));)
        free(e->value);
    map_release(&b->cache);
    release_unref(b->release);
    json_decref(b->findings);
    buf_release(&b->printed);
}

bool helper_found(const struct helper_build *b, const char *code) {
    size_t i;
    json_t *f;
    json_array_foreach(b->findings, i, f) {
        if (strcmp(json_string_value(json_object_get(f, "code")), code) == 0)
            return true;
    }
    return false;
}
