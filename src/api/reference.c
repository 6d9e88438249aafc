/* reference.c — the rows as a page for people: the list of operations in docs/api.md. */
#include "api/route.h"

#define NAMED_MAX 200

/* Shapes that have a name, in the order in which they are first met. */
struct named {
    const struct shape *list[NAMED_MAX];
    size_t count;
};

static void note(struct named *named, const struct shape *s) {
    for (size_t i = 0; i < named->count; i++)
        if (strcmp(named->list[i]->ref, s->ref) == 0)
            return;
    ENSURE(named->count < NAMED_MAX);
    named->list[named->count++] = s;
}

/* " Captured" for a list of such, or for one. */
static void add_type(struct buf *out, const struct shape *s, struct named *named) {
    const struct shape *one = s->kind == SHAPE_LIST || s->kind == SHAPE_MAP ? s->item : s;
    if (!one->ref || one->kind != SHAPE_OBJECT)
        return;
    note(named, one);
    buf_addf(out, s == one ? " (a *%s*)" : " (of *%s*)", one->ref);
}

static void add_keys(struct buf *out, const struct shape_key *keys, bool tells_needed, struct named *named) {
    for (const struct shape_key *k = keys; k->name; k++) {
        buf_addf(out, "%s`%s`%s: %s", k == keys ? "" : "; ", k->name, tells_needed && k->required ? "*" : "", k->about);
        add_type(out, k->shape, named);
    }
}

static void add_answer(struct buf *out, const struct api_route *r, const struct api_answer *a, struct named *named) {
    buf_addf(out, "- %d: %s", a->status, a->about);
    if (!a->shape) {
        buf_addf(out, " (%s)\n", r->type);
        return;
    }
    if (a->shape->ref)
        add_type(out, a->shape, named);
    else if (a->shape->kind == SHAPE_OBJECT && a->shape->keys->name) {
        buf_adds(out, ". ");
        add_keys(out, a->shape->keys, false, named);
    }
    buf_addc(out, '\n');
}

/* A workspace's path is W. */
static void add_path(struct buf *out, const char *path) {
    struct str p = str_from(path);
    bool in_workspace = str_starts(p, STR(API_WORKSPACE));
    buf_addf(out, "%s%s", in_workspace ? "W" : "", path + (in_workspace ? strlen(API_WORKSPACE) : 0));
}

static void add_row(struct buf *out, const struct api_route *r, struct named *named) {
    buf_addf(out, "\n**`%s ", r->method);
    add_path(out, r->path);
    buf_addf(out, "`** %s", r->about);
    if (r->permission)
        buf_addf(out, " *%s*", permission_name(r->permission));
    buf_adds(out, "\n\n");
    if (r->query) {
        buf_adds(out, "- query: ");
        add_keys(out, r->query, true, named);
        buf_addc(out, '\n');
    }
    if (r->body) {
        buf_adds(out, "- body: ");
        add_keys(out, r->body->keys, true, named);
        buf_addc(out, '\n');
    }
    for (const struct api_answer *a = r->answers; a->status; a++)
        add_answer(out, r, a, named);
    if (r->match)
        buf_addf(out, "- If-Match: %s\n",
                 r->match == MATCH_MUST ? "needed where there is something to replace (428), 412 when it is stale"
                                        : "412 when it is stale");
}

static void add_value(struct buf *out, const struct shape *s, struct named *named) {
    buf_addf(out, "\n**%s** ", s->ref);
    add_keys(out, s->keys, false, named);
    buf_addc(out, '\n');
}

void api_reference(struct buf *out) {
    struct named named = {.count = 0};
    const struct api_resource *resource;
    buf_adds(out, "\n## Permissions\n\n| a token with | may |\n| --- | --- |\n");
    for (size_t i = 0; i < PERMISSION_COUNT; i++)
        buf_addf(out, "| `%s` | %s |\n", permissions[i].name, permissions[i].about);
    for (size_t i = 0; (resource = api_resources[i]); i++) {
        buf_addf(out, "\n## %s\n", resource->title);
        for (size_t k = 0; k < resource->count; k++)
            add_row(out, &resource->routes[k], &named);
    }
    buf_adds(out, "\n## Values\n");
    for (size_t i = 0; i < named.count; i++) /* grows while its own members are told */
        add_value(out, named.list[i], &named);
    buf_addc(out, '\n');
}
