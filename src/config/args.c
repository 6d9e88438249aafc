/* args.c — see args.h. */
#include "config/args.h"

#include <arpa/inet.h>

#define HELP_COLUMN 28

static void *field_of(const struct arg *spec, void *out) { return (char *)out + spec->offset; }

static bool set_place(struct arg_place *place, const char *value) {
    struct str text = str_from(value), address, port;
    const char *colon = strrchr(value, ':');
    if (!colon)
        return false;
    address = str_of(text.ptr, (size_t)(colon - text.ptr));
    port = str_from(colon + 1);
    if (str_starts(address, STR("[")) && str_ends(address, STR("]")))
        address = str_of(address.ptr + 1, address.len - 2);
    else if (str_is(address, "localhost"))
        address = STR("127.0.0.1");
    int64_t number;
    uint8_t bytes[16];
    if (address.len >= sizeof place->address || !str_to_int64(port, &number) || number < 0 || number > 65535)
        return false;
    snprintf(place->address, sizeof place->address, STR_FMT, STR_ARG(address));
    place->port = (uint16_t)number;
    return inet_pton(AF_INET, place->address, bytes) == 1 || inet_pton(AF_INET6, place->address, bytes) == 1;
}

static bool set_switch(bool *field, const char *value) {
    *field = str_is(str_from(value), "1") || str_is(str_from(value), "true") || str_is(str_from(value), "yes");
    return *field || str_is(str_from(value), "0") || str_is(str_from(value), "false") || str_is(str_from(value), "no");
}

static bool set(const struct arg *spec, void *out, const char *value, const char *origin, struct error *err) {
    void *field = field_of(spec, out);
    switch (spec->type) {
    case ARG_SWITCH:
        return set_switch(field, value) || error_set(err, ERR_INVALID, "%s: `%s` is neither 1 nor 0", origin, value);
    case ARG_TEXT:
        *(const char **)field = value;
        return value[0] || error_set(err, ERR_INVALID, "%s is empty: give %s", origin, spec->value);
    case ARG_NUMBER:
        if (!str_to_int64(str_from(value), field) || *(int64_t *)field < spec->low || *(int64_t *)field > spec->high)
            return error_set(err, ERR_INVALID, "%s: `%s` is no number from %lld to %lld", origin, value, (long long)spec->low,
                             (long long)spec->high);
        return true;
    case ARG_PLACE:
        return set_place(field, value) ||
               error_set(err, ERR_INVALID, "%s: `%s` is no ADDRESS:PORT, like 127.0.0.1:8080 or [::1]:8080", origin, value);
    case ARG_LIST: {
        struct arg_list *list = field;
        if (list->count == ARG_LIST_MAX)
            return error_set(err, ERR_LIMIT, "%s is given more than %d times", origin, ARG_LIST_MAX);
        list->at[list->count++] = value;
        return true;
    }
    }
    return false;
}

/* "allow-address" is FLOWLET_ALLOW_ADDRESS. */
static const char *variable_of(const struct arg *spec, struct arena *arena) {
    if (!spec->environment)
        return NULL;
    char *name = arena_printf(arena, "FLOWLET_%s", spec->flag);
    for (char *c = name; *c; c++)
        *c = *c == '-' ? '_' : *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
    return name;
}

static bool set_standard(const struct arg *spec, void *out, struct arena *arena, struct error *err) {
    const char *variable = variable_of(spec, arena), *value = variable ? getenv(variable) : NULL, *origin = variable;
    if (!value || !value[0]) {
        value = spec->standard;
        origin = spec->flag;
    }
    if (!value)
        return true;
    if (spec->type != ARG_LIST)
        return set(spec, out, value, origin, err);
    struct str rest = str_from(value), item;
    while (str_cut(&rest, ',', &item))
        if (item.len && !set(spec, out, arena_strdup(arena, item), origin, err))
            return false;
    return true;
}

static const struct arg *find(const struct arg *specs, size_t n, const char *word, const char **value) {
    *value = NULL;
    if (word[1] != '-') {
        for (size_t i = 0; i < n; i++)
            if (specs[i].letter && specs[i].letter == word[1] && !word[2])
                return &specs[i];
        return NULL;
    }
    const char *equals = strchr(word, '=');
    struct str flag = equals ? str_of(word + 2, (size_t)(equals - word - 2)) : str_from(word + 2);
    for (size_t i = 0; i < n; i++) {
        if (str_is(flag, specs[i].flag)) {
            *value = equals ? equals + 1 : NULL;
            return &specs[i];
        }
    }
    return NULL;
}

bool args_parse(const struct arg *specs, size_t n, void *out, struct arg_list *words, int argc, char **argv, struct arena *arena,
                struct error *err) {
    bool given[ARG_LIST_MAX] = {false}, only_words = false;
    ENSURE(n <= ARRAY_LEN(given));
    words->count = 0;
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i], *value;
        if (only_words || word[0] != '-' || !word[1]) { /* "-" is a word */
            if (words->count == ARG_LIST_MAX)
                return error_set(err, ERR_LIMIT, "more than %d words", ARG_LIST_MAX);
            words->at[words->count++] = word;
            continue;
        }
        if (strcmp(word, "--") == 0) {
            only_words = true;
            continue;
        }
        const struct arg *spec = find(specs, n, word, &value);
        if (!spec)
            return error_set(err, ERR_INVALID, "there is no option `%s`", word);
        if (spec->type == ARG_SWITCH && !value)
            value = "1";
        else if (!value && ++i < argc)
            value = argv[i];
        if (!value)
            return error_set(err, ERR_INVALID, "`%s` wants a value: %s %s", word, word, spec->value);
        if (!set(spec, out, value, word, err))
            return false;
        given[spec - specs] = true;
    }
    for (size_t i = 0; i < n; i++)
        if (!given[i] && !set_standard(&specs[i], out, arena, err))
            return false;
    return true;
}

void args_help(const struct arg *specs, size_t n, struct buf *out) {
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < n; i++) {
        const struct arg *s = &specs[i];
        char head[80];
        int length = snprintf(head, sizeof head, "  --%s%s%s%s", s->flag, s->value ? " " : "", s->value ? s->value : "",
                              s->type == ARG_LIST ? " ..." : "");
        if (s->letter)
            length = snprintf(head, sizeof head, "  -%c, --%s", s->letter, s->flag);
        buf_adds(out, head);
        if (length >= HELP_COLUMN)
            buf_addf(out, "\n%*s", HELP_COLUMN, "");
        else
            buf_addf(out, "%*s", HELP_COLUMN - length, "");
        buf_adds(out, s->help);
        if (s->standard)
            buf_addf(out, " (%s)", s->standard);
        const char *variable = variable_of(s, &arena);
        if (variable)
            buf_addf(out, " [%s]", variable);
        buf_addc(out, '\n');
    }
    arena_release(&arena);
}
