/* call.c — Call: another flow of this workspace, awaited or started as a run of its own. */
#include "blocks/blocks.h"

#define OUT 1u

static const struct shape shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS(BLOCK_KEYS, {"flow", &shape_id, true, "the id of a reusable flow"},
                       {"mode", &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("wait", "start")}, false,
                        "wait for it, or start a run of its own (wait)"}),
};

static void bind(struct flow *flow, struct block *b, const struct catalog *w, struct findings *findings) {
    struct str id = jsonx_str(b->json, "flow");
    const struct flow *called = catalog_find_flow(w, id);
    struct finding f = block_place(flow, b, "unknown_flow");
    b->any_input = !called || !called->is_sound; /* no more findings than needed */
    flow->guesses |= b->any_input;
    if (!called)
        findings_add(findings, &f, "there is no flow `" STR_FMT "`: make flows/" STR_FMT ".json, or call one that is there",
                     STR_ARG(id), STR_ARG(id));
    f.code = "not_reusable";
    if (called && called->is_sound && called->type != FLOW_REUSABLE)
        findings_add(findings, &f, "`" STR_FMT "` can't be called, it is of type %s: call a flow of type reusable", STR_ARG(id),
                     flow_type_name(called->type));
    if (called)
        block_add_ports(flow, b, json_object_get(called->start, "inputs"));
    if (str_is(jsonx_str(b->json, "mode"), "start")) {
        block_add_binding(flow, b, STR("run"), OUT, 0, NULL);
        return;
    }
    for (size_t i = 0; called && i < called->output_count; i++)
        block_add_binding(flow, b, called->outputs[i].name, OUT, called->outputs[i].required ? 0 : OUT,
                          called->outputs[i].schema);
}

const struct block_type block_call = {
    .name = "call",
    .title = "Call",
    .about = "Another flow as a block: waits for its outputs, or starts it as a run of its own.",
    .shape = &shape,
    .pins = {"out", "error"},
    .retries = true,
    .bind = bind,
};
