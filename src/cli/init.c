/* init.c — `flowlet init`: a small workspace that works, to be changed. */
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "cli/cli.h"

#define FILE_MAX 8192

static const struct {
    const char *path, *text; /* @NAME@ stands for the workspace's name */
} files[] = {
    {"workspace.json", "{\n"
                       "  \"name\": \"@NAME@\",\n"
                       "  \"title\": \"My first workspace\",\n"
                       "  \"settings\": {\n"
                       "    \"salutation\": {\n"
                       "      \"title\": \"Salutation\",\n"
                       "      \"description\": \"How callers are greeted\",\n"
                       "      \"schema\": {\"type\": \"string\"},\n"
                       "      \"default\": \"Hello\"\n"
                       "    }\n"
                       "  },\n"
                       "  \"secrets\": {}\n"
                       "}\n"},
    {"flows/hello.json", "{\n"
                         "  \"name\": \"Hello\",\n"
                         "  \"type\": \"endpoint\",\n"
                         "  \"start\": {\n"
                         "    \"method\": \"GET\",\n"
                         "    \"path\": \"/hello\",\n"
                         "    \"query\": {\n"
                         "      \"type\": \"object\",\n"
                         "      \"properties\": {\"name\": {\"type\": \"string\", \"minLength\": 1, \"maxLength\": 100}},\n"
                         "      \"required\": [\"name\"]\n"
                         "    }\n"
                         "  },\n"
                         "  \"blocks\": [\n"
                         "    {\"id\": \"greet\", \"type\": \"script\", \"name\": \"Greet\", \"script\": \"greet.ts\"},\n"
                         "    {\"id\": \"end\", \"type\": \"end\"}\n"
                         "  ],\n"
                         "  \"connections\": [\n"
                         "    {\n"
                         "      \"from\": \"start.out\",\n"
                         "      \"to\": \"greet\",\n"
                         "      \"map\": {\"salutation\": {\"setting\": \"salutation\"}, \"name\": {\"from\": \"query.name\"}}\n"
                         "    },\n"
                         "    {\n"
                         "      \"from\": \"greet.out\",\n"
                         "      \"to\": \"end\",\n"
                         "      \"map\": {\"body\": {\"code\": \"({greeting: input.greeting, letters: input.letters})\"}}\n"
                         "    }\n"
                         "  ]\n"
                         "}\n"},
    {"flows/greet.ts", "export async function greet({salutation, name}: {salutation: string; name: string}):\n"
                       "    Promise<{greeting: string; letters: number}> {\n"
                       "    log.info(`greeting ${name}`);\n"
                       "    return {greeting: `${salutation}, ${name}`, letters: [...name].length};\n"
                       "}\n"},
};

/* The folder's own name where that is an id, else "hello". */
static struct str name_of(const char *dir, char room[PATH_MAX]) {
    struct str path = str_from(realpath(dir, room)), name;
    while (str_cut(&path, '/', &name) && path.ptr)
        continue;
    bool ok = name.len > 0 && name.len <= 64 && name.ptr[0] >= 'a' && name.ptr[0] <= 'z';
    for (size_t i = 0; ok && i < name.len; i++)
        ok = (name.ptr[i] >= 'a' && name.ptr[i] <= 'z') || (name.ptr[i] >= '0' && name.ptr[i] <= '9') || name.ptr[i] == '-' ||
             name.ptr[i] == '_';
    return ok ? name : STR("hello");
}

static bool make_folder(struct cli *c, const char *dir, struct error *err) {
    const char *flows = arena_printf(&c->arena, "%s/flows", dir);
    const char *document = arena_printf(&c->arena, "%s/workspace.json", dir);
    struct stat found;
    if (stat(document, &found) == 0)
        return error_set(err, ERR_CONFLICT, "%s is there already: name another folder, or change what it holds", document);
    if ((mkdir(dir, 0777) != 0 && errno != EEXIST) || (mkdir(flows, 0777) != 0 && errno != EEXIST))
        return error_errno(err, dir);
    return true;
}

static bool write_file(struct cli *c, const char *dir, size_t i, struct str name, struct error *err) {
    struct str text = str_from(files[i].text), mark = STR("@NAME@");
    struct buf out;
    buf_init(&out, FILE_MAX);
    size_t at = str_find(text, mark);
    if (at != SIZE_MAX) {
        buf_add(&out, str_of(text.ptr, at));
        buf_add(&out, name);
        text = str_of(text.ptr + at + mark.len, text.len - at - mark.len);
    }
    buf_add(&out, text);
    bool ok = file_write(arena_printf(&c->arena, "%s/%s", dir, files[i].path), buf_str(&out), 0666, err);
    buf_release(&out);
    return ok;
}

static int run(struct cli *c) {
    const char *dir = cli_folder(c);
    char room[PATH_MAX];
    struct error err;
    if (!make_folder(c, dir, &err))
        return cli_fail(&err);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        if (!write_file(c, dir, i, name_of(dir, room), &err))
            return cli_fail(&err);
    printf("%s holds a workspace with one endpoint, GET /hello. Next:\n\n"
           "    flowlet serve --workspace %s\n"
           "    curl 'http://127.0.0.1:8080/hello?name=Ada'\n",
           dir, dir);
    return CLI_OK;
}

const struct command command_init = {
    .name = "init",
    .usage = "[DIR]",
    .summary = "Writes a small workspace that works, to be changed",
    .text = "Into the folder DIR (made when it is not there), else into this one.",
    .example = "    flowlet init shop\n    flowlet check shop\n    flowlet serve --workspace shop",
    .words_max = 1,
    .run = run,
};
