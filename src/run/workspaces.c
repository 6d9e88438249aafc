/* workspaces.c — see workspaces.h. */
#include "run/workspaces.h"

#include "base/clock.h"
#include "base/log.h"
#include "run/secrets.h"
#include "store/inbox.h"

#define WORKSPACES_MAX 100

struct workspaces {
    struct workspaces_env env;
    struct workspace *list[WORKSPACES_MAX]; /* by id */
    size_t count;
    struct workspace *removed; /* kept for whoever still holds one */
};

/* ---- loading ---- */

static struct workspace *add(struct workspaces *all, int64_t id, struct str name, char mode) {
    ENSURE(all->count < WORKSPACES_MAX);
    struct workspace *w = all->list[all->count++] = mem_alloc(sizeof *w);
    *w = (struct workspace){.all = all, .id = id, .name = {str_dup(name), name.len}, .mode = mode};
    w->practice = vault_new();
    w->live = vault_new();
    map_init(&w->releases);
    map_init(&w->disabled);
    return w;
}

static bool on_row(void *arg, const struct workspace_row *row) {
    struct workspaces *all = arg;
    if (all->count < WORKSPACES_MAX) {
        struct workspace *w = add(all, row->id, row->name, row->mode);
        /* Loaded once the listing is over: the release's number is kept here until then. */
        w->release = (struct release *)(intptr_t)row->release;
    }
    return true;
}

static bool load_list(struct store_tx *tx, void *arg, struct error *err) {
    struct workspaces *all = arg;
    return tx_workspace_list(tx, on_row, all, err);
}

struct load_release {
    const struct workspace *w;
    int64_t id;
    struct buf compiled;
};

static bool load_release_work(struct store_tx *tx, void *arg, struct error *err) {
    struct load_release *l = arg;
    return tx_release_get(tx, l->w->id, l->id, NULL, &l->compiled, err);
}

struct release *workspace_find_release(struct workspace *w, int64_t id, struct error *err) {
    if (w->release && w->release->id == id)
        return w->release;
    struct str key = str_of(&id, sizeof id);
    struct release *r = map_find(&w->releases, key);
    if (r)
        return r;
    struct load_release l = {.w = w, .id = id};
    buf_init(&l.compiled, RELEASE_BLOB_MAX);
    if (store_write_now(w->all->env.store, load_release_work, &l, err)) {
        r = release_load(buf_str(&l.compiled), err);
        if (r) {
            r->id = id;
            map_set(&w->releases, key, r);
        }
    }
    buf_release(&l.compiled);
    return r;
}

struct first_versions {
    const struct workspace *w;
    json_t *contents;
    bool known;
};

static bool load_one(struct workspace *w, int64_t release, struct error *err) {
    const struct workspaces_env *env = &w->all->env;
    if (!release)
        return true;
    w->release = workspace_find_release(w, release, err);
    if (!w->release)
        return error_wrap(err, "workspace " STR_FMT, STR_ARG(w->name));
    release_ref(w->release);
    return secrets_load(env->store, env->key, w->id, w->release, w->practice, w->live, err);
}

/* A store from before versions were kept: what runs is the first of each flow. */
static bool begin_work(struct store_tx *tx, void *arg, struct error *err) {
    static const struct save by = {STR("server"), STR("what was published before versions were kept")};
    const struct first_versions *f = arg;
    return versions_published(tx, f->w->id, f->contents, &by, f->w->release->id, err);
}

static bool count_version(void *arg, const struct version_row *row) {
    (void)row;
    ((struct first_versions *)arg)->known = true;
    return false;
}

static bool known_work(struct store_tx *tx, void *arg, struct error *err) {
    struct first_versions *f = arg;
    return tx_version_newest(tx, f->w->id, true, count_version, f, err);
}

static bool begin_versions(struct workspace *w, struct error *err) {
    struct first_versions f = {.w = w};
    struct store *store = w->all->env.store;
    if (!w->release)
        return true;
    if (!store_write_now(store, known_work, &f, err) || f.known)
        return f.known;
    struct folder *folder = folder_new();
    bool ok = workspace_folder(w, folder, err);
    f.contents = contents_of(folder);
    ok = ok && store_write_now(store, begin_work, &f, err);
    json_decref(f.contents);
    folder_free(folder);
    return ok;
}

/* ---- flows that are switched off ---- */

static void add_disabled(void *arg, struct str flow) { map_set(&((struct workspace *)arg)->disabled, flow, (void *)1); }

static bool load_disabled(struct store_tx *tx, void *arg, struct error *err) {
    return tx_flow_list_disabled(tx, ((struct workspace *)arg)->id, add_disabled, arg, err);
}

bool workspace_flow_is_disabled(const struct workspace *w, struct str flow) { return map_find(&w->disabled, flow) != NULL; }

struct switching {
    int64_t workspace;
    struct str flow;
    bool disabled;
};

static bool switch_work(struct store_tx *tx, void *arg, struct error *err) {
    const struct switching *s = arg;
    return tx_flow_disable(tx, s->workspace, s->flow, s->disabled, err);
}

bool workspace_disable_flow(struct workspace *w, struct str flow, bool disabled, struct error *err) {
    struct switching s = {w->id, flow, disabled};
    if (!store_write_now(w->all->env.store, switch_work, &s, err))
        return false;
    if (disabled)
        add_disabled(w, flow);
    else
        map_remove(&w->disabled, flow);
    return true;
}

struct workspaces *workspaces_open(const struct workspaces_env *env, struct error *err) {
    struct workspaces *all = mem_alloc(sizeof *all);
    all->env = *env;
    bool ok = store_write_now(env->store, load_list, all, err);
    for (size_t i = 0; i < all->count; i++) {
        struct workspace *w = all->list[i];
        int64_t release = (int64_t)(intptr_t)w->release;
        w->release = NULL;
        ok = ok && load_one(w, release, err) && begin_versions(w, err) && store_write_now(env->store, load_disabled, w, err);
    }
    if (ok)
        return all;
    workspaces_close(all);
    return NULL;
}

static void workspace_free(struct workspace *w) {
    struct map_entry *e;
    for (size_t at = 0; (e = map_next(&w->releases, &at));)
        release_unref(e->value);
    map_release(&w->releases);
    map_release(&w->disabled);
    release_unref(w->release);
    release_unref(w->draft);
    vault_free(w->practice);
    vault_free(w->live);
    free((char *)w->name.ptr);
    free(w);
}

void workspaces_close(struct workspaces *all) {
    if (!all)
        return;
    for (size_t i = 0; i < all->count; i++)
        workspace_free(all->list[i]);
    for (struct workspace *w = all->removed, *next; w; w = next) {
        next = w->next_removed;
        workspace_free(w);
    }
    free(all);
}

/* ---- finding and adding ---- */

struct workspace *workspaces_at(struct workspaces *all, size_t i) {
    return i < all->count ? all->list[i] : NULL;
}
struct workspace *workspaces_default(struct workspaces *all) {
    return workspaces_at(all, 0);
}

struct workspace *workspaces_find(struct workspaces *all, struct str name) {
    for (size_t i = 0; i < all->count; i++)
        if (str_eq(all->list[i]->name, name))
            return all->list[i];
    return NULL;
}

struct workspace *workspaces_find_id(struct workspaces *all, int64_t id) {
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i]->id == id)
            return all->list[i];
    return NULL;
}

struct new_workspace {
    struct str name;
    char mode;
    int64_t id;
};

static bool add_work(struct store_tx *tx, void *arg, struct error *err) {
    struct new_workspace *n = arg;
    return tx_workspace_put(tx, n->name, n->mode, &n->id, err);
}

struct workspace *workspaces_add(struct workspaces *all, struct str name, char mode, struct error *err) {
    struct workspace *w = workspaces_find(all, name);
    if (w)
        return w;
    if (all->count == WORKSPACES_MAX) {
        error_set(err, ERR_LIMIT, "a server holds at most %d workspaces", WORKSPACES_MAX);
        return NULL;
    }
    struct new_workspace n = {.name = name, .mode = mode};
    return store_write_now(all->env.store, add_work, &n, err) ? add(all, n.id, name, mode) : NULL;
}

static bool delete_work(struct store_tx *tx, void *arg, struct error *err) {
    const struct workspace *w = arg;
    return tx_workspace_delete(tx, w->id, err);
}

bool workspaces_remove(struct workspace *w, struct error *err) {
    struct workspaces *all = w->all;
    size_t i = 0;
    if (w->mode == 'l')
        return error_set(err, ERR_CONFLICT, "it is live: switch it to practice first");
    if (!store_write_now(all->env.store, delete_work, w, err))
        return false;
    while (all->list[i] != w)
        i++;
    memmove(&all->list[i], &all->list[i + 1], (--all->count - i) * sizeof all->list[0]);
    w->removed = true;
    w->next_removed = all->removed;
    all->removed = w;
    if (w->release) {
        struct release *before = w->release;
        release_unref(map_set(&w->releases, str_of(&before->id, sizeof before->id), before));
        w->release = NULL;
    }
    if (all->env.changed)
        all->env.changed(all->env.arg, w);
    return true;
}

/* ---- publishing ---- */

/* What the toolbox said, kept by a digest of what it was asked. */
struct answer {
    char *key, *text;
    size_t len;
    struct answer *next;
};

struct publish {
    struct workspaces *all;
    struct workspace *w; /* NULL: only checked */
    int64_t base;        /* the release that was the newest when this began; 0: there was none */
    struct buf files, compiled;
    json_t *contents; /* of the flows, for their versions */
    char *author, *message;
    struct answer *answers; /* of the toolbox, that are new */
    const json_t *keep; /* workspace.json's `history`, the release's */
    int64_t id;
    workspace_published_fn *done;
    void *arg;
};

static void publish_free(struct publish *p) {
    for (struct answer *a; (a = p->answers);) {
        p->answers = a->next;
        free(a->key);
        free(a->text);
        free(a);
    }
    buf_release(&p->files);
    buf_release(&p->compiled);
    json_decref(p->contents);
    free(p->author);
    free(p->message);
    free(p);
}

struct cache_get {
    struct str key;
    struct buf *out;
};

static bool cache_get_work(struct store_tx *tx, void *arg, struct error *err) {
    struct cache_get *c = arg;
    return tx_cache_get(tx, c->key, c->out, err);
}

static bool cache_get(void *arg, const char *key, struct buf *out) {
    struct publish *p = arg;
    struct cache_get c = {.key = str_from(key), .out = out};
    struct error err;
    return store_write_now(p->all->env.store, cache_get_work, &c, &err);
}

/* Stored all at once, when it is known what becomes of the folder. */
static void cache_put(void *arg, const char *key, struct str value) {
    struct publish *p = arg;
    struct answer *a = mem_alloc(sizeof *a);
    *a = (struct answer){.key = str_dup(str_from(key)), .text = str_dup(value), .len = value.len, .next = p->answers};
    p->answers = a;
}

static bool put_answers(struct store_tx *tx, void *arg, struct error *err) {
    const struct publish *p = arg;
    for (const struct answer *a = p->answers; a; a = a->next)
        if (!tx_cache_put(tx, str_from(a->key), str_of(a->text, a->len), err))
            return false;
    return true;
}

static void keep_answers(struct publish *p) {
    struct error err;
    if (p->answers && !store_write_now(p->all->env.store, put_answers, p, &err))
        log_warn("publish", "event=cache_not_written error=%s", log_quote(str_from(err.text)));
}

static void ask_toolbox(void *arg, struct str job, release_toolbox_done_fn *done, void *done_arg) {
    struct workspaces *all = arg;
    pool_toolbox(all->env.pool, job, done, done_arg);
}

static void ask_checker(void *arg, struct str job, release_toolbox_done_fn *done, void *done_arg) {
    struct workspaces *all = arg;
    pool_checker(all->env.pool, job, done, done_arg);
}

static bool store_release(struct store_tx *tx, void *arg, struct error *err) {
    struct publish *p = arg;
    int64_t days = jsonx_int(p->keep, "days", 0), mb = jsonx_int(p->keep, "mb", 0);
    struct save by = {str_from(p->author), str_from(p->message)};
    return tx_release_put(tx, p->w->id, buf_str(&p->files), buf_str(&p->compiled), &p->id, err) &&
           tx_workspace_keep_history(tx, p->w->id, days * 24 * 60 * 60 * 1000, mb * 1024 * 1024, err) &&
           versions_published(tx, p->w->id, p->contents, &by, p->id, err);
}

/* From now on new runs use it; those under way keep theirs. */
static bool use(struct workspace *w, struct release *release, struct error *err) {
    const struct workspaces_env *env = &w->all->env;
    if (!secrets_load(env->store, env->key, w->id, release, w->practice, w->live, err))
        return false;
    struct release *before = w->release;
    w->release = release_ref(release);
    if (env->changed)
        env->changed(env->arg, w);
    if (before) {
        /* Runs may still be resumed on it: workspace_find_release finds it here. */
        struct release *replaced = map_set(&w->releases, str_of(&before->id, sizeof before->id), before);
        release_unref(replaced);
    }
    return true;
}

/* A host name leads to one workspace. */
static bool hosts_are_free(const struct workspace *w, const struct release *release, struct error *err) {
    size_t i, k;
    json_t *mine, *theirs;
    for (size_t at = 0; at < w->all->count; at++) {
        const struct workspace *other = w->all->list[at];
        if (other == w || !other->release)
            continue;
        json_array_foreach(release->hosts, i, mine) json_array_foreach(other->release->hosts, k, theirs) {
            if (json_equal(mine, theirs))
                return error_set(err, ERR_CONFLICT,
                                 "workspace.json: the workspace " STR_FMT " answers for %.254s already: remove it from the "
                                 "`hosts` of one of them",
                                 STR_ARG(other->name), json_string_value(mine));
        }
    }
    return true;
}

static int64_t release_id(const struct workspace *w) { return w->release ? w->release->id : 0; }

static bool is_first(const struct publish *p, struct error *err) {
    if (p->w->removed)
        return error_set(err, ERR_NOT_FOUND, "the workspace was deleted meanwhile");
    return release_id(p->w) == p->base ||
           error_set(err, ERR_CONFLICT, "release %lld was published meanwhile: look at it, then try again",
                     (long long)release_id(p->w));
}

static void on_built(void *arg, struct release *release, const struct findings *findings) {
    struct publish *p = arg;
    struct error err = {.code = ERR_NONE};
    struct workspace *w = p->w;
    bool ok = release != NULL;
    keep_answers(p);
    if (ok && w) {
        ok = is_first(p, &err) && hosts_are_free(w, release, &err);
        ok =
            ok && (release_write(release, &p->compiled) || error_set(&err, ERR_TOO_LARGE, "the compiled workspace is too large"));
        p->keep = json_object_get(release->json, "history");
        ok = ok && store_write_now(p->all->env.store, store_release, p, &err);
        if (ok)
            release->id = p->id;
        ok = ok && use(w, release, &err);
    }
    p->done(p->arg, ok ? release : NULL, findings, err.code ? &err : NULL);
    release_unref(release);
    publish_free(p);
}

static struct publish *publish_new(struct workspaces *all, workspace_published_fn *done, void *arg) {
    struct publish *p = mem_alloc(sizeof *p);
    *p = (struct publish){.all = all, .done = done, .arg = arg};
    buf_init(&p->files, RELEASE_BLOB_MAX);
    buf_init(&p->compiled, RELEASE_BLOB_MAX);
    return p;
}

static void build(struct publish *p, const struct folder *folder) {
    struct workspaces *all = p->all;
    /* Types are checked where that is asked: a change must go out within the second also when the machine is busy, and
     * a flow whose types are not told well enough runs all the same. */
    struct release_env env = {.toolbox = ask_toolbox,
                              .checker = p->w ? NULL : ask_checker,
                              .toolbox_arg = all,
                              .cache_get = cache_get,
                              .cache_put = cache_put,
                              .cache_arg = p,
                              .toolbox_version = pool_toolbox_version(),
                              .schedule_check = all->env.schedule_check};
    release_build_start(folder, &env, on_built, p);
}

struct load_files {
    const struct workspace *w;
    struct buf files;
};

static bool load_files_work(struct store_tx *tx, void *arg, struct error *err) {
    struct load_files *l = arg;
    return tx_release_get(tx, l->w->id, l->w->release->id, &l->files, NULL, err);
}

static bool same_as_newest(struct workspace *w, const struct buf *files) {
    if (!w->release)
        return false;
    struct load_files l = {.w = w};
    struct error err;
    buf_init(&l.files, files->max);
    bool same = store_write_now(w->all->env.store, load_files_work, &l, &err) && str_eq(buf_str(&l.files), buf_str(files));
    buf_release(&l.files);
    return same;
}

static bool folder_text_of(const struct folder *folder, struct buf *out) {
    json_t *json = folder_to_json(folder);
    bool ok = jsonx_write(json, out);
    json_decref(json);
    return ok;
}

void workspace_publish(struct workspace *w, const struct folder *folder, const struct save *by, workspace_published_fn *done,
                       void *arg) {
    struct publish *p = publish_new(w->all, done, arg);
    bool ok = folder_text_of(folder, &p->files);
    ENSURE(ok); /* FOLDER_TOTAL_MAX is far smaller */
    if (same_as_newest(w, &p->files)) {
        done(arg, w->release, NULL, NULL);
        publish_free(p);
        return;
    }
    p->w = w;
    p->base = release_id(w);
    p->contents = contents_of(folder);
    p->author = str_dup(by->author);
    p->message = str_dup(by->message);
    build(p, folder);
}

void workspaces_check(struct workspaces *all, const struct folder *folder, workspace_published_fn *done, void *arg) {
    build(publish_new(all, done, arg), folder);
}

bool workspace_folder(struct workspace *w, struct folder *out, struct error *err) {
    if (!w->release)
        return error_set(err, ERR_NOT_FOUND, "nothing has been published in " STR_FMT " yet", STR_ARG(w->name));
    struct load_files l = {.w = w};
    buf_init(&l.files, RELEASE_BLOB_MAX);
    json_t *json = NULL;
    bool ok = store_write_now(w->all->env.store, load_files_work, &l, err) && (json = jsonx_parse(buf_str(&l.files), err)) &&
              folder_from_json(out, json, err);
    json_decref(json);
    buf_release(&l.files);
    return ok;
}

/* ---- drafts and versions ---- */

struct newest {
    struct workspace *w;
    json_t *drafts; /* {"ID": the content's text} of the newest versions, where they are drafts */
};

static bool add_draft(void *arg, const struct version_row *row) {
    struct newest *n = arg;
    if (!row->release)
        json_object_setn_new(n->drafts, row->flow.ptr, row->flow.len, jsonx_from_str(row->content));
    return true;
}

static bool drafts_work(struct store_tx *tx, void *arg, struct error *err) {
    struct newest *n = arg;
    return tx_version_newest(tx, n->w->id, false, add_draft, n, err);
}

bool workspace_published_folder(struct workspace *w, struct folder *out, struct error *err) {
    char text[200];
    if (w->release)
        return workspace_folder(w, out, err);
    snprintf(text, sizeof text, "{\n  \"name\": \"" STR_FMT "\"\n}\n", STR_ARG(w->name));
    return folder_set(out, STR("workspace.json"), str_from(text), err);
}

bool workspace_newest_folder(struct workspace *w, struct folder *out, struct error *err) {
    struct newest n = {w, json_object()};
    const char *flow;
    json_t *text;
    bool ok = workspace_published_folder(w, out, err) && store_write_now(w->all->env.store, drafts_work, &n, err);
    json_object_foreach(n.drafts, flow, text) {
        struct error unreadable;
        json_t *content = jsonx_parse(jsonx_string_value(text), &unreadable);
        ok = ok && content_lay_over(out, str_from(flow), content, err);
        json_decref(content);
    }
    json_decref(n.drafts);
    return ok;
}

struct save_work {
    int64_t workspace;
    struct version_row row;
};

static bool save_work(struct store_tx *tx, void *arg, struct error *err) {
    struct save_work *s = arg;
    return tx_version_add(tx, s->workspace, &s->row, err);
}

bool workspace_save(struct workspace *w, struct str flow, const json_t *content, const struct save *by, int64_t *number,
                    struct error *err) {
    struct buf text;
    buf_init(&text, FOLDER_TOTAL_MAX);
    struct save_work s = {.workspace = w->id,
                          .row = {.flow = flow, .time_ms = clock_now_ms(), .author = by->author, .message = by->message}};
    bool ok = !content || jsonx_write(content, &text) || error_set(err, ERR_TOO_LARGE, "the flow is too large");
    s.row.content = buf_str(&text);
    ok = ok && store_write_now(w->all->env.store, save_work, &s, err);
    if (ok)
        *number = s.row.number;
    buf_release(&text);
    return ok;
}

/* ---- settings, secrets, mode ---- */

static bool is_empty(const json_t *value) {
    return !value || json_is_null(value) || (json_is_string(value) && !json_string_length(value)) ||
           (json_is_array(value) && !json_array_size(value));
}

const json_t *release_setting_value(const struct release *r, struct str name, char mode) {
    const struct release_setting *s = release_find_setting(r, name);
    const json_t *value = json_object_getn(r->values, name.ptr, name.len);
    if (is_empty(value) && s)
        value = mode == 'p' && s->practice ? s->practice : s->default_value;
    return value;
}

struct vault *workspace_vault(struct workspace *w, char mode) {
    return mode == 'l' ? w->live : w->practice;
}

bool workspace_set_secret(struct workspace *w, struct str name, json_t *value, struct error *err) {
    const struct workspaces_env *env = &w->all->env;
    return secrets_set(env->store, env->key, w->id, w->release, name, value, w->live, err);
}

/* A secret that is still what practice mode gives everybody is as good as none. */
static bool is_practice_value(const struct release_secret *s, const json_t *value) {
    return s->practice && json_equal(s->practice, value);
}

static bool ready_for_live(const struct workspace *w, struct error *err) {
    const struct release *r = w->release;
    if (!r)
        return error_set(err, ERR_CONFLICT, "nothing has been published yet: flowlet push FOLDER");
    for (size_t i = 0; i < r->setting_count; i++)
        if (r->settings[i].required && is_empty(release_setting_value(r, r->settings[i].name, 'l')))
            return error_set(err, ERR_CONFLICT,
                             "the setting " STR_FMT " (" STR_FMT ") is empty: write it into settings.json and push",
                             STR_ARG(r->settings[i].name), STR_ARG(r->settings[i].title));
    for (size_t i = 0; i < r->secret_count; i++) {
        const struct release_secret *s = &r->secrets[i];
        const json_t *value = vault_get(w->live, s->name);
        if (s->required && !value)
            return error_set(err, ERR_CONFLICT, "the secret " STR_FMT " (" STR_FMT ") is empty: flowlet secret set " STR_FMT,
                             STR_ARG(s->name), STR_ARG(s->title), STR_ARG(s->name));
        if (value && is_practice_value(s, value))
            return error_set(err, ERR_CONFLICT,
                             "the secret " STR_FMT " still has its practice value: flowlet secret set " STR_FMT, STR_ARG(s->name),
                             STR_ARG(s->name));
    }
    return true;
}

struct set_mode {
    int64_t workspace;
    char mode;
};

static bool set_mode_work(struct store_tx *tx, void *arg, struct error *err) {
    const struct set_mode *m = arg;
    return tx_workspace_set_mode(tx, m->workspace, m->mode, err);
}

bool workspace_set_mode(struct workspace *w, char mode, struct error *err) {
    if (mode == 'l' && !ready_for_live(w, err))
        return false;
    struct set_mode m = {.workspace = w->id, .mode = mode};
    if (!store_write_now(w->all->env.store, set_mode_work, &m, err))
        return false;
    w->mode = mode;
    if (w->all->env.changed)
        w->all->env.changed(w->all->env.arg, w);
    return true;
}
