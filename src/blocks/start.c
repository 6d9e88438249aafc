/* start.c — Start: where a run of the flow begins. Its configuration is the flow's. */
#include "blocks/blocks.h"

#define OUT 1u

static void bind_endpoint(struct flow *flow, struct block *b, struct findings *findings) {
    static const char *const given[] = {"requestBody", "rawBody", "query", "headers", "cookies", "method", "client"};
    for (size_t i = 0; i < ARRAY_LEN(given); i++)
        block_add_binding(flow, b, str_from(given[i]), OUT, 0);
    for (size_t i = 0; i < flow->parameter_count; i++) {
        struct finding f = block_place(flow, b, "parameter_clash");
        size_t k = 0;
        while (k < ARRAY_LEN(given) && !str_is(flow->parameters[i], given[k]))
            k++;
        f.pointer = STR("/start/path");
        if (k == ARRAY_LEN(given))
            block_add_binding(flow, b, flow->parameters[i], OUT, 0);
        else
            findings_add(findings, &f, "{%s} in the path has the name of something that each endpoint is given: rename it",
                         given[k]);
    }
}

static void bind(struct flow *flow, struct block *b, const struct catalog *w, struct findings *findings) {
    (void)w;
    switch (flow->type) {
    case FLOW_ENDPOINT:
        bind_endpoint(flow, b, findings);
        break;
    case FLOW_CRON:
        block_add_binding(flow, b, STR("scheduledAt"), OUT, 0);
        break;
    case FLOW_REUSABLE:
        block_add_bindings(flow, b, json_object_get(flow->start, "inputs"), OUT);
        break;
    }
}

static void check_endpoint(const struct flow *flow, const struct block *b, struct findings *findings) {
    struct str method = jsonx_str(flow->start, "method");
    struct finding f = block_place(flow, b, "body_of_get");
    f.pointer = STR("/start/body");
    if ((str_is(method, "GET") || str_is(method, "HEAD")) && json_object_get(flow->start, "body"))
        findings_add(findings, &f, "a " STR_FMT " request has no body: remove `body`, or take POST", STR_ARG(method));
    f.code = "nothing_to_dedupe";
    f.pointer = STR("/start/deduplicate");
    f.severity = FINDING_WARNING;
    if (flow->deduplicate && !str_is(jsonx_str(flow->start, "answer"), "at once") && !jsonx_bool(flow->start, "durable", false))
        findings_add(findings, &f, "only stored runs can be told from repeated ones: set `durable` or `answer`: \"at once\"");
}

static void check(const struct flow *flow, const struct block *b, const struct catalog *w, struct findings *findings) {
    (void)w;
    bool every = json_object_get(flow->start, "every"), line = json_object_get(flow->start, "line");
    struct finding f = block_place(flow, b, "no_schedule");
    if (flow->type == FLOW_ENDPOINT)
        check_endpoint(flow, b, findings);
    if (flow->type == FLOW_CRON && every == line)
        findings_add(findings, &f, "a cron flow needs exactly one of `every` and `line` in its start");
}

const struct block_type block_start = {
    .name = "start",
    .title = "Start",
    .shape = NULL, /* not among a flow's blocks */
    .pins = {"out"},
    .bind = bind,
    .check = check,
};
