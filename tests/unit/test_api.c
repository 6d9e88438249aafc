/* test_api.c — the rows of the API go together. */
#include <criterion/criterion.h>

#include "api/call.h"
#include "base/map.h"

static void each_row(void (*fn)(const struct api_route *r, void *arg), void *arg) {
    for (size_t i = 0; api_resources[i]; i++)
        for (size_t k = 0; k < api_resources[i]->count; k++)
            fn(&api_resources[i]->routes[k], arg);
}

static void look(const struct api_route *r, void *arg) {
    struct str rest = str_from(r->path), segment;
    struct map *seen = arg;
    size_t parameters = 0;
    cr_assert(r->name && r->about && r->run && r->answers && r->answers[0].status, "%s %s", r->method, r->path);
    cr_assert_not(map_set(seen, str_from(r->name), (void *)(uintptr_t)r), "%s is there twice", r->name);
    cr_assert_eq(r->permission != PERMISSION_NONE, !strncmp(r->path, "/api/", 5) && strcmp(r->name, "openapi") != 0, "%s",
                 r->name);
    while (str_cut(&rest, '/', &segment))
        if (str_starts(segment, STR("{"))) {
            parameters++;
            cr_assert(api_parameter_about(str_of(segment.ptr + 1, segment.len - 2)), "%s", r->path);
        }
    cr_assert_leq(parameters, API_PARAMETERS_MAX, "%s", r->path);
    cr_assert(!r->body || r->body->kind == SHAPE_OBJECT, "%s", r->name);
}

Test(api, rows_are_whole_and_named_once) {
    struct map seen;
    map_init(&seen);
    each_row(look, &seen);
    map_release(&seen);
}

static void find_operation(const struct api_route *r, void *arg) {
    char method[16] = "";
    for (size_t i = 0; r->method[i]; i++)
        method[i] = (char)(r->method[i] | 0x20);
    const json_t *o = json_object_get(json_object_get(json_object_get(arg, "paths"), r->path), method);
    cr_assert_str_eq(json_string_value(json_object_get(o, "operationId")), r->name);
}

Test(api, the_document_has_every_row) {
    json_t *document = api_openapi();
    each_row(find_operation, document);
    json_decref(document);
}

Test(api, docs_are_those_of_the_rows) {
    struct buf page, reference;
    struct error err;
    buf_init(&page, 1 << 22);
    buf_init(&reference, 1 << 22);
    cr_assert(file_read("docs/api.md", &page, &err));
    buf_adds(&reference, API_REFERENCE_BEGIN);
    api_reference(&reference);
    buf_adds(&reference, API_REFERENCE_END);
    cr_assert_neq(str_find(buf_str(&page), buf_str(&reference)), SIZE_MAX,
                  "a row has changed: `make docs` writes docs/api.md anew");
    buf_release(&page);
    buf_release(&reference);
}
