/* restore.c — `flowlet restore`: a backup becomes the data of a new server. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/progress.h"
#include "store/store.h"

#define KEY_MAX 4096
#define STEP_BYTES ((size_t)1024 * 1024)

struct options {
    const char *data, *key;
};
static const struct arg args[] = {
    {.flag = "data",
     .value = "DIR",
     .type = ARG_TEXT,
     .standard = "./data",
     .environment = true,
     .offset = offsetof(struct options, data),
     .help = "becomes the server's data: empty, or not there"},
    {.flag = "key",
     .value = "FILE",
     .type = ARG_TEXT,
     .offset = offsetof(struct options, key),
     .help = "the old server's key; left out: FILE.key where that is there"},
};

static bool make_empty(const char *dir, struct error *err) {
    if (mkdir(dir, 0700) == 0)
        return true;
    DIR *d = errno == EEXIST ? opendir(dir) : NULL;
    if (!d)
        return error_errno(err, dir);
    bool empty = true;
    for (const struct dirent *e; empty && (e = readdir(d));)
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    closedir(d);
    return empty || error_set(err, ERR_CONFLICT, "%s is not empty: name a folder that is, or one that is not there", dir);
}

static bool copy_bytes(int from, int to, int64_t total) {
    int64_t copied = 0;
    for (ssize_t n; (n = copy_file_range(from, NULL, to, NULL, STEP_BYTES, 0)) != 0;) {
        if (n < 0)
            return false;
        copied += n;
        progress_show("copying", copied, total);
    }
    return fsync(to) == 0;
}

static bool copy_file(const char *file, const char *target, struct error *err) {
    struct stat found;
    int to = -1, from = open(file, O_RDONLY | O_CLOEXEC);
    bool ok = from >= 0 && fstat(from, &found) == 0;
    if (!ok)
        error_errno(err, file);
    else
        ok = ((to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) >= 0 && copy_bytes(from, to, found.st_size)) ||
             error_errno(err, target);
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    return ok;
}

/* Whether this program can read it; brings it to this program's version. */
static bool check(const char *dir, struct error *err) {
    struct loop *loop = loop_new();
    struct store *store = store_open(loop, dir, err);
    store_close(store);
    loop_free(loop);
    return store;
}

/* key NULL: there is none to copy. */
static bool copy_key(struct cli *c, const char *key, const char *dir, struct error *err) {
    struct buf text;
    if (!key)
        return true;
    buf_init(&text, KEY_MAX);
    bool ok = file_read(key, &text, err) && file_write(arena_printf(&c->arena, "%s/key", dir), buf_str(&text), 0600, err);
    buf_release(&text);
    return ok;
}

static int run(struct cli *c) {
    const struct options *o = c->options;
    const char *file = c->words.at[0], *target = arena_printf(&c->arena, "%s/flowlet.db", o->data);
    const char *beside = arena_printf(&c->arena, "%s.key", file);
    const char *key = o->key ? o->key : access(beside, F_OK) == 0 ? beside : NULL;
    struct error err;
    if (!make_empty(o->data, &err))
        return cli_fail(&err);
    progress_begin();
    bool ok = copy_file(file, target, &err) && check(o->data, &err) && copy_key(c, key, o->data, &err);
    progress_end();
    if (!ok) {
        static const char *const made[] = {"flowlet.db", "flowlet.db-wal", "flowlet.db-shm", "lock", "key"};
        for (size_t i = 0; i < ARRAY_LEN(made); i++)
            unlink(arena_printf(&c->arena, "%s/%s", o->data, made[i]));
        return cli_fail(&err);
    }
    printf("%s holds what %s held.%s Next:\n\n    flowlet serve --data %s\n", o->data, file,
           key ? "" : " Put the old server's key file there as `key` first:\nwithout it the secrets cannot be read.", o->data);
    return CLI_OK;
}

const struct command command_restore = {
    .name = "restore",
    .usage = "FILE [--key FILE]",
    .summary = "Makes a server's data out of a backup",
    .text = "The data folder must be empty. A backup of a newer Flowlet is refused, that of an older one is brought to this\n"
            "version.",
    .example = "    flowlet restore /backup/flowlet-2027-01-31.db --data /var/lib/flowlet",
    .args = args,
    .arg_count = ARRAY_LEN(args),
    .options_size = sizeof(struct options),
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
