/* write_spec DIR — writes spec/ anew after a shape has changed: `make spec`. */
#include "flow/spec.h"

static void write_file(const char *dir, const char *name, json_t *schema) {
    char path[4096];
    struct buf text;
    struct error err;
    buf_init(&text, 1 << 22);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    ENSURE(jsonx_write_pretty(schema, &text) && file_write(path, buf_str(&text), 0644, &err));
    buf_release(&text);
    json_decref(schema);
}

int main(int argc, char **argv) {
    ENSURE(argc == 2);
    write_file(argv[1], "flow.schema.json", spec_flow());
    write_file(argv[1], "workspace.schema.json", spec_workspace());
    write_file(argv[1], "example.schema.json", spec_example());
    return 0;
}
