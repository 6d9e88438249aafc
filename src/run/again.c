/* again.c — see again.h. */
#include "run/again.h"

#include "base/map.h"

/* ---- what the history kept ---- */

static bool is_masked(const struct again *a, struct str text) {
    struct str open = STR("\xC2\xAB"), close = STR("\xC2\xBB");
    for (size_t at; (at = str_find(text, open)) != SIZE_MAX;) {
        text = str_of(text.ptr + at + open.len, text.len - at - open.len);
        size_t end = str_find(text, close);
        if (str_starts(text, STR("secret:")) || (end != SIZE_MAX && release_find_secret(a->release, str_of(text.ptr, end))))
            return true;
    }
    return false;
}

/* NULL: the value is as it was. Else why not. */
static const char *fault_of(const struct again *a, const json_t *value) {
    static const char masked[] = "holds a secret, which history masks";
    const char *key, *fault = NULL;
    const json_t *part;
    size_t i;
    if (json_is_string(value))
        return is_masked(a, jsonx_string_value(value)) ? masked : NULL;
    if (json_is_string(json_object_get(value, "$cut")) && json_object_get(value, "length"))
        return "is too long: history kept its beginning alone";
    json_object_foreach((json_t *)(uintptr_t)value, key, part) {
        if (!fault)
            fault = is_masked(a, str_from(key)) ? masked : fault_of(a, part);
    }
    json_array_foreach(value, i, part) {
        if (!fault)
            fault = fault_of(a, part);
    }
    return fault;
}

/* Of the outer scope: its path is its id. NULL: it did not come to an end. */
static const json_t *record_of(const struct again *a, struct str block) {
    const json_t *record;
    size_t i;
    json_array_foreach(json_object_get(a->history, "blocks"), i, record) {
        if (str_eq(jsonx_str(record, "path"), block))
            return record;
    }
    return NULL;
}

/* What a block left with. An HTTP call that failed with a status bound the answer as well. */
static const char *record_fault(const struct again *a, const json_t *record) {
    const json_t *output = json_object_get(record, "output"), *error = json_object_get(record, "error");
    const char *fault = fault_of(a, error ? error : output);
    if (!output && !error)
        return "was not kept";
    if (!fault && json_object_get(error, "status") && !json_object_get(record, "response"))
        return "was not kept with the service's answer";
    return fault ? fault : fault_of(a, json_object_get(record, "response"));
}

/* ---- what lies before a block ---- */

static struct str source_of(const json_t *connection) {
    struct str from = jsonx_str(connection, "from"), block;
    str_cut(&from, '.', &block);
    return block;
}

static bool has(const struct map *set, struct str id) { return map_find(set, id) != NULL; }

/* The block and all that follows it. The document was checked: it is no larger than that allows. */
static void reach(const json_t *document, struct str from, struct map *reached) {
    const json_t *connections = json_object_get(document, "connections"), *one;
    size_t i;
    map_init(reached);
    map_set(reached, from, (void *)1);
    for (size_t before = 0; before != reached->count;) {
        before = reached->count;
        json_array_foreach(connections, i, one) {
            if (has(reached, source_of(one)))
                map_set(reached, jsonx_str(one, "to"), (void *)1);
        }
    }
}

/* What stands before, as text to compare: blocks by id and type, connections without their mappings. */
static json_t *before_of(const json_t *document, struct str from) {
    const json_t *one;
    struct map reached;
    size_t i;
    json_t *set = json_object();
    char text[300];
    reach(document, from, &reached);
    json_array_foreach(json_object_get(document, "blocks"), i, one) {
        if (!has(&reached, jsonx_str(one, "id"))) {
            snprintf(text, sizeof text, STR_FMT " " STR_FMT, STR_ARG(jsonx_str(one, "id")), STR_ARG(jsonx_str(one, "type")));
            json_object_set_new(set, text, json_true());
        }
    }
    json_array_foreach(json_object_get(document, "connections"), i, one) {
        if (!has(&reached, jsonx_str(one, "to"))) {
            snprintf(text, sizeof text, STR_FMT "->" STR_FMT, STR_ARG(jsonx_str(one, "from")), STR_ARG(jsonx_str(one, "to")));
            json_object_set_new(set, text, json_true());
        }
    }
    map_release(&reached);
    return set;
}

static bool same_before(const struct again *a, struct str from) {
    json_t *then = before_of(a->before, from), *now = before_of(a->now, from);
    bool same = json_equal(then, now);
    json_decref(then);
    json_decref(now);
    return same;
}

/* ---- whether it can be ---- */

static bool can_start(const struct again *a, struct error *err) {
    const json_t *start = record_of(a, STR("start"));
    const char *fault;
    if (a->test)
        return error_set(err, ERR_CONFLICT, "it was a test of a draft that is not kept: test again");
    if (!a->history)
        return error_set(err, ERR_CONFLICT, "it is not over yet, or its history was not kept");
    if (!a->flow || !a->now)
        return error_set(err, ERR_CONFLICT, "its flow is not there any more");
    if (!start)
        return error_set(err, ERR_CONFLICT, "it ended before it began: its input was not kept");
    if (a->flow->needs & NEED_RAW_BODY)
        return error_set(err, ERR_CONFLICT, "the flow reads the raw body of its request, which history does not keep");
    if ((fault = record_fault(a, start)))
        return error_set(err, ERR_CONFLICT, "its input %s", fault);
    return true;
}

static const json_t *find_block(const json_t *document, struct str id) {
    const json_t *one;
    size_t i;
    json_array_foreach(json_object_get(document, "blocks"), i, one) {
        if (str_eq(jsonx_str(one, "id"), id))
            return one;
    }
    return NULL;
}

static bool is_of_type(const json_t *block, const char *type) { return str_is(jsonx_str(block, "type"), type); }

/* These do nothing but hand on: they run anew, on what is repeated. */
static bool runs_anew(const json_t *block) { return is_of_type(block, "end") || is_of_type(block, "respond"); }

/* Every block before it, as it left. */
static bool take_before(const struct again *a, struct str from, json_t *repeated, struct error *err) {
    const json_t *block;
    struct map reached;
    size_t i;
    const char *fault = NULL;
    reach(a->now, from, &reached);
    json_array_foreach(json_object_get(a->now, "blocks"), i, block) {
        struct str id = jsonx_str(block, "id");
        const json_t *record = record_of(a, id);
        if (fault || has(&reached, id) || json_object_get(block, "in") || runs_anew(block) || !record)
            continue;
        if ((fault = record_fault(a, record))) {
            error_set(err, ERR_CONFLICT, "what the block \"" STR_FMT "\" before it left with %s", STR_ARG(id), fault);
            continue;
        }
        json_t *end = json_pack("{s:O, s:b, s:I}", "pin", json_object_get(record, "pin"), "repeated", 1, "t",
                                (json_int_t)jsonx_int(record, "t", 0));
        json_t *failed = json_object_get(record, "error");
        if (failed) {
            failed = json_copy(failed);
            if (json_object_get(record, "response"))
                json_object_set(failed, "response", json_object_get(record, "response"));
            json_object_set_new(end, "error", failed);
        } else {
            json_object_set(end, "output", json_object_get(record, "output"));
        }
        if (json_is_object(json_object_get(record, "input")))
            json_object_set(end, "input", json_object_get(record, "input"));
        json_object_setn_new(repeated, id.ptr, id.len, end);
    }
    map_release(&reached);
    return !fault;
}

static bool can_begin_at(const struct again *a, const json_t *block, struct error *err) {
    struct str id = jsonx_str(block, "id");
    if (!a->before)
        return error_set(err, ERR_CONFLICT, "the flow as it was then is not kept");
    if (is_of_type(block, "join"))
        return error_set(err, ERR_CONFLICT, "a Join does nothing by itself: choose what follows it");
    if (jsonx_bool(a->history, "full", false))
        return error_set(err, ERR_CONFLICT, "so much happened in it that its history does not list all blocks");
    if (!find_block(a->before, id) || !same_before(a, id))
        return error_set(err, ERR_CONFLICT, "what comes before it in the flow has changed since");
    return record_of(a, id) || error_set(err, ERR_CONFLICT, "it was not reached");
}

bool again_take(const struct again *a, struct str from, json_t **input, json_t **repeated, struct error *err) {
    *input = *repeated = NULL;
    if (!can_start(a, err))
        return false;
    const json_t *block = from.len ? find_block(a->now, from) : NULL;
    if (from.len && (!block || json_object_get(block, "in")))
        return error_set(err, ERR_NOT_FOUND, "the flow has no block \"" STR_FMT "\" outside of its loops", STR_ARG(from));
    if (block && !can_begin_at(a, block, err))
        return false;
    if (block) {
        *repeated = json_object();
        if (!take_before(a, from, *repeated, err)) {
            json_decref(*repeated);
            *repeated = NULL;
            return false;
        }
    }
    *input = json_deep_copy(json_object_get(record_of(a, STR("start")), "output"));
    return true;
}

static json_t *verdict(const struct again *a, struct str from) {
    json_t *input, *repeated;
    struct error err;
    bool possible = again_take(a, from, &input, &repeated, &err);
    json_t *said = json_pack("{s:b}", "possible", possible);
    if (!possible)
        json_object_set_new(said, "reason", jsonx_from_str(str_from(err.text)));
    json_decref(input);
    json_decref(repeated);
    return said;
}

json_t *again_list(const struct again *a) {
    const json_t *block;
    size_t i;
    json_t *blocks = json_array();
    json_array_foreach(json_object_get(a->now, "blocks"), i, block) {
        struct str id = jsonx_str(block, "id"), name = jsonx_str(block, "name");
        if (json_object_get(block, "in"))
            continue;
        json_t *one = json_pack("{s:o, s:o}", "block", jsonx_from_str(id), "name", jsonx_from_str(name.len ? name : id));
        json_object_update_new(one, verdict(a, id));
        json_array_append_new(blocks, one);
    }
    return json_pack("{s:o, s:o}", "start", verdict(a, (struct str){NULL, 0}), "blocks", blocks);
}
