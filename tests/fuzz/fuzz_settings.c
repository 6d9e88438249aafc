/* workspace.json and settings.json of any bytes, parted by a byte that no text has: canonical text is its own
 * canonical text and means the same, and what is declared is read back from the stored release. */
#include "../unit/flow_helper.c" /* NOLINT: its toolbox and folders */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_release(const struct release *r) {
    struct buf blob;
    struct error err;
    buf_init(&blob, RELEASE_BLOB_MAX);
    ENSURE(release_write(r, &blob));
    struct release *loaded = release_load(buf_str(&blob), &err);
    ENSURE(loaded && loaded->setting_count == r->setting_count && loaded->secret_count == r->secret_count);
    for (size_t i = 0; i < r->setting_count; i++)
        ENSURE(json_equal(release_find_setting(loaded, r->settings[i].name)->schema, r->settings[i].schema));
    for (size_t i = 0; i < r->secret_count; i++)
        ENSURE(release_find_secret(loaded, r->secrets[i].name)->type == r->secrets[i].type);
    release_unref(loaded);
    buf_release(&blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct helper_build b = {0};
    struct findings findings;
    struct error err;
    struct str rest = str_of(data, size), workspace = {NULL, 0};
    struct folder *folder = folder_new();
    findings_init(&findings);
    str_cut(&rest, '\xFF', &workspace);
    if (folder_set(folder, STR("workspace.json"), workspace, &err) &&
        (!rest.ptr || folder_set(folder, STR("settings.json"), rest, &err))) {
        helper_build(&b, folder);
        bool accepted = b.release != NULL;
        if (accepted)
            check_release(b.release);
        bool formatted = folder_format(folder, &findings);
        ENSURE(formatted || !accepted);
        struct folder *again = folder_copy(folder);
        folder_format(again, &findings);
        json_t *first = folder_to_json(folder), *second = folder_to_json(again);
        ENSURE(json_equal(first, second));
        json_decref(first);
        json_decref(second);
        folder_free(again);
        helper_build(&b, folder);
        ENSURE(accepted == (b.release != NULL));
        helper_build_release(&b);
    }
    findings_release(&findings);
    folder_free(folder);
    return 0;
}
