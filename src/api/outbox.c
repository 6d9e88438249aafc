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

static void list(struct api_call *c) {
    struct page *page = arena_alloc(c->arena, sizeof *page);
    if (!api_workspace(c))
        return;
    c->own = page;
    page->after = jsonx_int(c->query, "after", 0);
    page->limit = jsonx_int(c->query, "limit", LIMIT_MAX);
    api_read(c, list_work);
}

static bool clear_work(struct store_tx *tx, void *arg, struct error *err) {
    struct api_call *c = arg;
    return tx_outbox_clear(tx, c->workspace->id, err);
}

static void clear(struct api_call *c) {
    if (api_workspace(c))
        api_write(c, clear_work);
}

/* ---- the rows ---- */

static const struct shape message = {
    .kind = SHAPE_OBJECT,
    .ref = "Captured",
    .keys = SHAPE_KEYS({"id", &api_number, true, "ascending"}, {"kind", &shape_text, true, "mail, page, sms, chat, other"},
                       {"to", &shape_text, true, "whom it would have reached"}, {"content", &shape_text, true, "what it says"},
                       {"flow", &shape_text, true, "that sent it"}, {"run", &shape_text, true, "that sent it"},
                       {"operation", &shape_text, true, "its place in the run: PATH#N"}, {"time_ms", &api_time, true, "when"}),
};
static const struct shape messages = {
    .kind = SHAPE_OBJECT,
    .keys = SHAPE_KEYS({"outbox", &(const struct shape){.kind = SHAPE_LIST, .item = &message, .max = LIMIT_MAX}, true, "a page"},
                       {"next", &api_number, false, "`after` of the next page; left out: there is none"}),
};
static const struct shape limit = {.kind = SHAPE_INT, .min = 1, .max = LIMIT_MAX};
static const struct api_route routes[] = {
    {.method = "GET",
     .path = API_WORKSPACE "/outbox",
     .permission = PERMISSION_RUNS_READ,
     .name = "listOutbox",
     .about = "What practice mode captured instead of sending it, oldest first.",
     .query =
         SHAPE_KEYS({"after", &api_number, false, "those after this id"}, {"limit", &limit, false, "how many at most (1000)"}),
     .answers = API_ANSWERS({200, &messages, "a page"}),
     .run = list},
    {.method = "DELETE",
     .path = API_WORKSPACE "/outbox",
     .permission = PERMISSION_RUNS_WRITE,
     .name = "clearOutbox",
     .about = "Empties it.",
     .answers = API_ANSWERS({200, &api_nothing, "it is empty"}),
     .run = clear},
};
const struct api_resource api_resource_outbox = API_RESOURCE("Outbox", routes);
