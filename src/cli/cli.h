/* cli.h — the command line: one const struct command a file, all in commands.def.
 *
 *     flowlet COMMAND [words and options]
 *
 * Exit codes, the same for every command (enum cli_exit). What a program may read goes to
 * standard output, with --json as one document; what a person should know of goes to standard error. */
#ifndef FLOWLET_CLI_H
#define FLOWLET_CLI_H

#include "base/json.h"
#include "config/args.h"

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,      /* findings, a run that failed, something the server refused */
    CLI_USAGE = 2,       /* the command line is wrong */
    CLI_UNREACHABLE = 3, /* no server there, or it does not know the token */
    CLI_FAULT = 4,       /* a fault of this machine or of Flowlet: files, disk, memory */
};

/* What a command was called with. */
struct cli {
    const struct command *command;
    struct arg_list words;
    const void *options; /* the command's own struct */
    struct arena arena;  /* until the command returns */
};

struct command {
    const char *name;
    const char *usage;   /* behind the name: "[DIR]" */
    const char *summary; /* one line */
    const char *text;    /* more about it, or NULL */
    const char *example; /* lines that work */
    const struct arg *args;
    size_t arg_count, options_size;
    size_t words_min, words_max;
    int (*run)(struct cli *c);
};

extern const struct command *const commands[];
extern const size_t command_count;

/* The whole program but the worker. */
int cli_main(int argc, char **argv);

/* The exit code that fits, after "flowlet: TEXT" to standard error. */
int cli_fail(const struct error *err);
int cli_usage(const struct cli *c, const char *format, ...) PRINTF_LIKE(2, 3);
/* To standard output; a closed pipe ends the program quietly. */
void cli_print(struct str text);
void cli_print_json(const json_t *value);
/* Text that others wrote, with control characters made visible: no command of ours drives a terminal by it. */
void cli_print_safe(struct str text);
/* The folder that a word names, "." where there is none. */
const char *cli_folder(const struct cli *c);

#endif
