/* versions.c — see versions.h. */
#include "run/versions.h"

#include "base/clock.h"

#define PATH_MAX_BYTES 300

static const char *path_of(struct str name, const char *ending, char out[PATH_MAX_BYTES]) {
    snprintf(out, PATH_MAX_BYTES, "flows/" STR_FMT "%s", STR_ARG(name), ending);
    return out;
}

static json_t *document_of(const struct folder *folder, struct str flow) {
    char path[PATH_MAX_BYTES];
    struct error unreadable;
    const struct folder_file *file = folder_find(folder, str_from(path_of(flow, ".json", path)));
    json_t *document = file ? jsonx_parse(folder_text(file), &unreadable) : NULL;
    if (json_is_object(document))
        return document;
    json_decref(document);
    return NULL;
}

json_t *content_of(const struct folder *folder, struct str flow) {
    char path[PATH_MAX_BYTES];
    json_t *document = document_of(folder, flow), *scripts = json_object(), *block;
    size_t i;
    json_array_foreach(json_object_get(document, "blocks"), i, block) {
        struct str script = jsonx_str(block, "script");
        const struct folder_file *file = script.len ? folder_find(folder, str_from(path_of(script, "", path))) : NULL;
        if (file)
            json_object_set_new(scripts, path, jsonx_from_str(folder_text(file)));
    }
    if (document)
        return json_pack("{s:o, s:o}", "document", document, "scripts", scripts);
    json_decref(scripts);
    return NULL;
}

json_t *contents_of(const struct folder *folder) {
    json_t *all = json_object(), *content;
    struct str flow;
    for (size_t i = 0; i < folder->count; i++)
        if (folder_flow_id(folder->files[i].path, &flow) && (content = content_of(folder, flow)))
            json_object_setn_new(all, flow.ptr, flow.len, content);
    return all;
}

/* ---- into a folder ---- */

static bool is_named(const struct folder *folder, const char *path) {
    json_t *all = contents_of(folder), *content;
    const char *flow;
    bool named = false;
    json_object_foreach(all, flow, content) named = named || json_object_get(json_object_get(content, "scripts"), path);
    json_decref(all);
    return named;
}

static void take_out(struct folder *folder, struct str flow) {
    char path[PATH_MAX_BYTES];
    json_t *content = content_of(folder, flow), *text;
    const char *script;
    folder_remove(folder, str_from(path_of(flow, ".json", path)));
    json_object_foreach(json_object_get(content, "scripts"), script, text) {
        if (!is_named(folder, script))
            folder_remove(folder, str_from(script));
    }
    json_decref(content);
}

bool content_lay_over(struct folder *folder, struct str flow, const json_t *content, struct error *err) {
    char path[PATH_MAX_BYTES];
    const char *script;
    json_t *text;
    struct buf document;
    if (!content) {
        take_out(folder, flow);
        return true;
    }
    buf_init(&document, FOLDER_FILE_MAX);
    bool ok = jsonx_write_pretty(json_object_get(content, "document"), &document) ||
              error_set(err, ERR_TOO_LARGE, "the document is larger than %u bytes", FOLDER_FILE_MAX);
    ok = ok && folder_set(folder, str_from(path_of(flow, ".json", path)), buf_str(&document), err);
    json_object_foreach(json_object_get(content, "scripts"), script, text) {
        if (ok && !(str_starts(str_from(script), STR("flows/")) && str_ends(str_from(script), STR(".ts"))))
            ok = error_set(err, ERR_INVALID, "scripts: %.200s is no script's path: flows/NAME.ts", script);
        ok = ok && folder_set(folder, str_from(script), jsonx_string_value(text), err);
    }
    buf_release(&document);
    return ok;
}

/* ---- as they are published ---- */

/* What is known of a flow before a release. */
struct known {
    json_t *newest, *published; /* {"ID": [number, content]} */
};

static bool add_row(void *arg, const struct version_row *row) {
    json_object_setn_new(arg, row->flow.ptr, row->flow.len,
                         json_pack("[I, o]", (json_int_t)row->number, jsonx_from_str(row->content)));
    return true;
}

static bool has(const json_t *rows, const char *flow, struct str content, int64_t *number) {
    const json_t *row = json_object_get(rows, flow);
    *number = json_integer_value(json_array_get(row, 0));
    return row && str_eq(jsonx_string_value(json_array_get(row, 1)), content);
}

static bool publish(struct store_tx *tx, int64_t workspace, const struct known *known, const char *flow, struct str content,
                    const struct save *by, int64_t release, struct error *err) {
    int64_t number;
    if (has(known->published, flow, content, &number) || (!number && !content.len))
        return true;
    if (has(known->newest, flow, content, &number))
        return tx_version_set_release(tx, workspace, str_from(flow), number, release, err);
    struct version_row row = {.flow = str_from(flow),
                              .time_ms = clock_now_ms(),
                              .release = release,
                              .author = by->author,
                              .message = by->message,
                              .content = content};
    return tx_version_add(tx, workspace, &row, err);
}

bool versions_published(struct store_tx *tx, int64_t workspace, const json_t *contents, const struct save *by, int64_t release,
                        struct error *err) {
    struct known known = {json_object(), json_object()};
    const char *flow;
    json_t *content, *row;
    struct buf text;
    buf_init(&text, FOLDER_TOTAL_MAX * 2);
    bool ok = tx_version_newest(tx, workspace, false, add_row, known.newest, err) &&
              tx_version_newest(tx, workspace, true, add_row, known.published, err);
    json_object_foreach((json_t *)(uintptr_t)contents, flow, content) {
        buf_clear(&text);
        ok = ok && (jsonx_write(content, &text) || error_set(err, ERR_TOO_LARGE, "the flow %s is too large", flow));
        ok = ok && publish(tx, workspace, &known, flow, buf_str(&text), by, release, err);
    }
    json_object_foreach(known.published, flow, row) {
        if (ok && !json_object_get(contents, flow))
            ok = publish(tx, workspace, &known, flow, STR(""), by, release, err);
    }
    json_decref(known.newest);
    json_decref(known.published);
    buf_release(&text);
    return ok;
}

const char *version_state(const struct version_row *newest, const struct version_row *published) {
    if (!published || !published->content.len)
        return newest->content.len ? "draft" : "deleted";
    return published->number == newest->number ? "published" : "changed";
}
