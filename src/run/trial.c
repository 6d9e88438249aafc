/* trial.c — see trial.h. */
#include "run/trial.h"

#include "base/clock.h"
#include "run/ops_state.h"

struct trial_write {
    char *name;   /* owned: "state.put" */
    json_t *args; /* owned, and nobody else's: the writer's thread reads it */
    int64_t now_ms;
    struct trial_write *next;
};

struct trial *trial_new(bool capture) {
    struct trial *t = mem_alloc(sizeof *t);
    *t = (struct trial){.refs = 1, .capture = capture};
    t->last = &t->writes;
    return t;
}

struct trial *trial_ref(struct trial *t) {
    if (t)
        t->refs++;
    return t;
}

void trial_unref(struct trial *t) {
    if (!t || --t->refs)
        return;
    for (struct trial_write *w = t->writes, *next; w; w = next) {
        next = w->next;
        free(w->name);
        json_decref(w->args);
        free(w);
    }
    json_decref(t->answers);
    free(t);
}

/* "scan[2].http~2" as "scan.http". */
static void plain_path(struct str path, struct buf *out) {
    bool inside = false;
    for (size_t i = 0; i < path.len; i++) {
        char c = path.ptr[i];
        inside = inside ? !(c == ']' || c == '.' || c == '>') : c == '[' || c == '~';
        if (!inside && c != ']')
            buf_addc(out, c);
    }
}

static json_t *answer_of_path(const struct trial *t, struct str path) {
    struct buf plain;
    json_t *given = json_object_getn(t->answers, path.ptr, path.len);
    if (given)
        return given;
    buf_init(&plain, path.len);
    plain_path(path, &plain);
    given = json_object_get(t->answers, plain.ptr);
    buf_release(&plain);
    return given;
}

json_t *trial_answer(const struct trial *t, const char *operation, const char *name, const char *about) {
    const char *number = strrchr(operation, '#');
    json_t *given = json_object_get(t->answers, operation);
    if (!given && about)
        given = json_object_get(t->answers, about);
    if (given || !t->answers || !number || strcmp(name, "wait") == 0)
        return given;
    return answer_of_path(t, str_of(operation, (size_t)(number - operation)));
}

bool trial_state_add(struct trial *t, const char *name, const json_t *args, int64_t now_ms, unsigned *sees, struct error *err) {
    *sees = t->write_count;
    if (state_op_is_read(name))
        return true;
    if (t->write_count == TRIAL_WRITES_MAX)
        return error_set(err, ERR_LIMIT, "a test with captured effects writes to state at most %d times", TRIAL_WRITES_MAX);
    struct trial_write *w = mem_alloc(sizeof *w);
    *w = (struct trial_write){.name = mem_strdup(name), .args = json_deep_copy(args), .now_ms = now_ms};
    *t->last = w;
    t->last = &w->next;
    t->write_count++;
    return true;
}

bool trial_set_state(struct trial *t, const json_t *state, struct error *err) {
    const char *key;
    json_t *value;
    unsigned sees;
    bool ok = true;
    t->blank = true;
    json_object_foreach((json_t *)(uintptr_t)state, key, value) {
        json_t *args = json_pack("{s:s, s:O}", "key", key, "value", value);
        ok = ok && state_op_check("state.put", args, err) &&
             trial_state_add(t, "state.put", args, t->now_ms ? t->now_ms : clock_now_ms(), &sees, err);
        json_decref(args);
    }
    return ok;
}

void trial_state_repeat(const struct trial *t, unsigned writes, struct store_tx *tx, int64_t workspace, char mode) {
    const struct trial_write *w = t->writes;
    struct error refused; /* again, as it was then */
    for (; writes; writes--, w = w->next)
        json_decref(state_op_work(tx, workspace, mode, w->name, w->args, w->now_ms, &refused));
}
