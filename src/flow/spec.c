/* spec.c — see spec.h. */
#include "flow/spec.h"

#include "flow/example.h"
#include "flow/flow.h"

static json_t *source_schema(void) {
    json_t *any = json_array(), *self = json_pack("{s:s}", "$ref", "#/$defs/source");
    json_t *path = json_pack("{s:s, s:s}", "type", "string", "description", "a name, then any of .key, [0] and [\"any key\"]");
    json_t *code = json_pack("{s:s, s:s}", "type", "string", "description", "one TypeScript expression over `input`");
    json_t *name = shape_schema(&shape_name, NULL);
    const struct {
        const char *key;
        json_t *schema;
    } kinds[] = {
        {"from", path},
        {"value", json_pack("{s:s}", "description", "a constant")},
        {"code", code},
        {"secret", name},
        {"setting", json_incref(name)},
        {"link", shape_schema(&shape_id, NULL)},
        {"object", json_pack("{s:s, s:O}", "type", "object", "additionalProperties", self)},
        {"list", json_pack("{s:s, s:O}", "type", "array", "items", self)},
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        json_array_append_new(any, json_pack("{s:s, s:{s:o}, s:[s], s:b}", "type", "object", "properties", kinds[i].key,
                                             kinds[i].schema, "required", kinds[i].key, "additionalProperties", false));
    json_decref(self);
    return json_pack("{s:s, s:o}", "description", "where a value comes from", "oneOf", any);
}

static json_t *document(const char *title, const struct shape *shape, json_t *defs) {
    json_t *schema = json_pack("{s:s, s:s}", "$schema", "https://json-schema.org/draft/2020-12/schema", "title", title);
    json_t *rest = shape_schema(shape, defs);
    json_object_update(schema, rest);
    if (json_object_size(defs))
        json_object_set(schema, "$defs", defs);
    json_decref(rest);
    json_decref(defs);
    return schema;
}

json_t *spec_flow(void) { return document("A flow: flows/ID.json", &flow_shape, json_pack("{s:o}", "source", source_schema())); }

json_t *spec_example(void) { return document("An example of a flow: examples/FLOW.NAME.json", &example_shape, json_object()); }

json_t *spec_workspace(void) { return document("A workspace: workspace.json", &workspace_shape, json_object()); }
