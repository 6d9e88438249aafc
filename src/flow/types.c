/* types.c — see types.h. */
#include "flow/types.h"

static const struct {
    const char *name, *article;
    unsigned types;
} names[] = {
    {"object", "an", TYPE_OBJECT},   {"array", "an", TYPE_ARRAY},
    {"string", "a", TYPE_STRING},    {"number", "a", TYPE_INTEGER | TYPE_NUMBER},
    {"integer", "an", TYPE_INTEGER}, {"boolean", "a", TYPE_BOOLEAN},
    {"null", "", TYPE_NULL},
};

static unsigned types_of_name(const json_t *name) {
    for (size_t i = 0; json_is_string(name) && i < ARRAY_LEN(names); i++)
        if (strcmp(names[i].name, json_string_value(name)) == 0)
            return names[i].types;
    return TYPE_ANY;
}

unsigned types_of_value(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return TYPE_OBJECT;
    case JSON_ARRAY:
        return TYPE_ARRAY;
    case JSON_STRING:
        return TYPE_STRING;
    case JSON_INTEGER:
        return TYPE_INTEGER;
    case JSON_REAL:
        return TYPE_NUMBER;
    case JSON_TRUE:
    case JSON_FALSE:
        return TYPE_BOOLEAN;
    case JSON_NULL:
        return TYPE_NULL;
    }
    return TYPE_ANY;
}

static unsigned any_of(const json_t *list, unsigned (*types)(const json_t *item)) {
    unsigned all = 0;
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) all |= types(item);
    return all ? all : TYPE_ANY;
}

unsigned types_of_schema(const json_t *schema) {
    const json_t *type = json_object_get(schema, "type"), *constant = json_object_get(schema, "const");
    unsigned types = json_is_array(type) ? any_of(type, types_of_name) : types_of_name(type);
    if (constant)
        types &= types_of_value(constant);
    if (json_is_array(json_object_get(schema, "enum")))
        types &= any_of(json_object_get(schema, "enum"), types_of_value);
    for (const char *const *key = (const char *const[]){"anyOf", "oneOf", NULL}; *key; key++)
        if (json_is_array(json_object_get(schema, *key)))
            types &= any_of(json_object_get(schema, *key), types_of_schema);
    return types;
}

void types_write(unsigned types, struct buf *out) {
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if ((types & names[i].types) != names[i].types)
            continue;
        buf_addf(out, "%s%s%s%s", out->len ? " or " : "", names[i].article, names[i].article[0] ? " " : "", names[i].name);
        types &= ~names[i].types;
    }
}

const json_t *types_follow(const json_t *schema, const struct path_step *steps, size_t count) {
    for (size_t i = 0; schema && i < count; i++) {
        if (steps[i].key.ptr)
            schema = json_object_getn(json_object_get(schema, "properties"), steps[i].key.ptr, steps[i].key.len);
        else
            schema = json_object_get(schema, "items");
    }
    return schema;
}
