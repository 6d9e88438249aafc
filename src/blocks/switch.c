/* switch.c — Switch: one of several ways, by a value. Each case is a pin; `default` is for what fits none. */
#include "blocks/blocks.h"

static const struct shape case_shape = {
    .kind = SHAPE_OBJECT,
    .keys =
        SHAPE_KEYS({"id", &shape_id, true, "the pin"},
                   {"value", &shape_json, true, "a string, a number, true, false or null: leaves by the pin when it is this"}),
};
static const struct shape shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS(BLOCK_KEYS,
                       {"cases", &(const struct shape){.kind = SHAPE_LIST, .item = &case_shape, .max = BLOCK_PINS_MAX - 1}, true,
                        "one pin each, `default` comes by itself"}),
};

/* A case of a pin that is there, of a value that another one has, or of one that is not compared. */
static void check_case(const struct flow *flow, const struct block *b, size_t i, struct findings *findings) {
    const json_t *cases = json_object_get(b->json, "cases"), *value = json_object_get(json_array_get(cases, i), "value");
    struct str id = jsonx_str(json_array_get(cases, i), "id");
    struct finding f = block_place(flow, b, "bad_case");
    char pointer[80];
    snprintf(pointer, sizeof pointer, STR_FMT "/cases/%zu", STR_ARG(b->pointer), i);
    f.pointer = str_from(pointer);
    if (str_is(id, "default") || str_is(id, "error"))
        findings_add(findings, &f, "a case can't be called `" STR_FMT "`: rename it", STR_ARG(id));
    if (json_is_object(value) || json_is_array(value))
        findings_add(findings, &f,
                     "the case `" STR_FMT "` has a value that is never equal: give a string, a number, true, false or null",
                     STR_ARG(id));
    for (size_t k = 0; k < i; k++) {
        const json_t *other = json_array_get(cases, k);
        if (str_eq(id, jsonx_str(other, "id")))
            findings_add(findings, &f, "two cases are called `" STR_FMT "`: rename one", STR_ARG(id));
        else if (json_equal(value, json_object_get(other, "value")))
            findings_add(findings, &f, "the case `" STR_FMT "` has the value of `" STR_FMT "`, which comes before it: remove one",
                         STR_ARG(id), STR_ARG(jsonx_str(other, "id")));
    }
}

static const char *const *own_pins(struct flow *flow, const struct block *b, struct findings *findings) {
    const json_t *cases = json_object_get(b->json, "cases");
    size_t n = json_array_size(cases);
    const char **pins = arena_alloc(&flow->arena, (n + 2) * sizeof *pins);
    for (size_t i = 0; i < n; i++) {
        check_case(flow, b, i, findings);
        pins[i] = json_string_value(json_object_get(json_array_get(cases, i), "id"));
    }
    pins[n] = "default";
    return pins;
}

const struct block_type block_switch = {
    .name = "switch",
    .title = "Switch",
    .about = "One of several ways, by a value that is compared with each case. `default` is for what fits none.",
    .shape = &shape,
    .inputs = (const struct input_def[]){{"value", true, NULL}, {0}},
    .own_pins = own_pins,
};
