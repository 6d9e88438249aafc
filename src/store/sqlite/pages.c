/* pages.c — see pages.h. */
#include "store/sqlite/pages.h"

#include <stdlib.h>

#include "store/sqlite/history.h"

#define PAGE_BYTES (64 * 1024) /* of a page that has more than one run */

struct head {
    int64_t id, workspace, release, started_ms, ended_ms;
    uint32_t flow_len, trigger_len, error_len, history_len;
    uint8_t state;
    char mode;
    uint8_t zero[6];
};

/* ---- writing ---- */

static size_t row_bytes(const struct run_row *row) {
    return sizeof(struct head) + row->flow.len + row->trigger.len + row->error.len + row->history.len;
}

/* By workspace; in each the newest first. */
static int compare(const void *a, const void *b) {
    const struct run_row *x = *(const struct run_row *const *)a, *y = *(const struct run_row *const *)b;
    if (x->workspace != y->workspace)
        return x->workspace < y->workspace ? -1 : 1;
    return x->id > y->id ? -1 : x->id < y->id;
}

/* How many of the sorted rows make the next page. */
static size_t page_count(const struct run_row **rows, size_t count, size_t *bytes) {
    size_t n = 0;
    for (*bytes = 0; n < count; n++) {
        size_t more = row_bytes(rows[n]);
        if (n &&
            (*bytes + more > PAGE_BYTES || rows[n]->workspace != rows[0]->workspace || rows[0]->id - rows[n]->id > PAGE_SPAN))
            break;
        *bytes += more;
    }
    return n;
}

static void add(const struct run_row *row, struct buf *heads, struct buf *records) {
    struct head h = {.id = row->id,
                     .workspace = row->workspace,
                     .release = row->release,
                     .started_ms = row->started_ms,
                     .ended_ms = row->ended_ms,
                     .flow_len = (uint32_t)row->flow.len,
                     .trigger_len = (uint32_t)row->trigger.len,
                     .error_len = (uint32_t)row->error.len,
                     .history_len = (uint32_t)row->history.len,
                     .state = (uint8_t)row->state,
                     .mode = row->mode};
    buf_add(heads, str_of(&h, sizeof h));
    buf_add(heads, row->flow);
    buf_add(heads, row->trigger);
    buf_add(heads, row->error);
    buf_add(records, row->history);
}

static bool put_page(struct store_tx *tx, const struct run_row **rows, size_t count, size_t bytes, struct error *err) {
    struct buf heads, records;
    int64_t states = 0, flows = 0;
    buf_init(&heads, bytes);
    buf_init(&records, bytes);
    for (size_t i = 0; i < count; i++) {
        add(rows[i], &heads, &records);
        states |= (int64_t)1 << rows[i]->state;
        flows |= page_flow_bit(rows[i]->flow);
    }
    bool ok = tx_exec(tx, err, "INSERT OR REPLACE INTO pages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", "iiiiiiibb", rows[0]->id,
                      rows[0]->workspace, rows[count - 1]->id, (int64_t)count, states, flows, rows[0]->started_ms,
                      buf_str(&heads), buf_str(&records)) &&
              history_count(tx, rows[0]->workspace, (int64_t)(heads.len + records.len), err);
    buf_release(&heads);
    buf_release(&records);
    return ok;
}

bool pages_put(struct store_tx *tx, const struct run_row **rows, size_t count, struct error *err) {
    size_t bytes, n;
    qsort(rows, count, sizeof *rows, compare);
    for (size_t i = 0; i < count; i += n) {
        n = page_count(rows + i, count - i, &bytes);
        if (!put_page(tx, rows + i, n, bytes, err))
            return false;
    }
    return true;
}

/* ---- reading ---- */

static struct str take(struct str *from, size_t len) {
    struct str part = {from->ptr, len};
    from->ptr += len;
    from->len -= len;
    return part;
}

bool page_next(struct page_cursor *c, struct run_row *row, struct error *err) {
    struct head h;
    if (!c->heads.len)
        return false;
    if (c->heads.len < sizeof h)
        return error_set(err, ERR_CORRUPT, "a page of history is damaged");
    memcpy(&h, c->heads.ptr, sizeof h);
    if (c->heads.len - sizeof h < (size_t)h.flow_len + h.trigger_len + h.error_len || h.state > RUN_CANCELED ||
        (c->records.len && c->records.len < h.history_len))
        return error_set(err, ERR_CORRUPT, "a page of history is damaged");
    take(&c->heads, sizeof h);
    *row = (struct run_row){.id = h.id,
                            .workspace = h.workspace,
                            .release = h.release,
                            .state = (enum run_state)h.state,
                            .mode = h.mode,
                            .started_ms = h.started_ms,
                            .ended_ms = h.ended_ms};
    row->flow = take(&c->heads, h.flow_len);
    row->trigger = take(&c->heads, h.trigger_len);
    row->error = take(&c->heads, h.error_len);
    if (c->records.len)
        row->history = take(&c->records, h.history_len);
    return true;
}

bool pages_find(struct store_tx *tx, int64_t workspace, int64_t id, struct run_row *row, struct arena *arena, bool *found,
                struct error *err) {
    struct rows r = tx_query(tx,
                             "SELECT heads, records FROM pages WHERE last BETWEEN ?1 AND ?1 + ?2 AND first <= ?1 "
                             "AND workspace = ?3",
                             "iii", id, PAGE_SPAN, workspace);
    struct error damage = {.code = ERR_NONE};
    *found = false;
    while (!*found && damage.code == ERR_NONE && rows_next(&r)) {
        struct page_cursor c = {rows_str(&r, 0), rows_str(&r, 1)};
        while (!*found && page_next(&c, row, &damage))
            *found = row->id == id;
    }
    if (*found) {
        row->flow = arena_str(arena, row->flow);
        row->trigger = arena_str(arena, row->trigger);
        row->error = arena_str(arena, row->error);
        row->history = arena_str(arena, row->history);
    }
    if (!rows_close(&r, err))
        return false;
    if (damage.code != ERR_NONE)
        *err = damage;
    return damage.code == ERR_NONE;
}
