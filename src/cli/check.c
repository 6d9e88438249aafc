/* check.c — `flowlet check`: what cannot work, told before it is published; needs no server. */
#include "cli/findings.h"
#include "cli/progress.h"
#include "flow/release.h"
#include "js/pool.h"
#include "trigger/cron.h"

struct options {
    bool json;
};
static const struct arg args[] = {{.flag = "json",
                                   .type = ARG_SWITCH,
                                   .offset = offsetof(struct options, json),
                                   .help = "one JSON document, {ok, findings}, instead of lines"}};

/* The check under way: a loop and a pool of this process's own, for the toolbox alone. */
struct check {
    struct loop *loop;
    struct pool *pool;
    struct timer look; /* for the line of progress */
    bool json, ok;
};

#define LOOK_MS 200

static void on_look(struct timer *t) {
    progress_show("checking", 0, 0);
    timer_start(t, LOOK_MS);
}

static void on_closed(void *arg) {
    struct check *k = arg;
    loop_stop(k->loop);
}

static void on_built(void *arg, struct release *release, const struct findings *findings) {
    struct check *k = arg;
    k->ok = release != NULL;
    timer_stop(&k->look);
    progress_end();
    cli_print_findings(findings, k->json);
    release_unref(release);
    pool_close(k->pool, on_closed, k);
}

static void toolbox(void *arg, struct str job, release_toolbox_done_fn *done, void *done_arg) {
    const struct check *k = arg;
    pool_toolbox(k->pool, job, done, done_arg);
}

static void checker(void *arg, struct str job, release_toolbox_done_fn *done, void *done_arg) {
    const struct check *k = arg;
    pool_checker(k->pool, job, done, done_arg);
}

static const struct pool_handler no_runs; /* no run is ever given to a worker here */

static bool check(struct check *k, const struct folder *folder, struct error *err) {
    struct pool_options options = {.workers = 1, .allow_unconfined = true};
    struct release_env env = {.toolbox = toolbox,
                              .checker = checker,
                              .toolbox_arg = k,
                              .toolbox_version = pool_toolbox_version(),
                              .schedule_check = cron_check};
    k->loop = loop_new();
    k->pool = pool_open(k->loop, &options, &no_runs, k, err);
    if (k->pool) {
        progress_begin();
        timer_init(&k->look, k->loop, on_look);
        timer_start(&k->look, LOOK_MS);
        release_build_start(folder, &env, on_built, k);
        loop_run(k->loop);
    }
    loop_free(k->loop);
    return k->pool;
}

static int run(struct cli *c) {
    const struct options *o = c->options;
    struct check k = {.json = o->json};
    struct folder *folder = folder_new();
    struct error err;
    int code;
    if (!folder_read(folder, cli_folder(c), &err) || !check(&k, folder, &err)) {
        code = cli_fail(&err);
    } else {
        code = k.ok ? CLI_OK : CLI_FAILED;
        if (k.ok && !o->json)
            printf("%s: nothing is in the way of publishing it\n", cli_folder(c));
    }
    folder_free(folder);
    return code;
}

const struct command command_check = {
    .name = "check",
    .usage = "[DIR]",
    .summary = "Finds what cannot work in a workspace folder, like a compiler",
    .text =
        "Lines as FILE:LINE:COLUMN: error: what is wrong and what to do [code]. Needs no server; exit 1 when there is an error.",
    .example = "    flowlet check shop",
    .args = args,
    .arg_count = ARRAY_LEN(args),
    .options_size = sizeof(struct options),
    .words_max = 1,
    .run = run,
};
