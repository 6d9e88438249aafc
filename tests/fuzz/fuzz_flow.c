/* Flow documents of any bytes, and documents made of them: canonical text is its own canonical text, whatever is
 * accepted compiles, and the stored release reads back as itself. */
#include "../unit/flow_helper.c" /* NOLINT: its toolbox and folders */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- documents out of bytes, so that the graph's rules are reached ---- */

static unsigned take(struct str *bytes) {
    unsigned byte = bytes->len ? (uint8_t)bytes->ptr[0] : 0;
    if (bytes->len)
        *bytes = str_of(bytes->ptr + 1, bytes->len - 1);
    return byte;
}

static const struct {
    const char *json, *pins[3];
    unsigned pin_count;
    const char *map;
} kinds[] = {
    {"'type': 'join'", {"out"}, 1, "{}"},
    {"'type': 'http', 'outputs': {'response': 'a', 'error': 'b'}, 'retry': {'times': 2}",
     {"out", "error"},
     2,
     "{'url': {'from': 'a.x[0]'}}"},
    {"'type': 'http', 'auth': 'key'",
     {"out", "error"},
     2,
     "{'url': {'value': 'x'}, 'body': {'object': {'a': {'secret': 'key'}}}}"},
    {"'type': 'condition'", {"true", "false"}, 2, "{'condition': {'code': 'input.query.x // y'}}"},
    {"'type': 'loop'", {"each", "done", "error"}, 3, "{'list': {'list': [{'from': 'query'}]}}"},
    {"'type': 'script', 'script': 'a.ts'", {"out", "error"}, 2, "{'v': {'from': 'response'}}"},
    {"'type': 'respond'", {"out"}, 1, "{'body': {'setting': 'site'}}"},
    {"'type': 'end'", {"out"}, 0, "{'body': {'from': 'n'}}"},
    {"'type': 'fail'", {"out"}, 0, "{'message': {'from': 'error.message'}}"},
    {"'type': 'call', 'flow': 'f'", {"out", "error"}, 2, "{}"},
};

static void make_document(struct str bytes, struct buf *out) {
    unsigned kind[33], count = 1 + take(&bytes) % 32;
    buf_addf(out, "{'name': 'f', 'type': 'endpoint', 'start': {'method': 'POST', 'path': '/a/{p}', 'deduplicate': {'code': "
                  "'input.p'}}, 'blocks': [");
    for (unsigned i = 1; i <= count; i++) {
        unsigned in = take(&bytes);
        kind[i] = take(&bytes) % ARRAY_LEN(kinds);
        buf_addf(out, "%s{'id': 'b%u', %s", i > 1 ? ", " : "", i, kinds[kind[i]].json);
        if (in > 200)
            buf_addf(out, ", 'in': 'b%u'", in % count + 1);
        buf_addc(out, '}');
    }
    buf_adds(out, "], 'connections': [");
    for (const char *separator = ""; bytes.len; separator = ", ") {
        unsigned from = take(&bytes) % (count + 1), pin = take(&bytes), to = take(&bytes) % count + 1;
        unsigned pins = from ? kinds[kind[from]].pin_count : 1;
        buf_addf(out, "%s{'from': '%s%.*u.%s', 'to': 'b%u', 'map': %s}", separator, from ? "b" : "start", from ? 1 : 0, from,
                 pins && from ? kinds[kind[from]].pins[pin % pins] : "out", to, kinds[kind[to]].map);
    }
    buf_adds(out, "]}");
    for (size_t i = 0; i < out->len; i++)
        out->ptr[i] = out->ptr[i] == '\'' ? '"' : out->ptr[i];
}

/* ---- laws ---- */

static void check_format(struct folder *folder) {
    struct findings findings;
    findings_init(&findings);
    if (folder_format(folder, &findings)) {
        struct folder *again = folder_copy(folder);
        ENSURE(folder_format(again, &findings) && findings.count == 0);
        json_t *a = folder_to_json(folder), *b = folder_to_json(again);
        ENSURE(json_equal(a, b));
        json_decref(a);
        json_decref(b);
        folder_free(again);
    }
    findings_release(&findings);
}

static void check_release(const struct release *r) {
    struct buf blob, again;
    struct error err;
    buf_init(&blob, RELEASE_BLOB_MAX);
    buf_init(&again, RELEASE_BLOB_MAX);
    ENSURE(release_write(r, &blob));
    struct release *loaded = release_load(buf_str(&blob), &err);
    ENSURE(loaded && release_write(loaded, &again) && str_eq(buf_str(&blob), buf_str(&again)));
    release_unref(loaded);
    buf_release(&blob);
    buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct helper_build b = {0};
    struct buf text;
    struct error err;
    struct folder *folder = helper_folder(
        "workspace.json", "{'name': 'w', 'settings': {'site': {}}, 'secrets': {'key': {'type': 'password'}}}", "flows/a.ts",
        "// output: {\"type\": \"object\", \"required\": [\"n\"], \"properties\": {\"n\": {}, \"m\": {}}}\n", NULL);
    buf_init(&text, FOLDER_FILE_MAX);
    if (size && data[0] == '{')
        buf_add(&text, str_of(data, size));
    else
        make_document(str_of(data, size < 500 ? size : 500), &text);
    if (folder_set(folder, STR("flows/f.json"), buf_str(&text), &err)) {
        helper_build(&b, folder);
        bool accepted = b.release != NULL;
        if (accepted)
            check_release(b.release);
        check_format(folder);
        helper_build(&b, folder);
        ENSURE(accepted == (b.release != NULL)); /* canonical text means the same */
        helper_build_release(&b);
    }
    buf_release(&text);
    folder_free(folder);
    return 0;
}
