/* Rules of config/args.h, on the server's own options. */
#include <criterion/criterion.h>

#include "config/options.h"

static struct options o;
static struct arg_list words;
static struct error err;
static struct arena arena;

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static bool parse(const char *const *line) {
    int n = 0;
    while (line[n])
        n++;
    arena_release(&arena);
    o = (struct options){0};
    return args_parse(options_args, options_count, &o, &words, n, (char **)(uintptr_t)line, &arena, &err);
}

static void clean(void) {
    arena_init(&arena);
    unsetenv("FLOWLET_DATA");
    unsetenv("FLOWLET_WORKERS");
    unsetenv("FLOWLET_ALLOW_ADDRESS");
}
static void tear_down(void) { arena_release(&arena); }
TestSuite(args, .init = clean, .fini = tear_down);

Test(args, what_is_not_given_is_as_by_default) {
    cr_assert(PARSE("--"));
    cr_assert_str_eq(o.data, "./data");
    cr_assert_str_eq(o.listen.address, "127.0.0.1");
    cr_assert_eq(o.listen.port, 8080);
    cr_assert(o.workers == 2 && !o.practice && !o.ca_file && o.workspace.count == 0);
}

Test(args, both_ways_to_write_a_value) {
    cr_assert(PARSE("--data", "/a", "--listen=[::1]:0", "--workspace", "x", "--practice", "--workspace=y", "word", "--", "--z"));
    cr_assert_str_eq(o.data, "/a");
    cr_assert(str_is(str_from(o.listen.address), "::1") && o.listen.port == 0 && o.practice);
    cr_assert(o.workspace.count == 2 && str_is(str_from(o.workspace.at[1]), "y"));
    cr_assert(words.count == 2 && str_is(str_from(words.at[0]), "word") && str_is(str_from(words.at[1]), "--z"));
}

Test(args, the_environment_stands_behind_the_line) {
    setenv("FLOWLET_DATA", "/env", 1);
    setenv("FLOWLET_WORKERS", "3", 1);
    setenv("FLOWLET_ALLOW_ADDRESS", "10.0.0.0/8,192.168.0.0/16", 1);
    cr_assert(PARSE("--workers", "4"));
    cr_assert_str_eq(o.data, "/env");
    cr_assert(o.workers == 4 && o.allow_address.count == 2);
    setenv("FLOWLET_WORKERS", "many", 1);
    cr_assert(!PARSE("--") && strstr(err.text, "FLOWLET_WORKERS"), "%s", err.text);
}

Test(args, what_is_wrong_is_named) {
    static const struct {
        const char *line[3], *says;
    } cases[] = {{{"--dta", "x", NULL}, "--dta"},           {{"--data", NULL}, "DIR"},
                 {{"--workers", "0", NULL}, "1 to 64"},     {{"--workers=x", NULL}, "`x`"},
                 {{"--listen", "8080", NULL}, "PORT"},      {{"--listen", "a.b:80", NULL}, "a.b"},
                 {{"--listen", "1.2.3.4:65536", NULL}, ""}, {{"-x", NULL}, "-x"},
                 {{"--practice=perhaps", NULL}, "perhaps"}, {{"--data=", NULL}, "DIR"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cr_assert(!parse(cases[i].line), "%s", cases[i].line[0]);
        cr_assert(err.code == ERR_INVALID && strstr(err.text, cases[i].says), "%s: %s", cases[i].line[0], err.text);
    }
}

Test(args, help_has_a_line_for_each) {
    struct buf text;
    buf_init(&text, 10000);
    args_help(options_args, options_count, &text);
    cr_assert(strstr(text.ptr, "  --data DIR") && strstr(text.ptr, "(127.0.0.1:8080) [FLOWLET_LISTEN]"), "%s", text.ptr);
    cr_assert(strstr(text.ptr, "FLOWLET_ALLOW_ADDRESS"));
    buf_release(&text);
}
