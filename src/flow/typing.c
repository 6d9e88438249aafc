/* typing.c — see typing.h. A mapping is asked about with what may stand behind the names that it reads, and its input's schema.
 */
#include "flow/typing.h"

#include "flow/names.h"

struct reading {
    struct names *n;
    const struct names_there *there;
    json_t *names; /* what is read so far */
    bool refused;  /* by the toolbox */
};

/* {"schemas": [SCHEMA or null], "maybe": true} */
static json_t *describe_name(const struct reading *r, size_t number) {
    const struct names *n = r->n;
    json_t *schemas = json_array(), *name = json_pack("{s:o}", "schemas", schemas);
    for (size_t i = 0; i < n->flow->block_count; i++)
        for (size_t k = 0; k < n->flow->blocks[i].binding_count; k++) {
            const struct binding *b = &n->flow->blocks[i].bindings[k];
            if (str_eq(b->name, n->text[number]) && bits_has(r->there->reach, n->first_binding[i] + k))
                json_array_append_new(schemas, b->schema ? json_incref((json_t *)(uintptr_t)b->schema) : json_null());
        }
    if (!bits_has(r->there->always, number))
        json_object_set_new(name, "maybe", json_true());
    return name;
}

static void read_name(struct reading *r, struct str name) {
    size_t number = names_number(r->n, name);
    if (number != SIZE_MAX && bits_has(r->there->perhaps, number) && !json_object_getn(r->names, name.ptr, name.len))
        json_object_setn_new(r->names, name.ptr, name.len, describe_name(r, number));
}

static void read_source(void *arg, const struct source *s) {
    struct reading *r = arg;
    size_t i;
    json_t *name;
    if (s->kind == SOURCE_FROM)
        read_name(r, s->name);
    if (s->kind != SOURCE_CODE)
        return;
    r->refused |= code_findings(s->code) != NULL;
    const json_t *used = code_uses(s->code, "input");
    json_array_foreach(used, i, name) read_name(r, jsonx_string_value(name));
    for (size_t k = 0; !used && k < r->n->count; k++)
        read_name(r, r->n->text[k]);
}

static void set_text(json_t *object, const char *key, struct str text) { json_object_set_new(object, key, jsonx_from_str(text)); }

void names_type(struct names *n, const struct names_there *there, const struct finding *place, const struct source *s,
                const struct port *port) {
    struct reading r = {.n = n, .there = there, .names = json_object()};
    source_walk(s, read_source, &r);
    json_t *item = json_pack("{s:s, s:O, s:o}", "kind", "mapping", "source", s->json, "names", r.names);
    if (port) {
        set_text(item, "input", port->name);
        json_object_set_new(item, "required", json_boolean(port->required));
    }
    if (port && port->schema)
        json_object_set(item, "wants", (json_t *)(uintptr_t)port->schema);
    json_t *where = json_object();
    set_text(where, "file", place->file);
    set_text(where, "flow", place->flow);
    set_text(where, "block", place->block);
    set_text(where, "at", place->at);
    set_text(where, "pointer", s->pointer);
    json_object_set_new(item, "place", where);
    if (!r.refused)
        json_array_append(n->flow->typing, item);
    json_decref(item);
}

/* ---- the job ---- */

static void add_script(json_t *items, json_t *seen, const struct flow *flow, const struct block *b) {
    char path[300];
    snprintf(path, sizeof path, "flows/" STR_FMT, STR_ARG(jsonx_str(b->json, "script")));
    if (!b->script || code_findings(b->script) || json_object_get(seen, path))
        return;
    json_object_set_new(seen, path, json_true());
    json_t *item = json_pack("{s:s, s:{s:s}}", "kind", "script", "place", "file", path);
    json_t *where = json_object_get(item, "place");
    set_text(item, "text", b->script->text);
    set_text(where, "flow", flow->id);
    set_text(where, "block", b->id);
    json_array_append_new(items, item);
}

static json_t *describe_settings(const struct catalog *w) {
    json_t *settings = json_object(), *declared;
    const char *name;
    json_object_foreach((json_t *)(uintptr_t)w->settings, name, declared) {
        json_t *schema = json_object_get(declared, "schema");
        json_object_set_new(settings, name, schema ? json_incref(schema) : json_pack("{s:s}", "type", "string"));
    }
    return settings;
}

json_t *typing_job(const struct catalog *w) {
    json_t *items = json_array(), *seen = json_object();
    for (size_t i = 0; i < w->flow_count; i++) {
        const struct flow *flow = &w->flows[i];
        if (!flow->is_sound)
            continue;
        json_array_extend(items, flow->typing);
        for (size_t k = 0; k < flow->block_count; k++)
            add_script(items, seen, flow, &flow->blocks[k]);
    }
    json_decref(seen);
    return json_pack("{s:o, s:o}", "settings", describe_settings(w), "items", items);
}

/* ---- the answer ---- */

static void add_finding(const json_t *item, const json_t *found, struct findings *findings) {
    const json_t *place = json_object_get(item, "place");
    int64_t line = jsonx_int(found, "line", 0), column = jsonx_int(found, "column", 0);
    struct str message = jsonx_str(found, "message");
    struct buf pointer;
    buf_init(&pointer, 2000);
    buf_addf(&pointer, STR_FMT STR_FMT, STR_ARG(jsonx_str(place, "pointer")), STR_ARG(jsonx_str(found, "pointer")));
    struct finding f = {.code = "type",
                        .severity = str_is(jsonx_str(found, "severity"), "warning") ? FINDING_WARNING : FINDING_ERROR,
                        .file = jsonx_str(place, "file"),
                        .flow = jsonx_str(place, "flow"),
                        .block = jsonx_str(place, "block"),
                        .at = jsonx_str(place, "at"),
                        .pointer = buf_str(&pointer)};
    bool in_script = str_is(jsonx_str(item, "kind"), "script");
    if (in_script && line > 0 && column > 0) {
        f.line = (unsigned)line;
        f.column = (unsigned)column;
    }
    bool is_told = !in_script && findings_has_other(findings, &f); /* what is plain without types */
    if (!is_told && !in_script && line > 0)
        findings_add(findings, &f, "this expression, line %d, column %d: " STR_FMT, (int)line, (int)column, STR_ARG(message));
    else if (!is_told)
        findings_add(findings, &f, STR_FMT, STR_ARG(message));
    buf_release(&pointer);
}

bool typing_answer(const json_t *job, struct str text, struct findings *findings, struct error *err) {
    json_t *answer = jsonx_parse(text, err), *found;
    size_t i;
    if (!answer)
        return error_wrap(err, "the type checker's answer");
    const json_t *list = json_object_get(answer, "findings"), *items = json_object_get(job, "items");
    bool ok = json_is_array(list);
    json_array_foreach(list, i, found) {
        int64_t item = jsonx_int(found, "item", -1);
        if (item >= 0 && (size_t)item < json_array_size(items))
            add_finding(json_array_get(items, (size_t)item), found, findings);
    }
    json_decref(answer);
    return ok || error_set(err, ERR_PROTOCOL, "the type checker gave no usable answer");
}
