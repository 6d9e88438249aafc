/* init.c — `flowlet init`: a workspace out of a template, to be changed. */
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/templates.h"
#include "flow/folder.h"

struct options {
    const char *template;
    bool list;
};
static const struct arg args[] = {
    {.flag = "template",
     .value = "NAME",
     .type = ARG_TEXT,
     .standard = "hello",
     .offset = offsetof(struct options, template),
     .help = "what it begins with"},
    {.flag = "list", .type = ARG_SWITCH, .offset = offsetof(struct options, list), .help = "say which templates there are"},
};

static int list(void) {
    json_t *templates = templates_read(), *files;
    const char *name;
    json_object_foreach(templates, name, files) {
        struct error err;
        json_t *document = jsonx_parse(jsonx_str(files, "workspace.json"), &err);
        printf("%-20s " STR_FMT "\n", name, STR_ARG(jsonx_str(document, "title")));
        if (jsonx_str(document, "description").ptr)
            printf("%-20s " STR_FMT "\n", "", STR_ARG(jsonx_str(document, "description")));
        json_decref(document);
    }
    json_decref(templates);
    return CLI_OK;
}

/* The folder's own name where that is an id, else the template's. */
static struct str name_of(const char *dir, const char *template, char room[PATH_MAX]) {
    struct str path = str_from(realpath(dir, room)), name;
    while (str_cut(&path, '/', &name) && path.ptr)
        continue;
    bool ok = name.len > 0 && name.len <= 64 && name.ptr[0] >= 'a' && name.ptr[0] <= 'z';
    for (size_t i = 0; ok && i < name.len; i++)
        ok = (name.ptr[i] >= 'a' && name.ptr[i] <= 'z') || (name.ptr[i] >= '0' && name.ptr[i] <= '9') || name.ptr[i] == '-' ||
             name.ptr[i] == '_';
    return ok ? name : str_from(template);
}

/* Nothing that somebody has there is touched. */
static bool make_folder(struct cli *c, const char *dir, struct error *err) {
    static const char *const own[] = {"workspace.json", "flows"};
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        const char *path = arena_printf(&c->arena, "%s/%s", dir, own[i]);
        struct stat found;
        if (stat(path, &found) == 0)
            return error_set(err, ERR_CONFLICT, "%s is there already: name another folder, or change what it holds", path);
    }
    return mkdir(dir, 0777) == 0 || errno == EEXIST || error_errno(err, dir);
}

/* Templates are canonical, so the document's first `name` is the workspace's. */
static bool rename_to(struct cli *c, struct folder *f, const char *template, struct str name, struct error *err) {
    struct str text = folder_text(folder_find(f, STR("workspace.json")));
    struct str mark = str_from(arena_printf(&c->arena, "\"name\": \"%s\"", template));
    size_t at = str_find(text, mark);
    ENSURE(at != SIZE_MAX);
    const char *renamed = arena_printf(&c->arena, STR_FMT "\"name\": \"" STR_FMT "\"" STR_FMT, (int)at, text.ptr, STR_ARG(name),
                                       (int)(text.len - at - mark.len), text.ptr + at + mark.len);
    return folder_set(f, STR("workspace.json"), str_from(renamed), err);
}

static bool write_template(struct cli *c, const char *dir, const char *template, struct error *err) {
    json_t *templates = templates_read(), *files = json_object_get(templates, template);
    struct folder *f = folder_new();
    char room[PATH_MAX];
    bool ok = false;
    if (!files)
        error_set(err, ERR_NOT_FOUND, "there is no template `%s`: `flowlet init --list` has their names", template);
    else
        ok = folder_from_json(f, files, err) && make_folder(c, dir, err) &&
             rename_to(c, f, template, name_of(dir, template, room), err) && folder_write(f, dir, err);
    folder_free(f);
    json_decref(templates);
    return ok;
}

static int run(struct cli *c) {
    const struct options *o = c->options;
    const char *dir = cli_folder(c);
    struct error err;
    if (o->list)
        return list();
    if (!write_template(c, dir, o->template, &err))
        return cli_fail(&err);
    if (strcmp(o->template, "hello") == 0)
        printf("%s holds a workspace with one endpoint, GET /hello. Next:\n\n"
               "    flowlet serve --workspace %s\n"
               "    curl 'http://127.0.0.1:8080/hello?name=Ada'\n",
               dir, dir);
    else
        printf("%s holds the template %s; its workspace.json lists the settings and secrets to fill in. Next:\n\n"
               "    flowlet serve --workspace %s --practice\n",
               dir, o->template, dir);
    return CLI_OK;
}

const struct command command_init = {
    .name = "init",
    .usage = "[DIR] [--template NAME]",
    .summary = "Writes a workspace that works, to be changed",
    .text = "Into the folder DIR (made when it is not there), else into this one. The templates are the reference\n"
            "application and typical automations.",
    .example = "    flowlet init shop\n    flowlet init --list\n    flowlet init contact --template form-to-mail\n"
               "    flowlet check contact",
    .args = args,
    .arg_count = ARRAY_LEN(args),
    .options_size = sizeof(struct options),
    .words_max = 1,
    .run = run,
};
