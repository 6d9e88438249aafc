/* links.c — see links.h.
 *
 *     using a link:  look --open--> its run waits in memory: the operation is canceled, and done with the answer
 *                                   it is parked: used, done and awake in one commit
 *                                   neither, for it is just on its way from one to the other: look again
 *                         --any other state--> that is told */
#include "run/links.h"

#include <sodium.h>

#include "base/clock.h"
#include "run/operation.h"
#include "store/links.h"
#include "store/waits.h"

#define AGAIN_MS 50
#define USE_MS 10000 /* how long a run may be on its way */
#define PAGE_MAX (1024 * 1024)

/* ---- signatures ---- */

void link_key_write(const struct seal_key *key, uint64_t run, char out[LINK_KEY_TEXT]) {
    char text[48];
    uint8_t mac[crypto_auth_hmacsha256_BYTES];
    int n = snprintf(text, sizeof text, "resume link %014llx", (unsigned long long)run);
    crypto_auth_hmacsha256(mac, (const uint8_t *)text, (size_t)n, key->bytes);
    hex_write(mac, sizeof mac, out);
}

bool runs_link_check(const struct runs *rs, uint64_t run, struct str path, struct str signature) {
    char text[LINK_KEY_TEXT];
    uint8_t key[crypto_auth_hmacsha256_KEYBYTES], mac[crypto_auth_hmacsha256_BYTES], given[16];
    link_key_write(rs->env.key, run, text);
    bool ok = hex_parse(str_from(text), key) && signature.len == 2 * sizeof given && hex_parse(signature, given);
    crypto_auth_hmacsha256(mac, (const uint8_t *)path.ptr, path.len, key);
    ok = ok && sodium_memcmp(mac, given, sizeof given) == 0;
    sodium_memzero(text, sizeof text);
    sodium_memzero(key, sizeof key);
    return ok;
}

static bool is_path_byte(char c) { return c > ' ' && c < 127 && !strchr("\"\\/<>", c); }

void links_mask(struct str text) {
    struct str prefix = STR(LINKS_PREFIX);
    for (size_t found; (found = str_find(text, prefix)) != SIZE_MAX;) {
        char *at = (char *)(uintptr_t)text.ptr + found + prefix.len, *end = (char *)(uintptr_t)text.ptr + text.len;
        text = str_of(at, (size_t)(end - at));
        for (int slashes = 0; at < end && slashes < 2 && (is_path_byte(*at) || *at == '/'); at++)
            slashes += *at == '/';
        for (; at < end && ((*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f')); at++)
            *at = '*';
    }
}

static struct str page_context(uint64_t run, struct str path, struct arena *arena) {
    return str_from(arena_printf(arena, "link/%014llx/" STR_FMT, (unsigned long long)run, STR_ARG(path)));
}

/* ---- a Wait begins ---- */

struct link_open {
    struct journal_work work;
    struct arena arena;
    struct buf sealed;
    struct link_row row;
};

static bool open_work(struct store_tx *tx, void *arg, struct error *err) {
    const struct link_open *l = container_of((struct journal_work *)arg, struct link_open, work);
    return tx_link_put(tx, &l->row, err);
}

static void on_opened(struct journal_work *w, const struct error *err) {
    (void)err; /* then the run is stalled, and asks again */
    struct link_open *l = container_of(w, struct link_open, work);
    buf_release(&l->sealed);
    arena_release(&l->arena);
    free(l);
}

/* Shares the commit of the operation's `asked`. */
bool operation_open_link(struct operation *o, const json_t *page) {
    struct run *r = o->run;
    size_t hash = str_find(str_from(o->id), STR("#"));
    if (!o->durable || hash == SIZE_MAX)
        return error_set(&o->err, ERR_INVALID, "only a run that is stored can wait for a link: make the flow durable");
    struct link_open *l = mem_alloc(sizeof *l);
    struct buf plain, masked;
    arena_init(&l->arena);
    buf_init(&l->sealed, PAGE_MAX + 1024);
    buf_init(&plain, PAGE_MAX);
    buf_init(&masked, PAGE_MAX);
    struct str id = arena_str(&l->arena, str_from(o->id)), text;
    l->row = (struct link_row){.run = (int64_t)r->id, .path = str_of(id.ptr, hash), .operation = id, .due_ms = o->due_ms};
    bool ok = jsonx_write(page, &plain);
    text = ok && vault_mask_json(workspace_vault(r->workspace, r->mode), buf_str(&plain), &masked) ? buf_str(&masked)
                                                                                                   : buf_str(&plain);
    ok = ok && seal(r->runs->env.key, page_context(r->id, l->row.path, &l->arena), text, &l->sealed);
    l->row.page = buf_str(&l->sealed);
    l->work = (struct journal_work){.work = open_work, .done = on_opened};
    buf_release(&plain);
    buf_release(&masked);
    if (ok)
        journal_commit(r, &l->work);
    else
        on_opened(&l->work, NULL);
    return ok || error_set(&o->err, ERR_TOO_LARGE, "what the page of the link shows is larger than %d bytes", PAGE_MAX);
}

/* ---- looking ---- */

struct look {
    struct runs *rs;
    struct arena arena;
    struct link_row row;
    bool is_ours;
    link_fn *done;
    void *arg;
};

static bool look_work(struct store_tx *tx, void *arg, struct error *err) {
    struct look *l = arg;
    return tx_link_get(tx, &l->row, &l->arena, err);
}

static enum link_state state_of(const struct link_row *row) {
    if (!row->is_there)
        return row->run_is_open ? LINK_NOT_YET : LINK_UNKNOWN;
    if (row->used_ms)
        return LINK_USED;
    if (row->due_ms <= clock_now_ms())
        return LINK_EXPIRED;
    return row->run_is_open ? LINK_OPEN : LINK_OVER;
}

static json_t *page_of(const struct look *l, struct arena *arena) {
    struct buf plain;
    struct error err;
    buf_init(&plain, PAGE_MAX);
    json_t *page = NULL;
    if (l->row.is_there &&
        unseal(l->rs->env.key, page_context((uint64_t)l->row.run, l->row.path, arena), l->row.page, &plain, &err))
        page = jsonx_parse(buf_str(&plain), &err);
    buf_release(&plain);
    return page;
}

static void on_looked(void *arg, const struct error *err) {
    struct look *l = arg;
    json_t *page = err ? NULL : page_of(l, &l->arena);
    struct link_view view = {.state = state_of(&l->row),
                             .time_ms = l->row.used_ms ? l->row.used_ms : l->row.due_ms,
                             .page = page,
                             .is_ours = l->is_ours};
    l->done(l->arg, &view, err);
    json_decref(page);
    arena_release(&l->arena);
    free(l);
}

static void look(struct runs *rs, uint64_t run, struct str path, bool is_ours, link_fn *done, void *arg) {
    struct look *l = mem_alloc(sizeof *l);
    *l = (struct look){.rs = rs, .is_ours = is_ours, .done = done, .arg = arg};
    arena_init(&l->arena);
    l->row = (struct link_row){.run = (int64_t)run, .path = arena_str(&l->arena, path)};
    store_read(rs->env.store, look_work, on_looked, l);
}

void runs_link_look(struct runs *rs, uint64_t run, struct str path, link_fn *done, void *arg) {
    look(rs, run, path, false, done, arg);
}

/* ---- using ---- */

struct link_use {
    struct runs *rs;
    uint64_t run;
    struct arena arena;
    struct str path;
    json_t *answer;
    link_fn *done;
    void *arg;
    struct timer again;
    int64_t until_ms; /* of the loop's clock */
    char *operation;  /* its id; owned */
    struct wait_row parked;
};

static void use_end(struct link_use *u, bool is_ours) {
    look(u->rs, u->run, u->path, is_ours, u->done, u->arg);
    json_decref(u->answer);
    free(u->operation);
    arena_release(&u->arena);
    free(u);
}

static void try_again(struct link_use *u) { timer_start(&u->again, AGAIN_MS); }

static json_t *used_value(const struct link_use *u) { return json_pack("{s:O}", "answer", u->answer); }

/* In memory, first half: the operation's own waiting ends. */
static struct operation *find_wait(const struct run *r, const char *id) {
    struct operation *o = r->phase == PHASE_RUNNING ? r->operations : NULL;
    while (o && strcmp(o->id, id) != 0)
        o = o->next;
    return o && o->due_ms && o->under_way && !o->ready && !o->use ? o : NULL;
}

static bool use_work(struct store_tx *tx, void *arg, struct error *err) {
    struct operation *o = container_of((struct journal_work *)arg, struct operation, work);
    json_t *record = operation_done_record(o);
    bool ok = tx_link_use(tx, (int64_t)o->run_id, o->use->path, o->done_ms, err) &&
              journal_add_sealed(tx, o->runs->env.key, o->run_id, record, err);
    json_decref(record);
    return ok;
}

static void on_submitted(struct journal_work *w) {
    struct operation *o = container_of(w, struct operation, work);
    if (o->run)
        operation_queue_delivery(o);
}

static void on_used(struct journal_work *w, const struct error *err) {
    struct operation *o = container_of(w, struct operation, work);
    struct link_use *u = o->use;
    o->use = NULL;
    operation_complete(o);
    if (err)
        try_again(u);
    else
        use_end(u, true);
}

/* In memory, second half. */
void operation_use_link(struct operation *o) {
    o->under_way = false;
    o->value = used_value(o->use);
    o->work = (struct journal_work){.work = use_work, .submitted = on_submitted, .done = on_used};
    journal_commit(o->run, &o->work);
}

void operation_link_lost(struct link_use *u) { try_again(u); }

/* Parked: it wakes with the answer in its journal. */
static void copy_parked(void *arg, const struct wait_row *row) {
    struct link_use *u = arg;
    u->parked = *row;
    u->parked.run.flow = arena_str(&u->arena, row->run.flow);
    u->parked.run.trigger = arena_str(&u->arena, row->run.trigger);
}

static bool parked_work(struct store_tx *tx, void *arg, struct error *err) {
    struct link_use *u = arg;
    int64_t now = clock_now_ms();
    json_t *record =
        json_pack("{s:s,s:s,s:I,s:o}", "r", "done", "id", u->operation, "t", (json_int_t)now, "value", used_value(u));
    bool ok = tx_link_use(tx, (int64_t)u->run, u->path, now, err) &&
              journal_add_sealed(tx, u->rs->env.key, u->run, record, err) &&
              tx_wait_take_one(tx, (int64_t)u->run, copy_parked, u, err);
    json_decref(record);
    return ok;
}

static void on_parked_used(void *arg, const struct error *err) {
    struct link_use *u = arg;
    if (err) { /* it woke meanwhile, or the store fails */
        try_again(u);
        return;
    }
    waits_wake(u->rs->waits, &u->parked);
    use_end(u, true);
}

static void use_open(struct link_use *u) {
    struct run *r = runs_find(u->rs, u->run);
    struct operation *o = r ? find_wait(r, u->operation) : NULL;
    if (o) {
        o->use = u;
        op_cancel(o->op);
    } else if (!r && waits_has(u->rs->waits, u->run)) {
        store_write(u->rs->env.store, parked_work, on_parked_used, u);
    } else {
        try_again(u);
    }
}

static bool state_work(struct store_tx *tx, void *arg, struct error *err) {
    struct link_use *u = arg;
    struct link_row row = {.run = (int64_t)u->run, .path = u->path};
    if (!tx_link_get(tx, &row, &u->arena, err))
        return false;
    if (!u->operation && state_of(&row) == LINK_OPEN)
        u->operation = str_dup(row.operation);
    return state_of(&row) == LINK_OPEN || error_set(err, ERR_CONFLICT, "it is not open");
}

static void on_state(void *arg, const struct error *err) {
    struct link_use *u = arg;
    if (err || loop_now_ms(u->rs->env.loop) > u->until_ms)
        use_end(u, false);
    else
        use_open(u);
}

static void on_again(struct timer *t) {
    struct link_use *u = container_of(t, struct link_use, again);
    store_read(u->rs->env.store, state_work, on_state, u);
}

void runs_link_use(struct runs *rs, uint64_t run, struct str path, json_t *answer, link_fn *done, void *arg) {
    struct link_use *u = mem_alloc(sizeof *u);
    *u = (struct link_use){.rs = rs, .run = run, .answer = answer, .done = done, .arg = arg};
    arena_init(&u->arena);
    u->path = arena_str(&u->arena, path);
    u->until_ms = loop_now_ms(rs->env.loop) + USE_MS;
    timer_init(&u->again, rs->env.loop, on_again);
    on_again(&u->again);
}
