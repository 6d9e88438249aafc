/* format.c — the canonical text of a folder's documents (folder.h). */
#include "flow/example.h"
#include "flow/flow.h"

static bool format_file(struct folder *f, const struct folder_file *file, const struct shape *shape, struct findings *findings) {
    struct finding where = {.file = str_from(file->path)};
    struct buf text;
    struct error err;
    json_t *json = document_parse(file, findings);
    if (!json)
        return false;
    bool ok = shape_check(shape, json, &where, findings);
    buf_init(&text, FOLDER_FILE_MAX);
    if (ok) {
        json_t *ordered = shape_order(shape, json);
        where.code = "too_large";
        ok = jsonx_write_pretty(ordered, &text) && folder_set(f, str_from(file->path), buf_str(&text), &err);
        if (!ok)
            findings_add(findings, &where,
                         "the canonical text is larger than a file may be, or than all together: make it smaller");
        json_decref(ordered);
    }
    buf_release(&text);
    json_decref(json);
    return ok;
}

bool folder_format(struct folder *f, struct findings *findings) {
    struct str id, name;
    bool ok = true;
    for (size_t i = 0; i < f->count; i++) { /* a file that is rewritten keeps its place */
        const struct folder_file *file = &f->files[i];
        if (strcmp(file->path, "workspace.json") == 0)
            ok &= format_file(f, file, &workspace_shape, findings);
        else if (strcmp(file->path, "settings.json") == 0)
            ok &= format_file(f, file, &settings_shape, findings);
        else if (folder_flow_id(file->path, &id))
            ok &= format_file(f, file, &flow_shape, findings);
        else if (example_of(file->path, &id, &name))
            ok &= format_file(f, file, &example_shape, findings);
    }
    for (size_t i = 0; i < f->count; i++)
        findings_locate(findings, str_from(f->files[i].path), folder_text(&f->files[i]));
    findings_sort(findings);
    return ok;
}
