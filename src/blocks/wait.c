/* wait.c — Wait: goes on after a duration, at a time, or once somebody has used its link. What a durable run has waited
 * counts after a restart, too. */
#include "blocks/blocks.h"

#define OUT 1u
#define FIELDS_MAX 30

static const struct shape words_shape = {.kind = SHAPE_STRING, .max = 300};
static const struct shape field_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS(
        {"name", &shape_name, true, "in the answer"}, {"title", &words_shape, false, "what people read (the name)"},
        {"type", &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("text", "number", "boolean", "choice")},
         false, "of its value (text)"},
        {"options", &(const struct shape){.kind = SHAPE_LIST, .item = &words_shape, .max = 100}, false, "of a choice"},
        {"required", &shape_bool, false, "must be filled in"}),
};
static const struct shape link_shape = {
    .kind = SHAPE_OBJECT,
    .ref = "link",
    .keys = SHAPE_KEYS({"button", &words_shape, false, "its text (Confirm)"},
                       {"fields", &(const struct shape){.kind = SHAPE_LIST, .item = &field_shape, .max = FIELDS_MAX}, false,
                        "asked for on the page; without them whatever JSON is posted is the answer"}),
};
static const struct shape shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS(BLOCK_KEYS, {"link", &link_shape, false,
                                    "waits until its link is used, at most for `ms` or until `until` (30 days): then `timeout`"}),
};

static const json_t *link_of(const struct block *b) { return json_object_get(b->json, "link"); }

static const char *const *own_pins(struct flow *flow, const struct block *b, struct findings *findings) {
    static const char *const plain[] = {"out", "error", NULL}, *const linked[] = {"out", "timeout", "error", NULL};
    (void)flow, (void)findings;
    return link_of(b) ? linked : plain;
}

static void bind(struct flow *flow, struct block *b, const struct catalog *w, struct findings *findings) {
    (void)w, (void)findings;
    if (!link_of(b))
        return;
    block_add_port(flow, b, STR("title"), false, block_schema(flow, SCHEMA_OF("string")));
    block_add_port(flow, b, STR("text"), false, block_schema(flow, SCHEMA_OF("string")));
    block_add_binding(flow, b, STR("answer"), OUT, 0, NULL);
}

static void check_fields(const struct flow *flow, const struct block *b, struct findings *findings) {
    const json_t *fields = json_object_get(link_of(b), "fields");
    struct finding f = block_place(flow, b, "bad_field");
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *field = json_array_get(fields, i);
        struct str name = jsonx_str(field, "name");
        bool choice = str_is(jsonx_str(field, "type"), "choice");
        if (choice != (json_array_size(json_object_get(field, "options")) > 0))
            findings_add(findings, &f, "the field `" STR_FMT "`: `options` belong to a field of type choice, which needs some",
                         STR_ARG(name));
        for (size_t k = 0; k < i; k++)
            if (str_eq(name, jsonx_str(json_array_get(fields, k), "name")))
                findings_add(findings, &f, "two fields are called `" STR_FMT "`: rename one", STR_ARG(name));
    }
}

static bool maps(const struct connection *c, const char *input) {
    for (size_t i = 0; i < c->map_count; i++)
        if (str_is(c->map[i].input, input))
            return true;
    return false;
}

/* Of a flow with a Respond every run is stored (semantics.md, rule 17). */
static bool is_stored(const struct flow *flow) {
    bool stored = str_is(jsonx_str(flow->start, "answer"), "at once") || jsonx_bool(flow->start, "durable", false);
    for (size_t i = 0; i < flow->block_count; i++)
        stored |= flow->blocks[i].type->responds;
    return stored;
}

static void check(const struct flow *flow, const struct block *b, const struct catalog *w, struct findings *findings) {
    (void)w;
    for (size_t i = 0; i < b->in_count; i++) {
        const struct connection *c = &flow->connections[b->ins[i]];
        struct finding f = connection_place(flow, c, "no_duration");
        int given = maps(c, "ms") + maps(c, "until");
        if (given > 1 || (!given && !link_of(b)))
            findings_add(findings, &f, "`" STR_FMT "` waits for `ms` or for the time `until`: map exactly one of them",
                         STR_ARG(b->id));
    }
    check_fields(flow, b, findings);
    struct finding f = block_place(flow, b, "wait_not_stored");
    f.severity = link_of(b) ? FINDING_ERROR : FINDING_WARNING;
    if (flow->type == FLOW_ENDPOINT && !is_stored(flow))
        findings_add(
            findings, &f,
            "this run is not stored and its caller waits as well: set `durable`, or `answer`: \"at once\", in the start");
}

const struct block_type block_wait = {
    .name = "wait",
    .title = "Wait",
    .about = "Goes on after a duration, at a time, or once somebody has used its link. While it waits it is a row in the store.",
    .shape = &shape,
    .own_pins = own_pins,
    .bind = bind,
    .inputs = (const struct input_def[]){{"ms", false, SCHEMA_OF("number")}, {"until", false, SCHEMA_OF("string")}, {0}},
    .check = check,
};
