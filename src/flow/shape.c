/* shape.c — see shape.h. */
#include "flow/shape.h"

#include <ctype.h>

#define ID_MAX 64

const struct shape shape_id = {.kind = SHAPE_ID};
const struct shape shape_name = {.kind = SHAPE_NAME};
const struct shape shape_title = {.kind = SHAPE_STRING, .max = 200};
const struct shape shape_text = {.kind = SHAPE_STRING};
const struct shape shape_bool = {.kind = SHAPE_BOOL};
const struct shape shape_schema_value = {.kind = SHAPE_SCHEMA};
const struct shape shape_source = {.kind = SHAPE_SOURCE};
const struct shape shape_json = {.kind = SHAPE_JSON};

bool is_id(struct str s) {
    if (s.len < 1 || s.len > ID_MAX || s.ptr[0] < 'a' || s.ptr[0] > 'z')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return true;
}

bool is_name(struct str s) {
    if (s.len < 1 || s.len > ID_MAX || str_is(s, "__proto__"))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return true;
}

static const struct shape *find_variant(const struct shape *s, const json_t *value) {
    const char *name, *wanted = json_string_value(json_object_get(value, s->by));
    const struct shape *v = NULL;
    for (size_t i = 0; wanted && (v = s->variant(i, &name)); i++)
        if (strcmp(name, wanted) == 0)
            break;
    return v;
}

/* ---- checking ---- */

struct check {
    const struct finding *where;
    struct findings *out;
    struct buf pointer; /* of the value under the eye */
    bool ok;
};

static void fault(struct check *c, const char *code, const char *format, ...) PRINTF_LIKE(3, 4);
static void fault(struct check *c, const char *code, const char *format, ...) {
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct finding f = *c->where;
    f.code = code;
    f.pointer = buf_str(&c->pointer);
    findings_add(c->out, &f, "%s", text);
    c->ok = false;
}

static const char *kind_name(const struct shape *s) {
    switch (s->kind) {
    case SHAPE_BOOL:
        return "true or false";
    case SHAPE_INT:
        return "a whole number";
    case SHAPE_NUMBER:
        return "a number";
    case SHAPE_LIST:
        return "a list";
    case SHAPE_STRING:
    case SHAPE_ID:
    case SHAPE_NAME:
    case SHAPE_CHOICE:
        return "a string";
    case SHAPE_OBJECT:
    case SHAPE_MAP:
    case SHAPE_VARIANT:
    case SHAPE_SCHEMA:
    case SHAPE_SOURCE:
    case SHAPE_JSON:
        break;
    }
    return "an object";
}

static bool has_kind(const struct shape *s, const json_t *value) {
    switch (s->kind) {
    case SHAPE_BOOL:
        return json_is_boolean(value);
    case SHAPE_INT:
        return json_is_integer(value);
    case SHAPE_NUMBER:
        return json_is_number(value);
    case SHAPE_LIST:
        return json_is_array(value);
    case SHAPE_STRING:
    case SHAPE_ID:
    case SHAPE_NAME:
    case SHAPE_CHOICE:
        return json_is_string(value);
    case SHAPE_OBJECT:
    case SHAPE_MAP:
    case SHAPE_VARIANT:
    case SHAPE_SCHEMA:
    case SHAPE_SOURCE:
        return json_is_object(value);
    case SHAPE_JSON:
        break;
    }
    return true;
}

static void list_words(const char *const *words, struct buf *out) {
    for (; *words; words++)
        buf_addf(out, "%s%s", out->len ? ", " : "", *words);
}

static void check_value(struct check *c, const struct shape *s, const json_t *value);

static void check_member(struct check *c, const struct shape *s, struct str token, const json_t *value) {
    size_t before = c->pointer.len;
    jsonx_pointer_add(&c->pointer, token);
    check_value(c, s, value);
    c->pointer.len = before;
}

static const struct shape_key *find_key(const struct shape *s, const char *name) {
    for (const struct shape_key *k = s->keys; k->name; k++)
        if (strcmp(k->name, name) == 0)
            return k;
    return NULL;
}

static void unknown_key(struct check *c, const struct shape *s, struct str key) {
    struct buf known;
    size_t before = c->pointer.len;
    buf_init(&known, 400);
    for (const struct shape_key *k = s->keys; k->name; k++)
        buf_addf(&known, "%s%s", known.len ? ", " : "", k->name);
    jsonx_pointer_add(&c->pointer, key);
    fault(c, "unknown_key", "there is no key `" STR_FMT "` here: remove it or use one of %s", STR_ARG(key), known.ptr);
    c->pointer.len = before;
    buf_release(&known);
}

static void check_object(struct check *c, const struct shape *s, const json_t *value) {
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, key, member) {
        const struct shape_key *k = find_key(s, key);
        if (k)
            check_member(c, k->shape, str_from(key), member);
        else
            unknown_key(c, s, str_from(key));
    }
    for (const struct shape_key *k = s->keys; k->name; k++)
        if (k->required && !json_object_get(value, k->name))
            fault(c, "missing_key", "`%s` is missing: add it (%s)", k->name, k->about);
}

static void check_map(struct check *c, const struct shape *s, const json_t *value) {
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)(uintptr_t)value, key, member) {
        if (s->names && !is_name(str_from(key)))
            fault(c, "bad_name", "`%.100s` is no name: use letters, digits, _ and $, at most 64, no digit first", key);
        check_member(c, s->item, str_from(key), member);
    }
}

static void check_variant(struct check *c, const struct shape *s, const json_t *value) {
    const struct shape *v = find_variant(s, value);
    if (v) {
        check_value(c, v, value);
        return;
    }
    struct buf names;
    const char *name;
    size_t before = c->pointer.len;
    buf_init(&names, 400);
    for (size_t i = 0; s->variant(i, &name); i++)
        buf_addf(&names, "%s%s", i ? ", " : "", name);
    const json_t *given = json_object_get(value, s->by);
    if (json_is_string(given)) {
        jsonx_pointer_add(&c->pointer, str_from(s->by));
        fault(c, "unknown_type", "there is no %s `%.100s`: use one of %s", s->by, json_string_value(given), names.ptr);
    } else {
        fault(c, "missing_key", "`%s` is missing: add it, one of %s", s->by, names.ptr);
    }
    c->pointer.len = before;
    buf_release(&names);
}

static void check_choice(struct check *c, const struct shape *s, const json_t *value) {
    const char *given = json_string_value(value);
    for (const char *const *choice = s->choices; *choice; choice++)
        if (strcmp(*choice, given) == 0)
            return;
    struct buf words;
    buf_init(&words, 400);
    list_words(s->choices, &words);
    fault(c, "bad_value", "`%.100s` is none of the values that are possible here: %s", given, words.ptr);
    buf_release(&words);
}

/* As JSON Schema counts them: code points (RFC 8259, 7). */
static size_t characters(const json_t *string) {
    struct str s = jsonx_string_value(string);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
    return n;
}

static void check_value(struct check *c, const struct shape *s, const json_t *value) {
    if (s->or_null && json_is_null(value))
        return;
    if (!has_kind(s, value)) {
        fault(c, "wrong_type", "this must be %s%s", kind_name(s), s->or_null ? " or null" : "");
        return;
    }
    size_t i;
    json_t *item;
    char index[24];
    double number = json_number_value(value);
    switch (s->kind) {
    case SHAPE_ID:
        if (!is_id(jsonx_string_value(value)))
            fault(c, "bad_id", "`%.100s` is no id: use a-z, then a-z, 0-9, _ and -, at most 64", json_string_value(value));
        break;
    case SHAPE_NAME:
        if (!is_name(jsonx_string_value(value)))
            fault(c, "bad_name", "`%.100s` is no name: use letters, digits, _ and $, at most 64, no digit first",
                  json_string_value(value));
        break;
    case SHAPE_STRING:
        if (s->max && (int64_t)characters(value) > s->max)
            fault(c, "too_long", "this text is longer than %lld characters: shorten it", (long long)s->max);
        if ((int64_t)characters(value) < s->min)
            fault(c, "too_short", "this text must have %lld characters or more", (long long)s->min);
        break;
    case SHAPE_INT:
    case SHAPE_NUMBER:
        if (number < (double)s->min || number > (double)s->max)
            fault(c, "bad_value", "this number must be from %lld to %lld", (long long)s->min, (long long)s->max);
        break;
    case SHAPE_CHOICE:
        check_choice(c, s, value);
        break;
    case SHAPE_OBJECT:
        check_object(c, s, value);
        break;
    case SHAPE_LIST:
        if (s->max && (int64_t)json_array_size(value) > s->max) {
            fault(c, "too_many", "this list holds more than %lld items", (long long)s->max);
            break;
        }
        json_array_foreach(value, i, item) {
            snprintf(index, sizeof index, "%zu", i);
            check_member(c, s->item, str_from(index), item);
        }
        break;
    case SHAPE_MAP:
        check_map(c, s, value);
        break;
    case SHAPE_VARIANT:
        check_variant(c, s, value);
        break;
    case SHAPE_BOOL:
    case SHAPE_SCHEMA:
    case SHAPE_SOURCE:
    case SHAPE_JSON:
        break;
    }
}

bool shape_check(const struct shape *s, const json_t *value, const struct finding *where, struct findings *out) {
    struct check c = {.where = where, .out = out, .ok = true};
    buf_init(&c.pointer, 1 << 20);
    buf_add(&c.pointer, where->pointer);
    check_value(&c, s, value);
    buf_release(&c.pointer);
    return c.ok;
}

/* ---- ordering ---- */

static json_t *order_object(const struct shape *s, json_t *value) {
    json_t *ordered = json_object(), *member;
    const char *key;
    for (const struct shape_key *k = s->keys; k->name; k++)
        if ((member = json_object_get(value, k->name)))
            json_object_set_new(ordered, k->name, shape_order(k->shape, member));
    json_object_foreach(value, key, member) {
        if (!find_key(s, key))
            json_object_set(ordered, key, member);
    }
    return ordered;
}

json_t *shape_order(const struct shape *s, json_t *value) {
    json_t *ordered, *member;
    const char *key;
    size_t i;
    if (s->kind == SHAPE_VARIANT)
        s = find_variant(s, value);
    if (s && s->kind == SHAPE_OBJECT && json_is_object(value))
        return order_object(s, value);
    if (s && s->kind == SHAPE_MAP && json_is_object(value)) {
        ordered = json_object();
        json_object_foreach(value, key, member) json_object_set_new(ordered, key, shape_order(s->item, member));
        return ordered;
    }
    if (s && s->kind == SHAPE_LIST && json_is_array(value)) {
        ordered = json_array();
        json_array_foreach(value, i, member) json_array_append_new(ordered, shape_order(s->item, member));
        return ordered;
    }
    return json_incref(value);
}

/* ---- describing ---- */

#define ID_PATTERN "^[a-z][a-z0-9_-]{0,63}$"
#define NAME_PATTERN "^[A-Za-z_$][A-Za-z0-9_$]{0,63}$"

static json_t *schema_of_object(const struct shape *s, const char *by, const char *value, json_t *defs) {
    json_t *properties = json_object(), *required = json_array();
    for (const struct shape_key *k = s->keys; k->name; k++) {
        json_t *member = by && strcmp(by, k->name) == 0 ? json_pack("{s:s}", "const", value) : shape_schema(k->shape, defs);
        if (k->about)
            json_object_set_new(member, "description", json_string(k->about));
        json_object_set_new(properties, k->name, member);
        if (k->required)
            json_array_append_new(required, json_string(k->name));
    }
    json_t *schema = json_pack("{s:s, s:o}", "type", "object", "properties", properties);
    if (json_array_size(required))
        json_object_set(schema, "required", required);
    json_object_set_new(schema, "additionalProperties", json_false());
    json_decref(required);
    return schema;
}

static json_t *schema_of_variant(const struct shape *s, json_t *defs) {
    json_t *any = json_array();
    const struct shape *v;
    const char *value;
    for (size_t i = 0; (v = s->variant(i, &value)); i++)
        json_array_append_new(any, schema_of_object(v, s->by, value, defs));
    return json_pack("{s:o}", "oneOf", any);
}

static json_t *schema_of(const struct shape *s, json_t *defs) {
    json_t *schema, *choices;
    switch (s->kind) {
    case SHAPE_STRING:
        schema = json_pack("{s:s}", "type", "string");
        if (s->min)
            json_object_set_new(schema, "minLength", json_integer(s->min));
        if (s->max)
            json_object_set_new(schema, "maxLength", json_integer(s->max));
        return schema;
    case SHAPE_ID:
        return json_pack("{s:s, s:s}", "type", "string", "pattern", ID_PATTERN);
    case SHAPE_NAME:
        return json_pack("{s:s, s:s}", "type", "string", "pattern", NAME_PATTERN);
    case SHAPE_CHOICE:
        choices = json_array();
        for (const char *const *choice = s->choices; *choice; choice++)
            json_array_append_new(choices, json_string(*choice));
        return json_pack("{s:o}", "enum", choices);
    case SHAPE_BOOL:
        return json_pack("{s:s}", "type", "boolean");
    case SHAPE_INT:
    case SHAPE_NUMBER:
        return json_pack("{s:s, s:I, s:I}", "type", s->kind == SHAPE_INT ? "integer" : "number", "minimum", (json_int_t)s->min,
                         "maximum", (json_int_t)s->max);
    case SHAPE_OBJECT:
        return schema_of_object(s, NULL, NULL, defs);
    case SHAPE_LIST:
        schema = json_pack("{s:s, s:o}", "type", "array", "items", shape_schema(s->item, defs));
        if (s->max)
            json_object_set_new(schema, "maxItems", json_integer(s->max));
        return schema;
    case SHAPE_MAP:
        schema = json_pack("{s:s, s:o}", "type", "object", "additionalProperties", shape_schema(s->item, defs));
        if (s->names)
            json_object_set_new(schema, "propertyNames", json_pack("{s:s}", "pattern", NAME_PATTERN));
        return schema;
    case SHAPE_VARIANT:
        return schema_of_variant(s, defs);
    case SHAPE_SCHEMA:
        return json_pack("{s:s}", "$ref", "https://json-schema.org/draft/2020-12/schema");
    case SHAPE_SOURCE:
        return json_pack("{s:s}", "$ref", "#/$defs/source");
    case SHAPE_JSON:
        break;
    }
    return json_object();
}

static json_t *or_null(json_t *schema) { return json_pack("{s:[o, {s:s}]}", "anyOf", schema, "type", "null"); }

json_t *shape_schema(const struct shape *s, json_t *defs) {
    char pointer[100];
    if (s->or_null) {
        struct shape only = *s;
        only.or_null = false;
        return or_null(shape_schema(&only, defs));
    }
    if (!s->ref)
        return schema_of(s, defs);
    if (!json_object_get(defs, s->ref)) {
        json_object_set_new(defs, s->ref, json_null()); /* keeps its place, and shapes that hold themselves from going on */
        json_object_set_new(defs, s->ref, schema_of(s, defs));
    }
    snprintf(pointer, sizeof pointer, "#/$defs/%s", s->ref);
    return json_pack("{s:s}", "$ref", pointer);
}
