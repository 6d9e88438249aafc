/* write_blocks — prints docs/blocks.md from the definitions in src/blocks/: `make docs`. */
#include "flow/block.h"
#include "flow/flow.h"

#define ALL 1000 /* keys: more than there are */

/* What a shape takes, in a few words. */
static void kind_of(const struct shape *s, struct buf *out) {
    static const char *const names[] = {[SHAPE_STRING] = "text",        [SHAPE_ID] = "id",
                                        [SHAPE_NAME] = "name",          [SHAPE_CHOICE] = "",
                                        [SHAPE_BOOL] = "true or false", [SHAPE_INT] = "whole number",
                                        [SHAPE_NUMBER] = "number",      [SHAPE_OBJECT] = "object",
                                        [SHAPE_LIST] = "list",          [SHAPE_MAP] = "object",
                                        [SHAPE_VARIANT] = "object",     [SHAPE_SCHEMA] = "schema",
                                        [SHAPE_SOURCE] = "source",      [SHAPE_JSON] = "anything"};
    buf_adds(out, names[s->kind]);
    for (size_t i = 0; s->kind == SHAPE_CHOICE && s->choices[i]; i++)
        buf_addf(out, "%s`%s`", i ? ", " : "", s->choices[i]);
    if (s->kind == SHAPE_INT && s->max)
        buf_addf(out, ", %lld to %lld", (long long)s->min, (long long)s->max);
}

static void keys(const struct shape_key *from, size_t most, const char *prefix, struct buf *out) {
    for (const struct shape_key *k = from; (size_t)(k - from) < most && k->name; k++) {
        buf_addf(out, "| `%s%s`%s | ", prefix, k->name, k->required ? " *" : "");
        kind_of(k->shape, out);
        buf_addf(out, " | %s |\n", k->about);
        const struct shape *inner = k->shape->kind == SHAPE_LIST ? k->shape->item : k->shape;
        char path[100];
        snprintf(path, sizeof path, "%s%s%s.", prefix, k->name, k->shape->kind == SHAPE_LIST ? "[]" : "");
        if (inner->kind == SHAPE_OBJECT)
            keys(inner->keys, ALL, path, out);
    }
}

static void fields(const char *title, const struct shape_key *from, size_t most, struct buf *out) {
    if (!from->name)
        return;
    buf_addf(out, "%s\n\n| field | takes | |\n| --- | --- | --- |\n", title);
    keys(from, most, "", out);
    buf_adds(out, "\n");
}

/* A schema's type, as the table says it. */
static struct str type_of(const char *schema, json_t **keep) {
    struct error err;
    *keep = schema ? jsonx_parse(str_from(schema), &err) : NULL;
    struct str type = jsonx_str(*keep, "type");
    return type.ptr ? type : STR("anything");
}

static void inputs(const struct block_type *t, struct buf *out) {
    if (!t->inputs)
        return;
    buf_adds(out, "| input | takes |\n| --- | --- |\n");
    for (const struct input_def *i = t->inputs; i->name; i++) {
        json_t *schema;
        struct str type = type_of(i->schema, &schema);
        buf_addf(out, "| `%s`%s | " STR_FMT " |\n", i->name, i->required ? " *" : "", STR_ARG(type));
        json_decref(schema);
    }
    buf_adds(out, "\n");
}

static void outputs(const struct block_type *t, struct buf *out) {
    for (const struct output_def *o = t->outputs; o && o->name; o++) {
        json_t *schema;
        struct str type = type_of(o->schema, &schema);
        buf_addf(out, "Gives `%s` (" STR_FMT ") at", o->name, STR_ARG(type));
        for (size_t pin = 0; t->pins[pin]; pin++)
            if (o->pins >> pin & 1)
                buf_addf(out, " `%s`%s", t->pins[pin], o->maybe >> pin & 1 ? " (perhaps)" : "");
        buf_adds(out, ".\n");
        json_decref(schema);
    }
    if (t->outputs)
        buf_adds(out, "\n");
}

static void block(const struct block_type *t, struct buf *out) {
    buf_addf(out, "## %s\n\n`%s`. %s\n\n", t->title, t->name, t->about);
    if (t->pins[0]) {
        buf_adds(out, "Pins:");
        for (size_t i = 0; t->pins[i]; i++)
            buf_addf(out, "%s `%s`", i ? "," : "", t->pins[i]);
        buf_adds(out, ".");
        if (t->timeout_ms)
            buf_addf(out, " Time-out: %d s where it sets none.", t->timeout_ms / 1000);
        buf_adds(out, "\n\n");
    }
    if (t->shape)
        fields("Its own fields:", t->shape->keys + BLOCK_COMMON_KEYS, ALL, out);
    inputs(t, out);
    outputs(t, out);
}

static void start(struct buf *out) {
    const char *type;
    const struct shape *flow;
    buf_addf(out, "## %s\n\n%s Its fields stand in the flow's `start`.\n\n", block_start.title, block_start.about);
    for (size_t i = 0; (flow = flow_shape.variant(i, &type)); i++)
        for (const struct shape_key *k = flow->keys; k->name; k++)
            if (strcmp(k->name, "start") == 0) {
                char title[60];
                snprintf(title, sizeof title, "### Of type `%s`", type);
                fields(title, k->shape->keys, ALL, out);
            }
}

int main(void) {
    struct buf out;
    buf_init(&out, 1 << 20);
    buf_adds(&out, "# Blocks\n\n"
                   "Made by `make docs` from the blocks' definitions in `src/blocks/`. Inputs are mapped on connections; fields "
                   "stand in the block.\n"
                   "What is marked * must be there. Every pin `error` gives `error` {block, code, message, status?}. What runs "
                   "when is said in\n"
                   "[semantics.md](semantics.md), how it is written in [internals.md](internals.md), section 2.\n\n");
    fields("Every block has:", block_types[0]->shape->keys, BLOCK_COMMON_KEYS, &out);
    start(&out);
    for (size_t i = 0; block_types[i]; i++)
        block(block_types[i], &out);
    fwrite(out.ptr, 1, out.len - 1, stdout); /* one line end at the end */
    return 0;
}
