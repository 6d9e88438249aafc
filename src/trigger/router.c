/* router.c — see router.h. A tree of segments; each node knows its flows by method. */
#include "trigger/router.h"

#include "base/map.h"
#include "base/percent.h"

#define LITERAL_MAX 1024 /* longest method and path in the hash table */

static const char *const methods[] = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}; /* in Allow's order */
enum { GET = 1, HEAD = 2, OPTIONS = 3, METHODS = ARRAY_LEN(methods) };

struct node {
    struct map literals;    /* decoded segment -> struct node */
    struct node *parameter; /* NULL: none */
    const struct release_flow *flows[METHODS];
};

struct router {
    struct node root;
    struct map literals; /* "GET /path" of routes without parameters -> const struct release_flow */
};

/* A path's segments, decoded. */
struct segments {
    struct str at[ROUTER_SEGMENTS_MAX];
    size_t count;
};

static int method_number(struct str method) {
    for (int i = 0; i < METHODS; i++)
        if (str_is(method, methods[i]))
            return i;
    return -1;
}

static enum router_result split(struct str path, struct arena *arena, struct segments *out) {
    struct str rest = path, raw;
    if (!str_cut(&rest, '/', &raw) || raw.len || !rest.ptr)
        return ROUTER_BAD_PATH;
    out->count = 0;
    while (str_cut(&rest, '/', &raw)) {
        if (out->count == ROUTER_SEGMENTS_MAX)
            return ROUTER_NOT_FOUND;
        struct str *segment = &out->at[out->count++];
        if (!percent_decode(raw, arena, segment) || str_is(*segment, ".") || str_is(*segment, ".."))
            return ROUTER_BAD_PATH;
    }
    return str_is(out->at[0], ".flowlet") ? ROUTER_NOT_FOUND : ROUTER_FOUND;
}

static bool is_parameter(struct str segment) { return segment.len > 2 && segment.ptr[0] == '{' && str_ends(segment, STR("}")); }

static struct node *node_child(struct node *n, struct str segment) {
    struct node *child = is_parameter(segment) ? n->parameter : map_find(&n->literals, segment);
    if (child)
        return child;
    child = mem_alloc(sizeof *child);
    map_init(&child->literals);
    if (is_parameter(segment))
        n->parameter = child;
    else
        map_set(&n->literals, segment, child);
    return child;
}

static bool literal_key(struct str method, struct str path, char room[LITERAL_MAX], struct str *key) {
    if (method.len + 1 + path.len > LITERAL_MAX)
        return false;
    memcpy(room, method.ptr, method.len);
    room[method.len] = ' ';
    memcpy(room + method.len + 1, path.ptr, path.len);
    *key = str_of(room, method.len + 1 + path.len);
    return true;
}

static void add(struct router *r, const struct release_flow *flow) {
    struct arena arena;
    struct segments segments;
    int method = method_number(flow->method);
    arena_init(&arena);
    if (method >= 0 && split(flow->path, &arena, &segments) == ROUTER_FOUND) {
        bool literal = true;
        struct node *n = &r->root;
        for (size_t i = 0; i < segments.count; i++) {
            n = node_child(n, segments.at[i]);
            literal = literal && !is_parameter(segments.at[i]);
        }
        if (!n->flows[method]) {
            char room[LITERAL_MAX];
            struct str key;
            n->flows[method] = flow;
            if (literal && literal_key(flow->method, flow->path, room, &key))
                map_set(&r->literals, key, (void *)(uintptr_t)flow);
        }
    }
    arena_release(&arena);
}

struct router *router_new(const struct release *release) {
    struct router *r = mem_alloc(sizeof *r);
    map_init(&r->literals);
    map_init(&r->root.literals);
    for (size_t i = 0; i < release->flow_count; i++)
        if (release->flows[i].type == FLOW_ENDPOINT)
            add(r, &release->flows[i]);
    return r;
}

static void node_release(struct node *n) {
    size_t at = 0;
    for (struct map_entry *e; (e = map_next(&n->literals, &at));) {
        node_release(e->value);
        free(e->value);
    }
    map_release(&n->literals);
    if (n->parameter)
        node_release(n->parameter);
    free(n->parameter);
}

void router_free(struct router *r) {
    if (!r)
        return;
    node_release(&r->root);
    map_release(&r->literals);
    free(r);
}

/* One look-up: every node is visited at most once, as it has one way to it. */
struct search {
    const struct segments *segments;
    int method;
    bool allowed[METHODS]; /* of all patterns that fit */
};

static const struct release_flow *flow_of(const struct node *n, int method) {
    if (method < 0)
        return NULL;
    return n->flows[method] || method != HEAD ? n->flows[method] : n->flows[GET];
}

static const struct release_flow *search(struct search *s, const struct node *n, size_t depth) {
    if (depth == s->segments->count) {
        for (int i = 0; i < METHODS; i++)
            s->allowed[i] |= flow_of(n, i) != NULL;
        return flow_of(n, s->method);
    }
    struct str segment = s->segments->at[depth];
    const struct node *literal = map_find(&n->literals, segment);
    const struct release_flow *found = literal ? search(s, literal, depth + 1) : NULL;
    if (!found && n->parameter && segment.len)
        found = search(s, n->parameter, depth + 1);
    return found;
}

/* Names come from the flow's own path: two flows may name the same place differently. */
static void bind_parameters(const struct segments *values, struct router_match *match) {
    struct str rest = match->flow->path, name;
    str_cut(&rest, '/', &name);
    for (size_t i = 0; str_cut(&rest, '/', &name) && match->parameters < ROUTER_PARAMETERS_MAX; i++) {
        if (!is_parameter(name))
            continue;
        match->parameter[match->parameters].name = str_of(name.ptr + 1, name.len - 2);
        match->parameter[match->parameters++].value = values->at[i];
    }
}

static void write_allow(const struct search *s, char *out, size_t size) {
    size_t n = 0;
    bool any = false;
    for (int i = 0; i < METHODS; i++)
        any |= s->allowed[i];
    for (int i = 0; any && i < METHODS; i++)
        if (s->allowed[i] || i == OPTIONS)
            n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", methods[i]);
}

enum router_result router_find(const struct router *r, struct str method, struct str path, struct arena *arena,
                               struct router_match *match) {
    char room[LITERAL_MAX];
    struct str key;
    match->parameters = 0;
    match->allow[0] = 0;
    match->flow = literal_key(method, path, room, &key) ? map_find(&r->literals, key) : NULL;
    if (match->flow)
        return ROUTER_FOUND;
    struct segments segments;
    enum router_result result = split(path, arena, &segments);
    if (result != ROUTER_FOUND)
        return result;
    struct search s = {.segments = &segments, .method = method_number(method)};
    match->flow = search(&s, &r->root, 0);
    if (match->flow) {
        bind_parameters(&segments, match);
        return ROUTER_FOUND;
    }
    write_allow(&s, match->allow, sizeof match->allow);
    return match->allow[0] ? ROUTER_METHOD : ROUTER_NOT_FOUND;
}
