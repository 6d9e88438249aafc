/* run_list.c — runs newest first, out of their two places: rows (durable runs) and pages (the others).
 *
 * Both are read from the newest on. As pages overlap, all whose newest run is not older than the next one to be given are open
 * at once: mostly one or two. What is looked at is counted, so that a search for what is rare ends in time and says where to
 * go on. */
#include <stdlib.h>

#include "store/sqlite/pages.h"
#include "store/sqlite/runs.h"

#define WORK_MAX ((int64_t)48 * 1024 * 1024) /* bytes looked at in one list: some 100 ms */
#define ROW_WORK 400                         /* what finding a row costs, as bytes */

struct open_page {
    struct open_page *next;
    char *heads, *records; /* owned; records NULL: not asked for */
    struct page_cursor cursor;
    struct run_row run; /* the next one */
};

struct listing {
    const struct run_filter *filter;
    struct buf escaped; /* filter->text as it stands inside JSON */
    bool whole;         /* histories are read */
    int64_t until;      /* where it began: only older ones */
    int64_t before;     /* so far: all others are over */
    int64_t work;
    struct rows rows, pages;
    struct run_row row; /* the next one of rows; id 0: none */
    int64_t page_last;  /* of the next page, not opened yet; 0: none */
    struct open_page *open;
    struct error err; /* of a page */
};

/* ---- the two sources ---- */

static void next_row(struct listing *l) {
    l->row.id = 0;
    if (!rows_next(&l->rows))
        return;
    l->row = run_row_read(&l->rows);
    l->work += ROW_WORK;
    if (l->whole) {
        l->row.history = rows_str(&l->rows, RUN_COLUMN_COUNT);
        l->work += (int64_t)l->row.history.len;
    }
}

static void next_page(struct listing *l) { l->page_last = rows_next(&l->pages) ? rows_int(&l->pages, 0) : 0; }

static void close_page(struct open_page **at) {
    struct open_page *p = *at;
    *at = p->next;
    free(p->heads);
    free(p->records);
    free(p);
}

/* To its next run that is older than `before`; closes it at its end. */
static void advance(struct listing *l, struct open_page **at) {
    struct open_page *p = *at;
    while (page_next(&p->cursor, &p->run, &l->err))
        if (p->run.id < l->before)
            return;
    close_page(at);
}

/* Whether a page may hold what is looked for, by its states and flows. */
static bool page_may_match(const struct listing *l) {
    const struct run_filter *f = l->filter;
    return (f->state < 0 || rows_int(&l->pages, 1) >> f->state & 1) &&
           (!f->flow.len || rows_int(&l->pages, 2) & page_flow_bit(f->flow));
}

static struct str copy(struct str s, char **owned) {
    *owned = mem_realloc(NULL, s.len);
    if (s.len)
        memcpy(*owned, s.ptr, s.len);
    return str_of(*owned, s.len);
}

static void open_next_page(struct listing *l) {
    l->work += ROW_WORK;
    if (page_may_match(l)) {
        struct open_page *p = mem_alloc(sizeof *p);
        p->cursor.heads = copy(rows_str(&l->pages, 3), &p->heads);
        if (l->whole)
            p->cursor.records = copy(rows_str(&l->pages, 4), &p->records);
        l->work += (int64_t)(p->cursor.heads.len + p->cursor.records.len);
        p->next = l->open;
        l->open = p;
        advance(l, &l->open);
    }
    next_page(l);
}

/* Where the newest of the open pages' next runs is; NULL: no page is open. */
static struct open_page **newest_page(struct listing *l) {
    struct open_page **newest = NULL;
    for (struct open_page **at = &l->open; *at; at = &(*at)->next)
        if (!newest || (*at)->run.id > (*newest)->run.id)
            newest = at;
    return newest;
}

/* ---- what is looked for ---- */

static bool has_text(const struct listing *l, const struct run_row *run) {
    struct str text = l->filter->text;
    return !text.len || str_find_nocase(run->flow, text) != SIZE_MAX || str_find_nocase(run->trigger, text) != SIZE_MAX ||
           str_find_nocase(run->error, text) != SIZE_MAX || str_find_nocase(run->history, buf_str(&l->escaped)) != SIZE_MAX;
}

static bool matches(const struct listing *l, const struct run_row *run) {
    const struct run_filter *f = l->filter;
    return (f->state < 0 || (int)run->state == f->state) && (!f->flow.len || str_eq(run->flow, f->flow)) && has_text(l, run);
}

/* ---- the list ---- */

static void listing_open(struct listing *l, struct store_tx *tx, const struct run_filter *f) {
    int64_t before = f->before_id ? f->before_id : INT64_MAX;
    *l = (struct listing){.filter = f, .whole = f->histories || f->text.len, .until = before, .before = before};
    buf_init(&l->escaped, 6 * f->text.len + 2);
    buf_add_json_string(&l->escaped, f->text);
    if (l->escaped.len > 2) { /* without its quotes */
        buf_drop_front(&l->escaped, 1);
        l->escaped.len--;
    }
    l->rows = tx_query(tx,
                       "SELECT " RUN_COLUMNS ", history FROM runs WHERE workspace = ? AND id < ? AND id >= ? "
                       "ORDER BY id DESC",
                       "iii", f->workspace, before, f->from_id);
    l->pages =
        tx_query(tx,
                 "SELECT last, states, flows, heads, records FROM pages WHERE workspace = ? AND first < ? AND last < ? "
                 "AND last >= ? ORDER BY last DESC",
                 "iiii", f->workspace, before, before > INT64_MAX - PAGE_SPAN ? INT64_MAX : before + PAGE_SPAN + 1, f->from_id);
    next_row(l);
    next_page(l);
}

static bool listing_close(struct listing *l, struct error *err) {
    struct error ignored;
    while (l->open)
        close_page(&l->open);
    buf_release(&l->escaped);
    bool ok = rows_close(&l->rows, err);
    ok = rows_close(&l->pages, ok ? err : &ignored) && ok;
    if (ok && l->err.code != ERR_NONE)
        *err = l->err;
    return ok && l->err.code == ERR_NONE;
}

/* The newest run that is left; false at the end, or where it was enough for once. *page: it is of that one. */
static bool find_next(struct listing *l, struct open_page ***page, const struct run_row **run) {
    for (;;) {
        *page = newest_page(l);
        *run = *page ? &(**page)->run : NULL;
        if (l->row.id && (!*run || l->row.id > (*run)->id)) {
            *page = NULL;
            *run = &l->row;
        }
        if (!l->page_last || (*run && (*run)->id > l->page_last) || l->err.code != ERR_NONE)
            return *run && (*run)->id >= l->filter->from_id && l->err.code == ERR_NONE;
        if (l->work > WORK_MAX && l->page_last + 1 < l->until)
            return false;
        open_next_page(l);
    }
}

bool tx_run_list(struct store_tx *tx, const struct run_filter *filter, tx_run_fn *fn, void *arg, int64_t *next,
                 struct error *err) {
    struct listing l;
    struct open_page **page;
    const struct run_row *run;
    int given = 0;
    *next = 0;
    listing_open(&l, tx, filter);
    while (!*next && find_next(&l, &page, &run)) {
        l.before = run->id;
        bool fits = matches(&l, run);
        bool goes_on = !fits || fn(arg, run);
        given += fits;
        if (!goes_on || given >= filter->limit || l.work > WORK_MAX)
            *next = run->id;
        else if (page)
            advance(&l, page);
        else
            next_row(&l);
    }
    if (!*next && l.page_last && l.work > WORK_MAX)
        *next = l.page_last + 1;
    return listing_close(&l, err);
}
