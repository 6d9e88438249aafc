/* tokens.c — see tokens.h. */
#include "auth/tokens.h"

#include "base/clock.h"

#define USED_MS 60000 /* as exactly as the last use is kept */

const struct permission_row permissions[PERMISSION_COUNT] = {
#define X(name, text, about) {text, about},
#include "auth/permissions.def"
#undef X
};

const char *permission_name(enum permission p) { return permissions[__builtin_ctz((unsigned)p)].name; }

struct kept {
    struct grant grant;
    struct token token;
};

struct tokens {
    struct store *store; /* borrowed */
    struct token own;
    struct grant everything;
    struct kept *list[TOKENS_MAX]; /* by id */
    size_t count;
};

bool grant_sees(const struct grant *g, struct str workspace) {
    size_t i;
    json_t *name;
    json_array_foreach(g->workspaces, i, name) {
        if (str_eq(jsonx_string_value(name), workspace))
            return true;
    }
    return !g->workspaces;
}

/* ---- as they are stored ---- */

static void write_permissions(unsigned set, struct buf *out) {
    for (size_t i = 0; i < PERMISSION_COUNT; i++)
        if (set & (1u << i))
            buf_addf(out, "%s%s", out->len ? " " : "", permissions[i].name);
}

static unsigned read_permissions(struct str text) {
    unsigned set = 0;
    struct str name;
    while (str_cut(&text, ' ', &name))
        for (size_t i = 0; i < PERMISSION_COUNT; i++)
            if (str_is(name, permissions[i].name))
                set |= 1u << i;
    return set;
}

static struct kept *keep(struct tokens *ts, const struct grant *g, const struct token *token) {
    struct kept *k = ts->list[ts->count++] = mem_alloc(sizeof *k);
    k->grant = *g;
    k->grant.name = (struct str){str_dup(g->name), g->name.len};
    k->token = *token;
    json_incref(k->grant.workspaces);
    return k;
}

static void drop(struct kept *k) {
    free((char *)k->grant.name.ptr);
    json_decref(k->grant.workspaces);
    free(k);
}

static bool on_row(void *arg, const struct token_row *row) {
    struct tokens *ts = arg;
    struct token token;
    struct error unreadable;
    json_t *workspaces = jsonx_parse(row->workspaces, &unreadable);
    struct grant g = {.id = row->id,
                      .name = row->name,
                      .permissions = workspaces ? read_permissions(row->permissions) : 0,
                      .workspaces = json_is_array(workspaces) ? workspaces : NULL,
                      .created_ms = row->created_ms,
                      .expires_ms = row->expires_ms,
                      .used_ms = row->used_ms};
    if (ts->count < TOKENS_MAX && row->hash.len == sizeof token.hash) {
        memcpy(token.hash, row->hash.ptr, sizeof token.hash);
        keep(ts, &g, &token);
    }
    json_decref(workspaces);
    return true;
}

static bool list_work(struct store_tx *tx, void *arg, struct error *err) { return tx_token_list(tx, on_row, arg, err); }

struct tokens *tokens_open(struct store *store, const char *dir, struct error *err) {
    struct tokens *ts = mem_alloc(sizeof *ts);
    ts->store = store;
    ts->everything = (struct grant){.name = STR("server"), .permissions = (1u << PERMISSION_COUNT) - 1};
    if (token_open(&ts->own, dir, err) && store_write_now(store, list_work, ts, err))
        return ts;
    tokens_close(ts);
    return NULL;
}

void tokens_close(struct tokens *ts) {
    if (!ts)
        return;
    for (size_t i = 0; i < ts->count; i++)
        drop(ts->list[i]);
    free(ts);
}

/* ---- using ---- */

struct used {
    int64_t id, used_ms;
};

static bool used_work(struct store_tx *tx, void *arg, struct error *err) {
    const struct used *u = arg;
    return tx_token_used(tx, u->id, u->used_ms, err);
}

static void free_used(void *arg, const struct error *err) {
    (void)err; /* the next use tells it again */
    free(arg);
}

static void note_use(struct tokens *ts, struct grant *g, int64_t now_ms) {
    if (now_ms - g->used_ms < USED_MS)
        return;
    struct used *u = mem_alloc(sizeof *u);
    *u = (struct used){g->id, now_ms};
    g->used_ms = now_ms;
    store_write(ts->store, used_work, free_used, u);
}

const struct grant *tokens_find(struct tokens *ts, struct str given) {
    if (token_equals(&ts->own, given))
        return &ts->everything;
    int64_t now_ms = clock_now_ms();
    struct token token = token_of(given);
    for (size_t i = 0; i < ts->count; i++) {
        struct kept *k = ts->list[i];
        if (memcmp(k->token.hash, token.hash, sizeof token.hash) != 0) /* what a hash's prefix tells helps nobody */
            continue;
        if (k->grant.expires_ms && k->grant.expires_ms <= now_ms)
            return NULL;
        note_use(ts, &k->grant, now_ms);
        return &k->grant;
    }
    return NULL;
}

const struct grant *tokens_at(const struct tokens *ts, size_t i) { return i < ts->count ? &ts->list[i]->grant : NULL; }

/* ---- changing ---- */

static bool add_work(struct store_tx *tx, void *arg, struct error *err) { return tx_token_add(tx, arg, err); }

const struct grant *tokens_add(struct tokens *ts, const struct grant *wanted, char text[TOKEN_TEXT_MAX], struct error *err) {
    struct grant g = *wanted;
    struct token token;
    struct buf names, workspaces;
    if (ts->count == TOKENS_MAX) {
        error_set(err, ERR_LIMIT, "there are %d tokens, which is as many as may be: revoke one", TOKENS_MAX);
        return NULL;
    }
    token_make(text, &token);
    buf_init(&names, 4096);
    buf_init(&workspaces, (size_t)1 << 20);
    write_permissions(g.permissions, &names);
    if (g.workspaces)
        jsonx_write(g.workspaces, &workspaces);
    else
        buf_adds(&workspaces, "null");
    g.created_ms = clock_now_ms();
    struct token_row row = {.name = g.name,
                            .hash = str_of(token.hash, sizeof token.hash),
                            .permissions = buf_str(&names),
                            .workspaces = buf_str(&workspaces),
                            .created_ms = g.created_ms,
                            .expires_ms = g.expires_ms};
    bool ok = buf_ok(&workspaces) || error_set(err, ERR_LIMIT, "too many workspaces");
    ok = ok && store_write_now(ts->store, add_work, &row, err);
    g.id = row.id;
    buf_release(&names);
    buf_release(&workspaces);
    return ok ? &keep(ts, &g, &token)->grant : NULL;
}

static bool remove_work(struct store_tx *tx, void *arg, struct error *err) {
    const int64_t *id = arg;
    return tx_token_delete(tx, *id, err);
}

bool tokens_remove(struct tokens *ts, int64_t id, struct error *err) {
    size_t i = 0;
    while (i < ts->count && ts->list[i]->grant.id != id)
        i++;
    if (i == ts->count)
        return error_set(err, ERR_NOT_FOUND, "there is no token %lld; GET /api/v1/tokens lists them", (long long)id);
    if (!store_write_now(ts->store, remove_work, &id, err))
        return false;
    drop(ts->list[i]);
    memmove(&ts->list[i], &ts->list[i + 1], (--ts->count - i) * sizeof ts->list[0]);
    return true;
}
