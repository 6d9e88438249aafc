/* ops_state.c — see ops_state.h. */
#include "run/ops_state.h"

#include "ops/args.h"

#define KEY_MAX 255
#define TTL_MAX_MS ((int64_t)10 * 366 * 24 * 3600 * 1000)
#define VERSION_MAX ((int64_t)1 << 53) /* what a JavaScript number holds */
#define LIST_DEFAULT 100
#define LIST_MAX 1000
#define LIST_BYTES_MAX (4 * 1024 * 1024)

/* All that the four take; what is missing has the value that means so. */
struct wanted {
    struct str key, prefix;
    int64_t ttl_ms, if_version, limit;
    json_t *value; /* borrowed; NULL: missing */
};

struct place {
    struct store_tx *tx;
    int64_t workspace;
    char mode;
    int64_t now_ms;
};

static bool read_args(const json_t *args, bool has_key, struct wanted *w, struct error *err) {
    *w = (struct wanted){.if_version = -1, .limit = LIST_DEFAULT, .value = json_object_get(args, "value")};
    if ((has_key && !args_needed_str(args, "key", &w->key, err)) || !args_str(args, "prefix", &w->prefix, err) ||
        !args_int(args, "ttl_ms", 1, TTL_MAX_MS, &w->ttl_ms, err) ||
        !args_int(args, "if_version", 0, VERSION_MAX, &w->if_version, err) ||
        !args_int(args, "limit", 1, LIST_MAX, &w->limit, err))
        return false;
    if (w->key.len > KEY_MAX || w->prefix.len > KEY_MAX)
        return error_set(err, ERR_INVALID, "a key of %zu bytes: at most %d", w->key.len > KEY_MAX ? w->key.len : w->prefix.len,
                         KEY_MAX);
    return true;
}

/* The value's JSON into out, which holds what the store takes. */
static bool write_value(const struct wanted *w, struct buf *out, struct error *err) {
    if (!w->value)
        return error_set(err, ERR_INVALID, "value is missing: state.delete removes a key");
    buf_init(out, STATE_VALUE_MAX);
    if (jsonx_write(w->value, out))
        return true;
    buf_release(out);
    return error_set(err, ERR_TOO_LARGE, "the value under \"" STR_FMT "\" is larger than %d KB", STR_ARG(w->key),
                     STATE_VALUE_MAX / 1024);
}

static json_t *do_get(const struct place *p, const struct wanted *w, struct error *err) {
    struct buf text;
    int64_t version;
    json_t *result = NULL, *value;
    buf_init(&text, STATE_VALUE_MAX);
    if (!tx_state_get(p->tx, p->workspace, p->mode, w->key, p->now_ms, &text, &version, err))
        result = err->code == ERR_NOT_FOUND ? json_null() : NULL;
    else if ((value = jsonx_parse(buf_str(&text), err)))
        result = json_pack("{so sI}", "value", value, "version", (json_int_t)version);
    buf_release(&text);
    return result;
}

static json_t *do_put(const struct place *p, const struct wanted *w, struct error *err) {
    struct buf text;
    int64_t version;
    if (!write_value(w, &text, err))
        return NULL;
    bool ok =
        tx_state_put(p->tx, p->workspace, p->mode, w->key, buf_str(&text), w->ttl_ms, w->if_version, p->now_ms, &version, err);
    buf_release(&text);
    return ok ? json_pack("{sI}", "version", (json_int_t)version) : NULL;
}

static json_t *do_delete(const struct place *p, const struct wanted *w, struct error *err) {
    bool was_there;
    if (!tx_state_delete(p->tx, p->workspace, p->mode, w->key, p->now_ms, &was_there, err))
        return NULL;
    return json_boolean(was_there);
}

struct listing {
    json_t *items;
    size_t bytes;
    struct error *err;
    bool failed;
};

static bool list_add(void *arg, struct str key, struct str text, int64_t version) {
    struct listing *l = arg;
    l->bytes += key.len + text.len;
    json_t *value = NULL;
    if (l->bytes > LIST_BYTES_MAX)
        error_set(l->err, ERR_TOO_LARGE, "the values listed are larger than %d MB together: ask for fewer with limit",
                  LIST_BYTES_MAX / 1024 / 1024);
    else
        value = jsonx_parse(text, l->err);
    l->failed = !value;
    if (value)
        json_array_append_new(
            l->items, json_pack("{so so sI}", "key", jsonx_from_str(key), "value", value, "version", (json_int_t)version));
    return !l->failed;
}

static json_t *do_list(const struct place *p, const struct wanted *w, struct error *err) {
    struct listing l = {.items = json_array(), .err = err};
    if (tx_state_list(p->tx, p->workspace, p->mode, w->prefix, p->now_ms, (int)w->limit, list_add, &l, err) && !l.failed)
        return l.items;
    json_decref(l.items);
    return NULL;
}

static const struct state_op {
    const char *name;
    bool is_read, has_key, has_value;
    json_t *(*work)(const struct place *p, const struct wanted *w, struct error *err);
} ops[] = {
    {"state.get", true, true, false, do_get},
    {"state.put", false, true, true, do_put},
    {"state.delete", false, true, false, do_delete},
    {"state.list", true, false, false, do_list},
};

/* NULL: no state operation. */
static const struct state_op *find(const char *name) {
    for (size_t i = 0; i < ARRAY_LEN(ops); i++)
        if (strcmp(ops[i].name, name) == 0)
            return &ops[i];
    return NULL;
}

bool state_op_is_read(const char *name) {
    const struct state_op *op = find(name);
    return op && op->is_read;
}

bool state_op_check(const char *name, const json_t *args, struct error *err) {
    const struct state_op *op = find(name);
    struct wanted w;
    struct buf text;
    if (!op)
        return error_set(err, ERR_INVALID, "there is no operation of this name");
    if (!read_args(args, op->has_key, &w, err))
        return error_wrap(err, "%s", name);
    if (!op->has_value)
        return true;
    if (!write_value(&w, &text, err))
        return error_wrap(err, "%s", name);
    buf_release(&text);
    return true;
}

json_t *state_op_work(struct store_tx *tx, int64_t workspace, char mode, const char *name, const json_t *args, int64_t now_ms,
                      struct error *err) {
    const struct state_op *op = find(name);
    struct place p = {tx, workspace, mode, now_ms};
    struct wanted w;
    json_t *value = NULL;
    if (!op)
        error_set(err, ERR_INVALID, "there is no operation of this name");
    else if (!read_args(args, op->has_key, &w, err) || !(value = op->work(&p, &w, err)))
        error_wrap(err, "%s", name);
    return value;
}
