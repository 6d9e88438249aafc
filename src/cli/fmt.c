/* fmt.c — `flowlet fmt`: documents in their canonical form. */
#include "cli/findings.h"
#include "flow/folder.h"

struct options {
    bool check;
};
static const struct arg args[] = {{.flag = "check",
                                   .type = ARG_SWITCH,
                                   .offset = offsetof(struct options, check),
                                   .help = "only say which would change, exit 1 if any"}};

/* Names what differs; how many. */
static size_t list_changes(const struct folder *before, const struct folder *after) {
    size_t changes = 0;
    for (size_t i = 0; i < after->count; i++) {
        const struct folder_file *now = &after->files[i], *was = folder_find(before, str_from(now->path));
        if (was && str_eq(folder_text(was), folder_text(now)))
            continue;
        printf("%s\n", now->path);
        changes++;
    }
    return changes;
}

static int run(struct cli *c) {
    const struct options *o = c->options;
    const char *dir = cli_folder(c);
    struct folder *before = folder_new(), *after = folder_new();
    struct findings findings;
    struct error err;
    int code;
    findings_init(&findings);
    if (!folder_read(before, dir, &err) || !folder_read(after, dir, &err)) {
        code = cli_fail(&err);
        goto out;
    }
    bool readable = folder_format(after, &findings);
    cli_print_findings(&findings, false);
    size_t changes = list_changes(before, after);
    code = readable && !(o->check && changes) ? CLI_OK : CLI_FAILED;
    if (changes && !o->check && !folder_write(after, dir, &err))
        code = cli_fail(&err);
out:
    findings_release(&findings);
    folder_free(before);
    folder_free(after);
    return code;
}

const struct command command_fmt = {
    .name = "fmt",
    .usage = "[DIR] [--check]",
    .summary = "Brings a workspace folder's documents into their canonical form",
    .text = "That is the form in which `flowlet pull` writes them. Names the files that it changed; scripts stay as they are.",
    .example = "    flowlet fmt shop",
    .args = args,
    .arg_count = ARRAY_LEN(args),
    .options_size = sizeof(struct options),
    .words_max = 1,
    .run = run,
};
