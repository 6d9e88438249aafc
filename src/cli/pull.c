/* pull.c — `flowlet pull`: the published folder, as files. */
#include <dirent.h>
#include <sys/stat.h>

#include "cli/client.h"
#include "flow/folder.h"

/* What is there must be a workspace's folder: files that it does not have are deleted. */
static bool may_write(struct cli *c, const char *dir, struct error *err) {
    struct stat found;
    if (stat(arena_printf(&c->arena, "%s/workspace.json", dir), &found) == 0)
        return true;
    DIR *d = opendir(dir);
    if (!d)
        return mkdir(dir, 0777) == 0 || error_errno(err, dir);
    bool empty = true;
    for (const struct dirent *e; empty && (e = readdir(d));)
        empty = e->d_name[0] == '.';
    closedir(d);
    return empty || error_set(err, ERR_CONFLICT,
                              "%s holds something else than a workspace: name an empty folder, or one that is not there", dir);
}

static int run(struct cli *c) {
    const struct client_options *o = c->options;
    struct client k;
    struct error err;
    struct folder *folder = folder_new();
    const char *path;
    json_t *answer = NULL;
    int code = CLI_OK;
    if (!may_write(c, cli_folder(c), &err) || !client_open(&k, c, o, &err) || !(path = client_path(&k, &err, "/files")) ||
        !(answer = client_ask(&k, "GET", path, NULL, NULL, &err)) ||
        !folder_from_json(folder, json_object_get(answer, "files"), &err) || !folder_write(folder, cli_folder(c), &err))
        code = cli_fail(&err);
    else if (o->json)
        cli_print_json(answer);
    else
        printf("%s: release %lld, %zu files\n", cli_folder(c), (long long)jsonx_int(answer, "release", 0), folder->count);
    json_decref(answer);
    folder_free(folder);
    return code;
}

const struct command command_pull = {
    .name = "pull",
    .usage = "[DIR]",
    .summary = "Writes the published workspace into a folder",
    .text = "What is published replaces what the folder holds; flows and scripts that the server does not have are deleted.",
    .example = "    flowlet pull shop --workspace shop",
    CLIENT_COMMAND,
    .words_max = 1,
    .run = run,
};
