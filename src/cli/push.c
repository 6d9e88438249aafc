/* push.c — `flowlet push`: publishes a folder. */
#include <sys/stat.h>

#include "cli/client.h"
#include "cli/findings.h"
#include "flow/folder.h"

/* A folder, or the document that `flowlet export` wrote. */
static bool read_workspace(struct folder *f, const char *path, struct error *err) {
    struct stat found;
    if (stat(path, &found) != 0 || !S_ISREG(found.st_mode))
        return folder_read(f, path, err);
    struct buf text;
    json_t *archive = NULL;
    buf_init(&text, 2 * FOLDER_TOTAL_MAX);
    bool ok = file_read(path, &text, err) && (archive = jsonx_parse(buf_str(&text), err)) &&
              folder_from_json(f, json_object_get(archive, "files"), err);
    json_decref(archive);
    buf_release(&text);
    return ok || error_wrap(err, "%s", path);
}

/* The workspace that the folder says it is. */
static const char *name_of(struct cli *c, const struct folder *f, struct error *err) {
    const struct folder_file *file = folder_find(f, STR("workspace.json"));
    if (!file) {
        error_set(err, ERR_NOT_FOUND, "%s holds no workspace.json: name a workspace's folder, or make one with `flowlet init`",
                  cli_folder(c));
        return NULL;
    }
    json_t *document = jsonx_parse(folder_text(file), err);
    struct str name = jsonx_str(document, "name");
    const char *copy = document && name.len ? arena_strdup(&c->arena, name) : NULL;
    if (document && !copy)
        error_set(err, ERR_INVALID, "it has no `name`");
    if (!copy)
        error_wrap(err, "%s/workspace.json", cli_folder(c));
    json_decref(document);
    return copy;
}

static int show(const struct client_options *o, const json_t *answer, const char *workspace) {
    if (o->json) {
        cli_print_json(answer);
        return CLI_OK;
    }
    cli_print_findings_json(json_object_get(answer, "findings"));
    size_t flows = json_array_size(json_object_get(answer, "flows"));
    printf("%s: release %lld is published, %zu flow%s, %s mode%s\n", workspace, (long long)jsonx_int(answer, "release", 0), flows,
           flows == 1 ? "" : "s", jsonx_str(answer, "mode").ptr ? jsonx_str(answer, "mode").ptr : "?",
           jsonx_bool(answer, "changed", true) ? "" : " (nothing had changed)");
    return CLI_OK;
}

static int run(struct cli *c) {
    const struct client_options *o = c->options;
    struct client k;
    struct error err;
    struct folder *folder = folder_new();
    json_t *refused = NULL, *answer = NULL;
    int code = CLI_OK;
    if (!read_workspace(folder, cli_folder(c), &err) || !client_open(&k, c, o, &err))
        goto fail;
    if (!k.workspace[0] && !(k.workspace = name_of(c, folder, &err)))
        goto fail;
    answer = client_ask(&k, "PUT", client_path(&k, &err, "/files"), json_pack("{s:o}", "files", folder_to_json(folder)), &refused,
                        &err);
    if (answer) {
        code = show(o, answer, k.workspace);
        goto out;
    }
    if (json_array_size(json_object_get(refused, "findings"))) {
        if (o->json)
            cli_print_json(refused);
        else
            cli_print_findings_json(json_object_get(refused, "findings"));
    }
fail:
    code = cli_fail(&err);
out:
    json_decref(answer);
    json_decref(refused);
    folder_free(folder);
    return code;
}

const struct command command_push = {
    .name = "push",
    .usage = "[DIR or FILE]",
    .summary = "Publishes a workspace folder on the server, all its flows together",
    .text = "FILE is what `flowlet export` wrote. The server checks it first; with an error nothing is published. A\n"
            "workspace that the server does not know yet is made, in practice mode.",
    .example = "    flowlet push shop",
    CLIENT_COMMAND,
    .words_max = 1,
    .run = run,
};
