/* backup.c — `flowlet backup`: the server's data as one file, while it runs. No server is asked: the file is read beside it. */
#include <unistd.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "store/store.h"

#define KEY_MAX 4096

struct options {
    const char *data;
    bool with_key;
};
static const struct arg args[] = {
    {.flag = "data",
     .value = "DIR",
     .type = ARG_TEXT,
     .standard = "./data",
     .environment = true,
     .offset = offsetof(struct options, data),
     .help = "the server's data"},
    {.flag = "with-key",
     .type = ARG_SWITCH,
     .offset = offsetof(struct options, with_key),
     .help = "copies the key file to FILE.key as well: who has both can read every secret"},
};

static void on_step(int64_t copied, int64_t total) { progress_show("copying", copied, total); }

static bool copy_key(struct cli *c, const struct options *o, struct error *err) {
    struct buf key;
    buf_init(&key, KEY_MAX);
    bool ok = file_read(arena_printf(&c->arena, "%s/key", o->data), &key, err) &&
              file_write(arena_printf(&c->arena, "%s.key", c->words.at[0]), buf_str(&key), 0600, err);
    buf_release(&key);
    return ok;
}

static int run(struct cli *c) {
    const struct options *o = c->options;
    const char *file = c->words.at[0];
    struct error err;
    progress_begin();
    bool ok = store_backup_now(o->data, file, on_step, &err);
    progress_end();
    if (ok && o->with_key && !copy_key(c, o, &err)) {
        unlink(file);
        ok = false;
    }
    if (!ok)
        return cli_fail(&err);
    if (o->with_key)
        printf("%s and %s.key hold everything. Keep them apart: together they open every secret.\n", file, file);
    else
        printf("%s holds everything but the key. Without %s/key the secrets in it cannot be read: keep a copy of that file\n"
               "elsewhere, or take it along by --with-key.\n",
               file, o->data);
    return CLI_OK;
}

const struct command command_backup = {
    .name = "backup",
    .usage = "FILE [--with-key]",
    .summary = "Copies a server's data into one file, while it runs",
    .text = "The copy is of one moment: workspaces, secrets (sealed), runs, schedules, state. FILE must not be there.",
    .example = "    flowlet backup /backup/flowlet-$(date +%F).db --data /var/lib/flowlet",
    .args = args,
    .arg_count = ARRAY_LEN(args),
    .options_size = sizeof(struct options),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
