/* respond.c — Respond: answers the HTTP caller now; the flow goes on (semantics.md, rule 17). */
#include "blocks/blocks.h"

static const struct shape shape = {.kind = SHAPE_OBJECT, .keys = SHAPE_KEYS(BLOCK_KEYS)};

static void check(const struct flow *flow, const struct block *b, const struct catalog *w, struct findings *findings) {
    (void)w;
    struct finding f = block_place(flow, b, "respond_without_caller");
    if (flow->type != FLOW_ENDPOINT)
        findings_add(findings, &f, "only an endpoint has a caller to respond to: remove this block");
    else if (b->scope)
        findings_add(findings, &f, "a Respond can't stand in a loop, the caller is answered once: move it out of the frame");
    f.code = "answered_already";
    if (str_is(jsonx_str(flow->start, "answer"), "at once"))
        findings_add(findings, &f, "the caller was answered at once already: remove this block, or `answer` in the start");
}

const struct block_type block_respond = {
    .name = "respond",
    .title = "Respond",
    .about = "Answers the caller now; the flow goes on, and is stored for it.",
    .shape = &shape,
    .pins = {"out"},
    .inputs =
        (const struct input_def[]){{"body", false, NULL}, {"status", false, NULL}, {"headers", false, SCHEMA_OF("object")}, {0}},
    .responds = true,
    .check = check,
};
