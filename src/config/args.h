/* args.h — options of a command: from the line, else from the environment, else as by default.
 *
 *     args_parse(specs, n, &o, &words, argc, argv, err)      words: what is no option, in order
 *     args_help(specs, n, &text);
 *
 * "--flag VALUE" and "--flag=VALUE"; "--" ends the options. A list is given by repeating its flag, in the
 * environment by commas. Whatever is wrong is ERR_INVALID with a sentence that says what to do. */
#ifndef FLOWLET_ARGS_H
#define FLOWLET_ARGS_H

#include "base/arena.h"
#include "base/buf.h"

enum arg_type {
    ARG_SWITCH, /* bool */
    ARG_TEXT,   /* const char *; NULL: not given and no default */
    ARG_NUMBER, /* int64_t */
    ARG_PLACE,  /* struct arg_place: "127.0.0.1:8080", "[::1]:8080", "localhost:8080" */
    ARG_LIST,   /* struct arg_list */
};

struct arg {
    const char *flag;  /* "data", without dashes */
    char letter;       /* 'f' for -f as well, or 0 */
    const char *value; /* what --help calls it: "DIR" */
    enum arg_type type;
    int64_t low, high;    /* of numbers */
    const char *standard; /* as text; NULL: none */
    bool environment;     /* FLOWLET_DATA is asked where --data was not given */
    const char *help;
    size_t offset; /* of the field in the struct that is filled */
};

#define ARG_LIST_MAX 64
struct arg_list {
    size_t count;
    const char *at[ARG_LIST_MAX];
};

struct arg_place {
    char address[46]; /* an IP address */
    uint16_t port;
};

/* out is zeroed before; its texts are argv's, the environment's or the arena's. */
MUST_USE bool args_parse(const struct arg *specs, size_t n, void *out, struct arg_list *words, int argc, char **argv,
                         struct arena *arena, struct error *err);
/* A line or two for each. */
void args_help(const struct arg *specs, size_t n, struct buf *out);

#endif
