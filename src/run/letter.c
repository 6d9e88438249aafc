/* letter.c — see letter.h. Sealed is: u32 length of the head's JSON, that, the body. */
#include "run/letter.h"

#include "base/clock.h"
#include "js/frame.h"

#define HEAD_MAX ((size_t)256 * 1024)
#define LETTER_MAX (FRAME_JOINED_MAX + HEAD_MAX)
#define REASON_MAX 1000

struct letter {
    struct arena arena;
    struct buf sealed;
    struct inbox_row row;
    const char *outcome; /* of letter_keep */
};

static struct str context_of(const struct inbox_row *row, char *text, size_t size) {
    int n = snprintf(text, size, "inbox/%lld/%lld", (long long)row->workspace, (long long)row->time_ms);
    return str_of(text, (size_t)n);
}

static void write_head(const struct run_request *q, struct buf *out) {
    buf_adds(out, "{\"query\":");
    buf_add_json_string(out, q->query);
    buf_adds(out, ",\"type\":");
    buf_add_json_string(out, q->content_type);
    buf_adds(out, ",\"headers\":[");
    for (size_t i = 0; i < q->header_count; i++) {
        buf_adds(out, i ? ",[" : "[");
        buf_add_json_string(out, q->headers[i].name);
        buf_addc(out, ',');
        buf_add_json_string(out, q->headers[i].value);
        buf_addc(out, ']');
    }
    buf_adds(out, "]}");
}

static void write_plain(const struct run_request *q, struct buf *out) {
    struct buf head;
    buf_init(&head, HEAD_MAX);
    write_head(q, &head);
    uint32_t length = (uint32_t)head.len;
    buf_add(out, str_of(&length, sizeof length));
    buf_add(out, buf_str(&head));
    buf_add(out, q->body);
    buf_release(&head);
}

struct letter *letter_new(const struct seal_key *key, int64_t workspace, struct str flow, struct str path,
                          const struct run_request *q) {
    struct letter *l = mem_alloc(sizeof *l);
    char context[64];
    struct buf plain;
    arena_init(&l->arena);
    buf_init(&l->sealed, LETTER_MAX + 1024);
    buf_init(&plain, LETTER_MAX);
    l->row = (struct inbox_row){.workspace = workspace,
                                .time_ms = clock_now_ms(),
                                .flow = arena_str(&l->arena, flow),
                                .method = arena_str(&l->arena, q->method),
                                .path = arena_str(&l->arena, path),
                                .client = arena_str(&l->arena, q->client),
                                .bytes = (int64_t)q->body.len};
    write_plain(q, &plain);
    if (!seal(key, context_of(&l->row, context, sizeof context), buf_str(&plain), &l->sealed))
        buf_clear(&l->sealed);
    l->row.sealed = buf_str(&l->sealed);
    buf_release(&plain);
    return l;
}

void letter_free(struct letter *l) {
    if (!l)
        return;
    buf_release(&l->sealed);
    arena_release(&l->arena);
    free(l);
}

bool letter_write(struct store_tx *tx, const struct letter *l, const char *outcome, int64_t run, struct error *err) {
    struct inbox_row row = l->row;
    row.outcome = str_from(outcome);
    row.run = run;
    return tx_inbox_add(tx, &row, err);
}

void letter_answered(struct letter *l, int status, struct str reason) {
    l->row.status = status;
    l->row.reason = arena_str(&l->arena, str_of(reason.ptr, reason.len < REASON_MAX ? reason.len : REASON_MAX));
}

static bool keep_work(struct store_tx *tx, void *arg, struct error *err) {
    const struct letter *l = arg;
    return letter_write(tx, l, l->outcome, 0, err);
}

static void on_kept(void *arg, const struct error *err) {
    (void)err; /* the store says so itself */
    letter_free(arg);
}

void letter_keep(struct letter *l, struct store *store, const char *outcome) {
    l->outcome = outcome ? outcome : l->row.status >= 500 ? "failed" : "refused";
    store_write(store, keep_work, on_kept, l);
}

bool letter_open(const struct seal_key *key, const struct inbox_row *row, struct letter_content *out, struct error *err) {
    char context[64];
    uint32_t length = 0;
    *out = (struct letter_content){0};
    buf_init(&out->plain, LETTER_MAX);
    if (!unseal(key, context_of(row, context, sizeof context), row->sealed, &out->plain, err))
        goto failed;
    struct str all = buf_str(&out->plain);
    if (all.len >= sizeof length)
        memcpy(&length, all.ptr, sizeof length);
    if (all.len < sizeof length + length) {
        error_set(err, ERR_CORRUPT, "this entry of the inbox is damaged");
        goto failed;
    }
    out->head = jsonx_parse(str_of(all.ptr + sizeof length, length), err);
    out->body = str_of(all.ptr + sizeof length + length, all.len - sizeof length - length);
    if (out->head)
        return true;
failed:
    buf_release(&out->plain);
    return false;
}

void letter_content_release(struct letter_content *c) {
    json_decref(c->head);
    buf_release(&c->plain);
}
