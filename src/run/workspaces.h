/* workspaces.h — the applications on this server: what is published, in which mode, with which secrets.
 *
 *     workspaces_load(ws, err);                           at start, from the store
 *     workspace_publish(w, folder, done, arg);            check, compile, store, then new runs use it
 *     workspace_find_release(w, id)                            also an older one that runs are bound to
 *
 * A run keeps the release and the mode that it was accepted with; a workspace only says what
 * the next run gets. Thread: the loop's. */
#ifndef FLOWLET_WORKSPACES_H
#define FLOWLET_WORKSPACES_H

#include "auth/seal.h"
#include "auth/vault.h"
#include "flow/release.h"
#include "js/pool.h"
#include "run/versions.h"
#include "store/store.h"

struct workspaces;

struct workspace {
    struct workspaces *all; /* borrowed */
    int64_t id;
    bool removed; /* by workspaces_remove */
    struct workspace *next_removed;
    struct str name;         /* owned */
    char mode;               /* 'p' practice, 'l' live: of the next run */
    struct release *release; /* the newest; NULL: nothing published yet */
    struct vault *practice, *live;
    struct map disabled; /* ids of flows that are switched off -> (void *)1 */
    struct map releases; /* id -> struct release, those that runs asked for */
    /* Its runs tell of their blocks as they go (events.c). */
    bool watched;
    unsigned watchers;
    struct release *draft; /* that was tested last, NULL: none; what it was built from */
    char draft_of[65];
    uint64_t watched_from; /* the number of the event after which nothing is left out */
};

struct workspaces_env {
    struct loop *loop;
    struct store *store;
    struct pool *pool;
    const struct seal_key *key;
    /* As in release_env: cron_check, which stands in a module after this one. */
    bool (*schedule_check)(struct str every, struct str line, struct str zone, struct error *err);
    /* Told after each change of what is published, so that routes and schedules follow. */
    void (*changed)(void *arg, struct workspace *w);
    void *arg;
};

struct workspaces *workspaces_open(const struct workspaces_env *env, struct error *err);
void workspaces_close(struct workspaces *all);
struct workspace *workspaces_find(struct workspaces *all, struct str name); /* NULL: none */
struct workspace *workspaces_find_id(struct workspaces *all, int64_t id);
struct workspace *workspaces_default(struct workspaces *all); /* the first; NULL where there is none */
/* for (size_t i = 0; (w = workspaces_at(all, i)); i++) in the order of their ids */
struct workspace *workspaces_at(struct workspaces *all, size_t i);
/* Makes it (in the given mode) where there is none. Waits for the store. */
struct workspace *workspaces_add(struct workspaces *all, struct str name, char mode, struct error *err);

/* With all that it has. Refused while it is live, or has durable runs that are not over. The caller sees to it that it has no
 * others; what still holds it finds nothing published. Waits for the store. */
MUST_USE bool workspaces_remove(struct workspace *w, struct error *err);

/* done(release NULL: nothing changed, see findings or err). The same folder as the newest release
 * publishes nothing new and gives that one. Each flow that changes gets a version, by `by` (copied). Where
 * another release came meanwhile: ERR_CONFLICT. */
typedef void workspace_published_fn(void *arg, struct release *release, const struct findings *findings, const struct error *err);
void workspace_publish(struct workspace *w, const struct folder *folder, const struct save *by, workspace_published_fn *done,
                       void *arg);
/* Checks only: done's release is what would be published, to be kept by a reference (for a test run); err is NULL when the
 * folder could be checked. */
void workspaces_check(struct workspaces *all, const struct folder *folder, workspace_published_fn *done, void *arg);
/* The newest folder, as published. Waits for the store. */
MUST_USE bool workspace_folder(struct workspace *w, struct folder *out, struct error *err);
/* The same, and where nothing is published yet a workspace.json with its name. */
MUST_USE bool workspace_published_folder(struct workspace *w, struct folder *out, struct error *err);
/* The same with the newest version of each flow, be it a draft. */
MUST_USE bool workspace_newest_folder(struct workspace *w, struct folder *out, struct error *err);
/* Saves one as a version of its own, a draft; content NULL: deleted. *number: its. Waits for the store. */
MUST_USE bool workspace_save(struct workspace *w, struct str flow, const json_t *content, const struct save *by, int64_t *number,
                             struct error *err);

/* Borrowed, kept until the workspace closes; NULL: not in the store any more. */
struct release *workspace_find_release(struct workspace *w, int64_t id, struct error *err);

/* What a flow of this release sees as a setting: the folder's value, else in practice mode the declared
 * `practice` value, else the default. Borrowed; NULL: none of them. */
const json_t *release_setting_value(const struct release *r, struct str name, char mode);

/* A flow that is switched off: its endpoint answers 503, its cron instants are skipped; runs under way go on. Stays so over
 * releases. */
bool workspace_flow_is_disabled(const struct workspace *w, struct str flow);
/* Waits for the store. */
MUST_USE bool workspace_disable_flow(struct workspace *w, struct str flow, bool disabled, struct error *err);

struct vault *workspace_vault(struct workspace *w, char mode);
/* Live: seals and stores, then uses it; value NULL removes. Waits for the store. */
MUST_USE bool workspace_set_secret(struct workspace *w, struct str name, json_t *value, struct error *err);
/* Refuses live while something needed is empty or still has its practice value, naming it. Waits for the store. */
MUST_USE bool workspace_set_mode(struct workspace *w, char mode, struct error *err);

#endif
