/* cli.c — see cli.h. */
#include "cli/cli.h"

#include <stdarg.h>
#include <unistd.h>

#define X(name) extern const struct command command_##name;
#include "cli/commands.def"
#undef X

const struct command *const commands[] = {
#define X(name) &command_##name,
#include "cli/commands.def"
#undef X
};
const size_t command_count = ARRAY_LEN(commands);

#define HELP_MAX (64 * 1024)

void cli_print(struct str text) {
    if (fwrite(text.ptr ? text.ptr : "", 1, text.len, stdout) != text.len)
        exit(CLI_FAULT);
}

void cli_print_json(const json_t *value) {
    struct buf text;
    buf_init(&text, 1u << 30);
    jsonx_write_pretty(value, &text);
    cli_print(buf_str(&text));
    buf_release(&text);
}

void cli_print_safe(struct str text) {
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.ptr[i];
        if ((c >= 0x20 && c != 0x7F) || c == '\n' || c == '\t')
            continue;
        cli_print(str_of(text.ptr + from, i - from));
        if (c != '\r')
            printf("\\x%02x", c);
        from = i + 1;
    }
    cli_print(str_of(text.ptr + from, text.len - from));
}

int cli_fail(const struct error *err) {
    fflush(stdout);
    fprintf(stderr, "flowlet: %s\n", err->text);
    switch (error_http_status(err->code)) {
    case 401:
        return CLI_UNREACHABLE;
    case 500:
        return CLI_FAULT;
    case 502:
        return CLI_UNREACHABLE;
    default:
        return CLI_FAILED;
    }
}

int cli_usage(const struct cli *c, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "flowlet %s: ", c->command->name);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\nusage: flowlet %s %s\n(`flowlet %s --help` says more)\n", c->command->name, c->command->usage,
            c->command->name);
    va_end(args);
    return CLI_USAGE;
}

const char *cli_folder(const struct cli *c) { return c->words.count ? c->words.at[0] : "."; }

static void help_of_all(struct buf *out) {
    buf_adds(out, "Flowlet: small flows with a REST endpoint, a schedule or a name, run for real and durably.\n\n"
                  "usage: flowlet COMMAND ...\n\n");
    for (size_t i = 0; i < command_count; i++)
        buf_addf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    buf_adds(out, "\n`flowlet COMMAND --help` says more, with an example.\n"
                  "Exit codes: 0 done, 1 findings, a failed run or a refusal, 2 a wrong command line, 3 no server or a wrong\n"
                  "token, 4 a fault of this machine.\n");
}

static void help_of(const struct command *command, struct buf *out) {
    buf_addf(out, "usage: flowlet %s %s\n\n%s.\n", command->name, command->usage, command->summary);
    if (command->text)
        buf_addf(out, "\n%s\n", command->text);
    buf_addf(out, "\n");
    args_help(command->args, command->arg_count, out);
    buf_addf(out, "\nexample:\n\n%s\n", command->example);
}

static int print_help(const struct command *command) {
    struct buf text;
    buf_init(&text, HELP_MAX);
    if (command)
        help_of(command, &text);
    else
        help_of_all(&text);
    cli_print(buf_str(&text));
    buf_release(&text);
    return CLI_OK;
}

static bool wants_help(int argc, char **argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static const struct command *find(const char *name) {
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static int run(const struct command *command, int argc, char **argv) {
    struct cli c = {.command = command};
    struct error err;
    arena_init(&c.arena);
    void *options = arena_alloc(&c.arena, command->options_size + 1);
    c.options = options;
    int code;
    if (!args_parse(command->args, command->arg_count, options, &c.words, argc, argv, &c.arena, &err))
        code = cli_usage(&c, "%s", err.text);
    else if (c.words.count < command->words_min || c.words.count > command->words_max)
        code = cli_usage(&c, c.words.count < command->words_min ? "something is missing" : "too many words");
    else
        code = command->run(&c);
    arena_release(&c.arena);
    return fflush(stdout) == 0 ? code : CLI_FAULT;
}

int cli_main(int argc, char **argv) {
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(NULL);
        return argc < 2 ? CLI_USAGE : CLI_OK;
    }
    const struct command *command = find(strcmp(argv[1], "help") == 0 && argc > 2 ? argv[2] : argv[1]);
    if (!command && strcmp(argv[1], "help") == 0 && argc == 2)
        return print_help(NULL);
    if (!command) {
        fprintf(stderr, "flowlet: there is no command `%s`; `flowlet --help` lists them\n", argv[1]);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "help") == 0 || wants_help(argc - 2, argv + 2))
        return print_help(command);
    return run(command, argc - 2, argv + 2);
}
