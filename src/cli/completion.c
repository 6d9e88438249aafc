/* completion.c — `flowlet completion`: what a shell needs to complete commands and options, from the commands' tables. */
#include "cli/cli.h"

static const char bash_head[] = "# flowlet(1) completion for bash\n"
                                "_flowlet() {\n"
                                "    local word=${COMP_WORDS[COMP_CWORD]} options=\"\"\n"
                                "    COMPREPLY=()\n"
                                "    if [ \"$COMP_CWORD\" = 1 ]; then\n";
static const char bash_tail[] = "    esac\n"
                                "    case $word in\n"
                                "    -*) COMPREPLY=($(compgen -W \"$options --help\" -- \"$word\")) ;;\n"
                                "    *) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n"
                                "    esac\n"
                                "}\n"
                                "complete -o filenames -F _flowlet flowlet\n";

static void bash(void) {
    printf("%s        COMPREPLY=($(compgen -W \"", bash_head);
    for (size_t i = 0; i < command_count; i++)
        printf("%s ", commands[i]->name);
    printf("help\" -- \"$word\"))\n        return\n    fi\n    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; i < command_count; i++) {
        printf("    %s) options=\"", commands[i]->name);
        for (size_t k = 0; k < commands[i]->arg_count; k++)
            printf("%s--%s", k ? " " : "", commands[i]->args[k].flag);
        printf("\" ;;\n");
    }
    fputs(bash_tail, stdout);
}

/* In a text between single quotes, inside [...] or behind a colon. */
static void zsh_text(const char *text) {
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", stdout);
        else if (strchr("[]:\\", *text))
            printf("\\%c", *text);
        else
            putchar(*text);
}

static void zsh_option(const struct arg *arg) {
    printf(" \\\n            '%s--%s[", arg->type == ARG_LIST ? "*" : "", arg->flag);
    zsh_text(arg->help);
    printf(arg->type == ARG_SWITCH ? "]'" : "]:%s:_files'", arg->value);
}

static void zsh(void) {
    printf("#compdef flowlet\n_flowlet() {\n    local -a commands\n    commands=(\n");
    for (size_t i = 0; i < command_count; i++) {
        printf("        '%s:", commands[i]->name);
        zsh_text(commands[i]->summary);
        printf("'\n");
    }
    printf("    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n        return\n    fi\n"
           "    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n    case $command in\n");
    for (size_t i = 0; i < command_count; i++) {
        printf("        %s) _arguments '--help[says more, with an example]'", commands[i]->name);
        for (size_t k = 0; k < commands[i]->arg_count; k++)
            zsh_option(&commands[i]->args[k]);
        printf(" '*:file:_files' ;;\n");
    }
    printf("    esac\n}\n_flowlet \"$@\"\n");
}

static int run(struct cli *c) {
    if (strcmp(c->words.at[0], "bash") == 0)
        bash();
    else if (strcmp(c->words.at[0], "zsh") == 0)
        zsh();
    else
        return cli_usage(c, "there is completion for bash and zsh, none for `%s`", c->words.at[0]);
    return CLI_OK;
}

const struct command command_completion = {
    .name = "completion",
    .usage = "bash|zsh",
    .summary = "Prints what a shell needs to complete commands and options",
    .example = "    source <(flowlet completion bash)\n    flowlet completion zsh > ~/.zfunc/_flowlet",
    .words_min = 1,
    .words_max = 1,
    .run = run,
};
