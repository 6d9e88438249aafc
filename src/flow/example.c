/* example.c — see example.h. */
#include "flow/example.h"

#include "flow/flow.h"

static const struct shape any_object = {.kind = SHAPE_MAP, .item = &shape_json};
static const struct shape texts = {.kind = SHAPE_MAP, .item = &shape_text};
static const struct shape request_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"method", &shape_text, false, "the flow's own when left out"},
                       {"path", &shape_text, false, "as the caller writes it, with its query: /orders/7?urgent=true"},
                       {"query", &shape_json, false, "text, or an object"}, {"headers", &texts, false, "by their names"},
                       {"body", &shape_json, false, "text; JSON; an object for a form, by its Content-Type"},
                       {"client", &shape_text, false, "the caller's address"}),
};
static const struct shape effect_shape = {
    .kind = SHAPE_OBJECT,
    .keys =
        SHAPE_KEYS({"id", &shape_text, true, "the operation"}, {"kind", &shape_text, true, "page, mail, sms, chat, other, start"},
                   {"to", &shape_text, false, "whom it would have reached"},
                   {"content", &shape_json, false, "what would have gone out, as a person reads it"}),
};
static const struct shape expected_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"state", &(const struct shape){.kind = SHAPE_CHOICE, .choices = SHAPE_CHOICES("done", "failed")}, false,
                        "how the run ends"},
                       {"error", &any_object, false, "code and message of a run that fails"},
                       {"answer", &any_object, false, "of an endpoint: status, headers (those that matter) and body"},
                       {"output", &shape_json, false, "of a reusable flow"},
                       {"effects", &(const struct shape){.kind = SHAPE_LIST, .item = &effect_shape, .max = 2000}, false,
                        "captured, in their order"})};

const struct shape example_shape = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS(
        {"about", &shape_text, false, "what it shows"}, {"request", &request_shape, false, "what an endpoint gets"},
        {"input", &any_object, false, "what the Start gives, as it is"},
        {"at", &shape_text, false, "the instant that a cron flow is due at"},
        {"now", &shape_text, false, "what the flow's clock shows: 2027-01-31T18:00:00Z (2025-01-01T00:00:00Z)"},
        {"state", &any_object, false, "what state holds before (nothing)"},
        {"answers", &any_object, false, "what operations give: {OPERATION or BLOCK: VALUE or {\"$error\": {code, message}}}"},
        {"expect", &expected_shape, false, "what must come of it; `flowlet test --update` writes it"},
        {"volatile", &(const struct shape){.kind = SHAPE_LIST, .item = &shape_text, .max = 1000}, false,
         "JSON pointers into expect that are not compared; * stands for any key"})};

bool example_of(const char *path, struct str *flow, struct str *name) {
    struct str p = str_from(path), folder = STR("examples/"), end = STR(".json");
    if (!str_starts(p, folder) || !str_ends(p, end))
        return false;
    *name = str_of(p.ptr + folder.len, p.len - folder.len - end.len);
    return str_cut(name, '.', flow) && name->len;
}

static void check(const struct folder *folder, const struct folder_file *file, struct findings *findings) {
    struct finding where = {.file = str_from(file->path)};
    struct str flow, name;
    char path[300];
    json_t *json = document_parse(file, findings);
    bool named = example_of(file->path, &flow, &name);
    if (named)
        snprintf(path, sizeof path, "flows/" STR_FMT ".json", STR_ARG(flow));
    if (json)
        shape_check(&example_shape, json, &where, findings);
    where.code = "example";
    if (!named)
        findings_add(findings, &where, "an example's file is named FLOW.NAME.json: rename it");
    where.severity = FINDING_WARNING; /* it may be there again tomorrow */
    if (named && !folder_find(folder, str_from(path)))
        findings_add(findings, &where, "there is no flow `" STR_FMT "` of this example: its file is named FLOW.NAME.json",
                     STR_ARG(flow));
    json_decref(json);
}

void examples_check(const struct folder *folder, struct findings *findings) {
    for (size_t i = 0; i < folder->count; i++)
        if (str_starts(str_from(folder->files[i].path), STR("examples/")) &&
            str_ends(str_from(folder->files[i].path), STR(".json")))
            check(folder, &folder->files[i], findings);
}
