/* code.c — see code.h. */
#include "flow/code.h"

#include <sodium.h>

static const char *const kind_names[] = {"script", "expression", "schema", "value"};

void codes_init(struct codes *c, struct str version) {
    *c = (struct codes){.version = version};
    map_init(&c->by_key);
    c->last = &c->first;
}

void codes_release(struct codes *c) {
    for (struct code *it = c->first; it; it = it->next)
        json_decref(it->answer);
    map_release(&c->by_key);
    arena_release(&c->arena);
    codes_init(c, (struct str){NULL, 0});
}

void code_digest(struct str text, char key[CODE_KEY_SIZE]) {
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)text.ptr, text.len);
    hex_write(hash, sizeof hash, key);
}

static void digest(const struct codes *c, enum code_kind kind, struct str text, char key[CODE_KEY_SIZE]) {
    struct buf all;
    buf_init(&all, SIZE_MAX);
    buf_addf(&all, "%s " STR_FMT " ", kind_names[kind], STR_ARG(c->version));
    buf_add(&all, text);
    code_digest(buf_str(&all), key);
    buf_release(&all);
}

struct code *codes_add(struct codes *c, enum code_kind kind, struct str text, const json_t *schema) {
    struct buf written;
    char key[CODE_KEY_SIZE];
    buf_init(&written, SIZE_MAX);
    if (schema) {
        jsonx_write(schema, &written);
        text = buf_str(&written);
    }
    digest(c, kind, text, key);
    struct code *code = map_find(&c->by_key, str_from(key));
    if (!code) {
        code = arena_alloc(&c->arena, sizeof *code);
        code->kind = kind;
        memcpy(code->key, key, sizeof key);
        code->text = schema ? (struct str){NULL, 0} : arena_str(&c->arena, text);
        code->schema = schema;
        map_set(&c->by_key, str_from(key), code);
        *c->last = code;
        c->last = &code->next;
    }
    buf_release(&written);
    return code;
}

size_t codes_job(const struct codes *c, struct buf *out) {
    json_t *items = json_array();
    for (const struct code *it = c->first; it; it = it->next) {
        if (it->answer)
            continue;
        json_t *item = json_pack("{s:s, s:s}", "kind", kind_names[it->kind], "key", it->key);
        if (it->schema)
            json_object_set(item, "schema", (json_t *)(uintptr_t)it->schema);
        else
            json_object_set_new(item, "text", jsonx_from_str(it->text));
        json_array_append_new(items, item);
    }
    size_t count = json_array_size(items);
    json_t *job = json_pack("{s:o}", "items", items);
    jsonx_write(job, out);
    json_decref(job);
    return count;
}

/* The toolbox ran somebody's text, so its answer is looked at before it is believed. */
static bool is_list_of_strings(const json_t *list) {
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) {
        if (!json_is_string(item))
            return false;
    }
    return true;
}

static bool is_answer(const struct code *c, const json_t *answer) {
    const json_t *findings = json_object_get(answer, "findings"), *uses = json_object_get(answer, "uses");
    const char *key;
    json_t *used;
    if (json_is_array(findings) && json_array_size(findings))
        return true;
    if (!json_is_string(json_object_get(answer, "js")))
        return false;
    json_object_foreach((json_t *)(uintptr_t)uses, key, used) {
        if (!is_list_of_strings(used))
            return false;
    }
    return c->kind != CODE_SCRIPT || json_is_object(json_object_get(answer, "signature"));
}

bool codes_answer(struct codes *c, struct str text, struct error *err) {
    json_t *answer = jsonx_parse(text, err), *item;
    size_t i;
    if (!answer)
        return error_wrap(err, "the toolbox's answer");
    json_array_foreach(json_object_get(answer, "items"), i, item) {
        struct code *code = map_find(&c->by_key, jsonx_str(item, "key"));
        if (code && !code->answer && is_answer(code, item))
            code->answer = json_incref(item);
    }
    json_decref(answer);
    for (const struct code *it = c->first; it; it = it->next)
        if (!it->answer)
            return error_set(err, ERR_PROTOCOL, "the toolbox gave no usable answer for a %s", kind_names[it->kind]);
    return true;
}

bool code_set_answer(struct code *c, struct str text) {
    struct error err;
    json_t *answer = jsonx_parse(text, &err);
    if (!answer || !is_answer(c, answer)) {
        json_decref(answer);
        return false;
    }
    c->answer = answer;
    c->cached = true;
    return true;
}

struct str code_js(const struct code *c) {
    return jsonx_str(c->answer, "js");
}

bool code_awaits(const struct code *c) { return jsonx_bool(c->answer, "await", false); }

const json_t *code_uses(const struct code *c, const char *what) {
    const json_t *list = json_object_get(json_object_get(c->answer, "uses"), what);
    return json_is_array(list) ? list : NULL;
}

const json_t *code_findings(const struct code *c) {
    const json_t *list = json_object_get(c->answer, "findings");
    return json_array_size(list) ? list : NULL;
}

const json_t *code_signature(const struct code *c, const char *part) {
    return json_object_get(json_object_get(c->answer, "signature"), part);
}
