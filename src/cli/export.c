/* export.c — `flowlet export`: a published workspace as one JSON document, which `flowlet push` takes. */
#include "cli/client.h"

#define ARCHIVE_MAX ((size_t)64 * 1024 * 1024)

static bool write_to(const char *path, const json_t *archive, struct error *err) {
    struct buf text;
    buf_init(&text, ARCHIVE_MAX);
    bool ok = jsonx_write_pretty(archive, &text) && file_write(path, buf_str(&text), 0666, err);
    buf_release(&text);
    return ok;
}

static int run(struct cli *c) {
    struct client k;
    struct error err;
    const char *path;
    json_t *answer = NULL;
    if (!client_open(&k, c, c->options, &err) || !(path = client_path(&k, &err, "/files")) ||
        !(answer = client_ask(&k, "GET", path, NULL, NULL, &err)))
        return cli_fail(&err);
    json_t *archive = json_pack("{s:s, s:O}", "workspace", k.workspace, "files", json_object_get(answer, "files"));
    bool ok = true;
    if (!c->words.count)
        cli_print_json(archive);
    else if ((ok = write_to(c->words.at[0], archive, &err)))
        printf("%s: workspace %s, release %lld, %zu files; no secrets\n", c->words.at[0], k.workspace,
               (long long)jsonx_int(answer, "release", 0), json_object_size(json_object_get(answer, "files")));
    json_decref(archive);
    json_decref(answer);
    return ok ? CLI_OK : cli_fail(&err);
}

const struct command command_export = {
    .name = "export",
    .usage = "[FILE]",
    .summary = "Writes the published workspace as one JSON document",
    .text = "To FILE, else to standard output; `flowlet push FILE` takes it. Secrets' values are never in it. As a folder:\n"
            "`flowlet pull`.",
    .example = "    flowlet export shop.json --workspace shop\n    flowlet push shop.json --server http://127.0.0.1:9081",
    CLIENT_COMMAND,
    .words_max = 1,
    .run = run,
};
