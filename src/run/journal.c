/* journal.c — a durable run's records (semantics 20 to 22): collected, committed together, read back.
 *
 * A record is JSON, sealed: it holds true values. What stands in a journal, in order:
 *
 *     {"r": "begin", "path", "input", "t"}             from the worker
 *     {"r": "asked", "id", "op", "digest", "about", "t"}
 *     {"r": "done", "id", "t", "value" | "error" | "secret"}   secret: read again, never stored
 *     {"r": "end", "path", "pin", "output" | "error", "t"}     from the worker
 *     {"r": "responded"}
 *
 * `accepted` and `ended` are the run's row. */
#include "base/clock.h"
#include "base/log.h"
#include "run/run.h"

/* ---- collecting ---- */

static struct str journal_context(uint64_t run, char *text, size_t size) {
    int n = snprintf(text, size, "journal/%014llx", (unsigned long long)run);
    return str_of(text, (size_t)n);
}

static bool seal_record(const struct seal_key *key, uint64_t run, const json_t *record, struct buf *sealed) {
    char context[40];
    struct buf plain;
    buf_init(&plain, FRAME_JOINED_MAX + 4096);
    bool ok = jsonx_write(record, &plain) && seal(key, journal_context(run, context, sizeof context), buf_str(&plain), sealed);
    buf_release(&plain);
    return ok;
}

static bool add_pending(struct run *r, const json_t *record) {
    struct buf sealed;
    buf_init(&sealed, FRAME_JOINED_MAX + 8192);
    bool ok = seal_record(r->runs->env.key, r->id, record, &sealed);
    uint32_t length = (uint32_t)sealed.len;
    ok = ok && r->pending.len + sizeof length + sealed.len <= r->pending.max;
    ok = ok && buf_add(&r->pending, str_of(&length, sizeof length)) && buf_add(&r->pending, buf_str(&sealed));
    buf_release(&sealed);
    return ok;
}

/* A record too many ends the run, in a turn of its own; what was recorded before it stays a whole beginning. */
void journal_record(struct run *r, const json_t *record) {
    if (r->overflowed)
        return;
    r->overflowed = !add_pending(r, record);
    if (r->overflowed)
        timer_start(&r->flush, 0);
    else if (r->pending.len > FRAME_PART_MAX)
        journal_commit(r, NULL);
    else if (!timer_is_running(&r->flush))
        timer_start(&r->flush, RUN_FLUSH_MS);
}

bool journal_take(struct run *r, struct str payload) {
    struct str text;
    struct error err;
    if (!frame_take_section(&payload, &text))
        return false;
    json_t *record = jsonx_parse(text, &err);
    struct str kind = jsonx_str(record, "r");
    bool ok = jsonx_str(record, "path").len && (str_is(kind, "begin") || str_is(kind, "end"));
    if (ok)
        journal_record(r, record);
    json_decref(record);
    return ok;
}

bool journal_add_sealed(struct store_tx *tx, const struct seal_key *key, uint64_t run, const json_t *record, struct error *err) {
    struct buf sealed;
    buf_init(&sealed, FRAME_JOINED_MAX + 8192);
    bool ok = seal_record(key, run, record, &sealed) ? tx_journal_add(tx, (int64_t)run, buf_str(&sealed), err)
                                                     : error_set(err, ERR_TOO_LARGE, "a record is too large for the journal");
    buf_release(&sealed);
    return ok;
}

/* ---- committing ---- */

struct journal_job {
    struct runs *rs;
    uint64_t run;
    char *records; /* owned */
    size_t size;
    struct journal_work *works;
};

static bool job_work(struct store_tx *tx, void *arg, struct error *err) {
    const struct journal_job *job = arg;
    for (size_t at = 0; at < job->size;) {
        uint32_t length;
        memcpy(&length, job->records + at, sizeof length);
        at += sizeof length;
        if (!tx_journal_add(tx, (int64_t)job->run, str_of(job->records + at, length), err))
            return false;
        at += length;
    }
    for (struct journal_work *w = job->works; w; w = w->next)
        if (w->work && !w->work(tx, w, err))
            return false;
    return true;
}

static void submit(struct run *r);

static void job_done(void *arg, const struct error *err) {
    struct journal_job *job = arg;
    struct run *r = runs_find(job->rs, job->run);
    if (r) {
        r->committing = false;
        if (err && r->phase != PHASE_STALLED)
            run_stall(r);
    }
    for (struct journal_work *w = job->works, *next; w; w = next) {
        next = w->next;
        w->done(w, err);
    }
    r = runs_find(job->rs, job->run); /* a `done` may have ended it */
    if (r && !err && r->works && !r->committing)
        submit(r);
    free(job->records);
    free(job);
}

static void submit(struct run *r) {
    struct journal_job *job = mem_alloc(sizeof *job);
    *job = (struct journal_job){.rs = r->runs, .run = r->id, .size = r->pending.len, .works = r->works};
    job->records = buf_take(&r->pending);
    r->works = NULL;
    r->works_last = &r->works;
    r->committing = true;
    if (!r->overflowed)
        timer_stop(&r->flush);
    for (struct journal_work *w = job->works; w; w = w->next)
        if (w->submitted)
            w->submitted(w);
    store_write(r->runs->env.store, job_work, job_done, job);
}

void journal_commit(struct run *r, struct journal_work *w) {
    if (w) {
        w->next = NULL;
        *r->works_last = w;
        r->works_last = &w->next;
    }
    if (r->committing) {
        if (!w && !timer_is_running(&r->flush))
            timer_start(&r->flush, RUN_FLUSH_MS);
    } else if (r->works || r->pending.len) {
        submit(r);
    }
}

void journal_flush(struct run *r) {
    struct error err;
    if (!r->overflowed) {
        journal_commit(r, NULL);
        return;
    }
    error_set(&err, ERR_TOO_LARGE, "the run's values are larger, or come faster, than its journal can take: %u MB at once",
              2 * RUN_TEXT_MAX >> 20);
    run_fail(r, &err);
}

void journal_forget(struct run *r) {
    struct error err;
    error_set(&err, ERR_CANCELED, "the run does not go on here");
    buf_clear(&r->pending);
    timer_stop(&r->flush);
    while (r->works) {
        struct journal_work *w = r->works;
        r->works = w->next;
        w->done(w, &err);
    }
    r->works_last = &r->works;
}

/* ---- reading it back ---- */

struct reload {
    struct journal_work work;
    struct runs *rs;
    uint64_t run;
    int64_t workspace;
    struct arena arena;
    struct run_row row;
    struct str *records; /* plain */
    size_t count, cap;
    struct error err; /* damaged: no use in trying again */
};

static bool on_record(void *arg, struct str sealed) {
    struct reload *l = arg;
    char context[40];
    struct buf plain;
    buf_init(&plain, FRAME_JOINED_MAX + 4096);
    bool ok = unseal(l->rs->env.key, journal_context(l->run, context, sizeof context), sealed, &plain, &l->err);
    if (ok) {
        if (l->count == l->cap) {
            l->cap = l->cap ? l->cap * 2 : 64;
            l->records = mem_realloc(l->records, l->cap * sizeof(struct str));
        }
        l->records[l->count++] = arena_str(&l->arena, buf_str(&plain));
    }
    buf_release(&plain);
    return ok;
}

static bool reload_work(struct store_tx *tx, void *arg, struct error *err) {
    struct reload *l = container_of((struct journal_work *)arg, struct reload, work);
    if (tx_run_get(tx, l->workspace, (int64_t)l->run, &l->row, &l->arena, err) &&
        tx_journal_list(tx, (int64_t)l->run, on_record, l, err))
        return true;
    if (err->code != ERR_CORRUPT)
        return false;
    l->err = *err;
    return true;
}

/* What a recorded result is for the worker; a secret's is read again. */
static json_t *result_of(const struct run *r, const json_t *done) {
    json_t *result = json_copy((json_t *)(uintptr_t)done);
    struct str name = jsonx_str(done, "secret");
    json_object_del(result, "r");
    if (name.ptr) {
        json_object_del(result, "secret");
        json_object_set_new(result, "value", secret_value(r, name, jsonx_str(done, "as")));
    }
    return result;
}

struct replay {
    json_t *ends, *begins, *dones;
    bool responded;
};

static void replay_add(struct run *r, struct replay *p, json_t *record) {
    struct str kind = jsonx_str(record, "r");
    const char *path = json_string_value(json_object_get(record, "path"));
    const char *id = json_string_value(json_object_get(record, "id"));
    if (str_is(kind, "begin") && path) {
        json_object_set(p->begins, path, record);
    } else if (str_is(kind, "end") && path) {
        json_object_set(p->ends, path, record);
    } else if (str_is(kind, "asked") && id) {
        json_t *before = map_set(&r->asked, str_from(id), json_incref(record));
        json_decref(before);
    } else if (str_is(kind, "done") && id) {
        json_array_append_new(p->dones, result_of(r, record));
        effect_from_journal(r, map_find(&r->asked, str_from(id)), record);
    } else if (str_is(kind, "responded")) {
        p->responded = true;
    }
}

void journal_forget_replay(struct run *r) {
    struct map_entry *e;
    for (size_t at = 0; (e = map_next(&r->asked, &at));)
        json_decref(e->value);
    map_release(&r->asked);
    for (size_t i = 0; i < r->result_count; i++)
        free((char *)r->results[i].ptr);
    free(r->results);
    r->results = NULL;
    r->result_count = 0;
    buf_clear(&r->replay);
    json_decref(r->effects);
    r->effects = NULL;
}

static bool rebuild(struct run *r, const struct reload *l, struct error *err) {
    struct replay p = {.ends = json_object(), .begins = json_object(), .dones = json_array()};
    journal_forget_replay(r);
    for (size_t i = 0; i < l->count; i++) {
        json_t *record = jsonx_parse(l->records[i], err);
        if (record)
            replay_add(r, &p, record);
        json_decref(record);
    }
    size_t n = json_array_size(p.dones);
    r->results = mem_alloc((n + 1) * sizeof(struct str));
    for (size_t i = 0; i < n; i++) {
        struct buf text;
        buf_init(&text, FRAME_JOINED_MAX);
        jsonx_write(json_array_get(p.dones, i), &text);
        size_t len = text.len;
        r->results[r->result_count++] = str_of(buf_take(&text), len);
    }
    if (p.responded) {
        r->answered = true;
        r->keeps_answer = false;
    }
    json_t *all = json_pack("{s:o,s:o,s:o}", "ends", p.ends, "begins", p.begins, "dones", p.dones);
    bool ok =
        jsonx_write(all, &r->replay) || error_set(err, ERR_TOO_LARGE, "the journal is larger than %d bytes", FRAME_JOINED_MAX);
    json_decref(all);
    return ok;
}

/* The head as it was accepted, but for the flow's number, which is another one in each process; the seed is read
 * back from it. */
static bool reload_head(struct run *r, const struct reload *l, struct error *err) {
    char context[40];
    int n = snprintf(context, sizeof context, "run/%014llx", (unsigned long long)r->id);
    buf_clear(&r->head);
    if (!unseal(r->runs->env.key, str_of(context, (size_t)n), l->row.accepted, &r->head, err))
        return false;
    json_t *head = jsonx_parse(buf_str(&r->head), err);
    r->keeps_answer = jsonx_bool(head, "keeps_answer", false);
    struct str seed = jsonx_str(head, "seed"), nonce = jsonx_str(head, "nonce");
    bool ok = head && seed.len == 2 * sizeof r->seed && hex_parse(seed, r->seed);
    if (nonce.len == sizeof r->nonce - 1)
        memcpy(r->nonce, nonce.ptr, nonce.len);
    json_object_set_new(head, "number", json_integer((json_int_t)r->flow->number));
    buf_clear(&r->head);
    ok = ok && jsonx_write(head, &r->head);
    json_decref(head);
    return ok || error_set(err, ERR_CORRUPT, "the run's head is damaged");
}

static void on_reloaded(struct journal_work *w, const struct error *failed) {
    struct reload *l = container_of(w, struct reload, work);
    struct run *r = runs_find(l->rs, l->run);
    struct error err;
    if (r && r->phase == PHASE_LOADING && !failed) { /* where it failed the run is stalled */
        r->phase = PHASE_QUEUED;
        if (l->err.code) {
            run_fail(r, &l->err);
        } else if (!reload_head(r, l, &err) || !rebuild(r, l, &err)) {
            run_fail(r, &err);
        } else if (r->canceled) {
            run_end_canceled(r);
        } else {
            run_give(r);
        }
    }
    free(l->records);
    arena_release(&l->arena);
    free(l);
}

/* Behind whatever of this run is still to be committed, so that nothing that is known to be done is done again. */
void run_reload(struct run *r) {
    if (r->overflowed) {
        journal_flush(r);
        return;
    }
    struct reload *l = mem_alloc(sizeof *l);
    *l = (struct reload){
        .work = {.work = reload_work, .done = on_reloaded}, .rs = r->runs, .run = r->id, .workspace = r->workspace->id};
    arena_init(&l->arena);
    r->phase = PHASE_LOADING;
    journal_commit(r, &l->work);
}
