/* request.c — what query and body of a request hold, checked by the shapes of its row. */
#include "api/call.h"
#include "base/percent.h"

/* Every fault as {pointer, message}, the first of them in the sentence too. */
static void answer_faults(struct api_call *c, const char *what, const struct findings *faults) {
    json_t *errors = json_array();
    struct error err;
    for (size_t i = 0; i < faults->count; i++)
        json_array_append_new(errors, json_pack("{s:o, s:o}", "pointer", jsonx_from_str(faults->items[i].pointer), "message",
                                                jsonx_from_str(faults->items[i].text)));
    const struct finding *first = &faults->items[0];
    struct str at = first->pointer.len ? first->pointer : STR("as a whole");
    error_set(&err, ERR_INVALID, "the %s, " STR_FMT ": " STR_FMT, what, STR_ARG(at), STR_ARG(first->text));
    api_fail_with(c, &err, json_pack("{s:o}", "errors", errors));
}

/* root: the pointer of the whole value. */
static bool check(struct api_call *c, const char *what, const char *root, const struct shape *shape, const json_t *value) {
    struct findings faults;
    findings_init(&faults);
    bool ok = shape_check(shape, value, &(struct finding){.pointer = str_from(root)}, &faults);
    if (!ok)
        answer_faults(c, what, &faults);
    findings_release(&faults);
    return ok;
}

/* ---- the query ---- */

/* What the text stands for where that kind of value is wanted; text that is none stays text, which the check then says. */
static json_t *typed(const struct shape *shape, struct str text) {
    int64_t number;
    if (shape && shape->kind == SHAPE_INT && str_to_int64(text, &number))
        return json_integer(number);
    if (shape && shape->kind == SHAPE_BOOL && (str_is(text, "true") || str_is(text, "false")))
        return json_boolean(str_is(text, "true"));
    return jsonx_from_str(text);
}

static const struct shape *shape_of(const struct shape_key *keys, struct str name) {
    for (; keys->name; keys++)
        if (str_is(name, keys->name))
            return keys->shape;
    return NULL;
}

static bool add_pair(struct api_call *c, const struct shape_key *keys, struct str pair, struct error *err) {
    struct str key, name, value;
    str_cut(&pair, '=', &key);
    if (!query_decode(key, c->arena, &name) || !query_decode(pair, c->arena, &value))
        return error_set(err, ERR_INVALID, "the query has a broken percent-escape, or is no UTF-8");
    if (json_object_getn(c->query, name.ptr, name.len))
        return error_set(err, ERR_INVALID, "the query has `" STR_FMT "` twice", STR_ARG(name));
    json_object_setn_new(c->query, name.ptr, name.len, typed(shape_of(keys, name), value));
    return true;
}

static void decref(void *value) { json_decref(value); }

bool api_read_query(struct api_call *c) {
    static const struct shape_key none[] = {{0}};
    const struct shape_key *keys = c->route->query ? c->route->query : none;
    struct str rest = httpd_query(c->rq), pair;
    struct error err;
    c->query = json_object();
    arena_defer(c->arena, decref, c->query);
    while (str_cut(&rest, '&', &pair))
        if (pair.len && !add_pair(c, keys, pair, &err)) {
            api_fail(c, &err);
            return false;
        }
    return check(c, "query", "/query", &(struct shape){.kind = SHAPE_OBJECT, .keys = keys}, c->query);
}

/* ---- the body ---- */

bool api_read_body(struct api_call *c) {
    struct error err;
    if (!c->route->body)
        return true;
    c->body = httpd_body(c->rq).len ? jsonx_parse(httpd_body(c->rq), &err) : json_object();
    if (!c->body) {
        error_wrap(&err, "the body");
        api_fail(c, &err);
        return false;
    }
    arena_defer(c->arena, decref, c->body);
    return check(c, "body", "", c->route->body, c->body);
}
