/* outbox.c — what practice mode captured. */
#include "api/call.h"

#define LIMIT_MAX 1000
#define CONTENT_MAX ((size_t)64 * 1024 * 1024) /* bytes in one answer; beyond: the next page */

struct page {
    int64_t after, limit; /* asked for */
    json_t *list;
    size_t bytes;
    int64_t last_id;
    bool cut; /* by CONTENT_MAX */
};

static bool add_row(void *arg, const struct outbox_row *row) {
    struct page *p = arg;
    char run[RUN_ID_TEXT];
    p->cut = p->bytes && p->bytes + row->content.len > CONTENT_MAX;
    if (p->cut)
        return false;
    p->bytes += row->content.len;
    p->last_id = row->id;
    run_id_write((uint64_t)row->run, run);
    json_array_append_new(p->list, json_pack("{s:I, s:o, s:o, s:o, s:o, s:s, s:o, s:I}", "id", (json_int_t)row->id, "kind",
                                             jsonx_from_str(row->kind), "to", jsonx_from_str(row->to), "content",
                                             jsonx_from_str(row->content), "flow", jsonx_from_str(row->flow), "run", run,
                                             "operation", jsonx_from_str(row->operation), "time_ms", (json_int_t)row->time_ms));
    return true;
}

static bool list_work(struct store_tx *tx, void *arg, struct error *err) {
    struct api_call *c = arg;
    struct page *page = c->own;
    page->list = json_array();
    c->result = json_pack("{s:o}", "outbox", page->list);
    if (!tx_outbox_list(tx, c->workspace->id, page->after, (int)page->limit, add_row, page, err))
        return false;
    if (page->cut || json_array_size(page->list) == (size_t)page->limit)
        json_object_set_new(c->result, "next", json_integer(page->last_id));
    return true;
}

void api_outbox(struct api_call *c) {
    struct page *page = arena_alloc(c->arena, sizeof *page);
    struct error err;
    if (!api_workspace(c))
        return;
    c->own = page;
    if (api_query_number(c, "after", 0, INT64_MAX, 0, &page->after, &err) &&
        api_query_number(c, "limit", 1, LIMIT_MAX, LIMIT_MAX, &page->limit, &err))
        api_read(c, list_work);
    else
        api_fail(c, &err);
}

static bool clear_work(struct store_tx *tx, void *arg, struct error *err) {
    struct api_call *c = arg;
    return tx_outbox_clear(tx, c->workspace->id, err);
}

void api_outbox_clear(struct api_call *c) {
    if (api_workspace(c))
        api_write(c, clear_work);
}
