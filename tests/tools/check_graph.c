/* check_graph — holds flows against the graph rules, for proofs that are written elsewhere.
 *
 * One JSON object a line on standard input, {"flow": DOCUMENT, "scripts": {"a.ts": {"inputs": SCHEMA, "output": SCHEMA}}};
 * one line each on standard output: `ok`, with --plan the compiled flow as a JSON string instead, or
 * `CODE: SENTENCE` of the first error. Expressions are taken as they are (tests/unit/flow_helper.h). */
#include "../unit/flow_helper.h"

static void add_script(struct folder *folder, const char *name, const json_t *signature) {
    char path[300];
    struct buf text;
    struct error err;
    buf_init(&text, 1 << 20);
    snprintf(path, sizeof path, "flows/%s", name);
    for (const char *const *part = (const char *const[]){"inputs", "output", NULL}; *part; part++) {
        const json_t *schema = json_object_get(signature, *part);
        if (!schema)
            continue;
        buf_addf(&text, "// %s: ", *part);
        jsonx_write(schema, &text);
        buf_addc(&text, '\n');
    }
    ENSURE(folder_set(folder, str_from(path), buf_str(&text), &err));
    buf_release(&text);
}

static void first_error(const json_t *findings) {
    size_t i;
    json_t *f;
    json_array_foreach(findings, i, f) {
        if (strcmp(json_string_value(json_object_get(f, "severity")), "error") != 0)
            continue;
        printf("%s: %s\n", json_string_value(json_object_get(f, "code")), json_string_value(json_object_get(f, "text")));
        return;
    }
}

static void check_line(const json_t *line, bool plan) {
    static struct helper_build b;
    struct folder *folder = helper_folder("workspace.json", "{'name': 'w'}", NULL);
    struct buf text;
    struct error err;
    const char *name;
    json_t *signature;
    buf_init(&text, FOLDER_FILE_MAX);
    jsonx_write(json_object_get(line, "flow"), &text);
    ENSURE(folder_set(folder, STR("flows/f.json"), buf_str(&text), &err));
    json_object_foreach(json_object_get(line, "scripts"), name, signature) add_script(folder, name, signature);
    helper_build(&b, folder);
    buf_clear(&text);
    if (!b.release)
        first_error(b.findings);
    else if (plan && buf_add_json_string(&text, b.release->flows[0].plan))
        puts(text.ptr);
    else
        puts("ok");
    fflush(stdout);
    buf_release(&text);
    folder_free(folder);
}

int main(int argc, char **argv) {
    bool plan = argc > 1 && strcmp(argv[1], "--plan") == 0;
    char *text = NULL;
    size_t cap = 0;
    ssize_t n;
    while ((n = getline(&text, &cap, stdin)) > 0) {
        struct error err;
        json_t *line = jsonx_parse(str_of(text, (size_t)n), &err);
        if (line)
            check_line(line, plan);
        else
            printf("bad_line: %s\n", err.text);
        json_decref(line);
    }
    free(text);
    return 0;
}
