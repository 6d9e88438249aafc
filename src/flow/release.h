/* release.h — a workspace folder, checked and compiled: what runs are bound to (semantics.md, rule 16).
 *
 *     release_build_start(folder, &env, done, arg);   parse, ask the toolbox, check, compile
 *       done(arg, release, &findings)                 release: yours by release_unref; NULL: see the findings
 *     release_write(r, &blob);                        to be stored
 *     release_load(blob, err);                        after a restart, without any toolbox
 *
 * A release never changes once it is made; everything it points to is its own and lives until the
 * last release_unref. Its public fields are to be read only. Thread: the loop's. */
#ifndef FLOWLET_RELEASE_H
#define FLOWLET_RELEASE_H

#include "flow/finding.h"
#include "flow/folder.h"

enum flow_type {
    FLOW_ENDPOINT,
    FLOW_CRON,
    FLOW_REUSABLE,
};

/* Inputs and outputs of blocks in what is kept of runs. */
enum flow_bodies {
    BODIES_KEEP,
    BODIES_SAMPLE, /* of those that fail, and of one in ten others */
    BODIES_DROP,
};

enum access_type {
    ACCESS_BASIC,
    ACCESS_BEARER,
    ACCESS_PAGERDUTY_V3,
    ACCESS_GITHUB_HMAC,
    ACCESS_SHARED_TOKEN,
};

struct release_access {
    enum access_type type;
    struct str secret;        /* its name */
    struct str header, query; /* shared-token: which of them holds it; the other is empty */
};

/* What becomes of an instant that is due while the run before is under way. */
enum cron_overlap { OVERLAP_SKIP, OVERLAP_QUEUE, OVERLAP_ALLOW };
/* What becomes of instants that were due while the server was down. */
enum cron_missed { MISSED_ONCE, MISSED_ALL, MISSED_SKIP };

/* What an endpoint's plan reads of a request; only that is sent to the worker. */
enum flow_need {
    NEED_QUERY = 1 << 0,
    NEED_REQUEST_BODY = 1 << 1,
    NEED_RAW_BODY = 1 << 2,
    NEED_HEADERS = 1 << 3,
    NEED_COOKIES = 1 << 4,
    NEED_METHOD = 1 << 5,
    NEED_CLIENT = 1 << 6,
};

struct release_unit {
    struct str key, text; /* as in FLOW frames */
};

struct release_parameter {
    struct str name; /* of {name} in the path */
    bool is_integer;
};

struct release_flow {
    struct str id, name;
    enum flow_type type;
    /* Of this flow in this release, never given twice by one process: the number of FLOW frames.
     * All flows of one release share number >> 16. */
    uint64_t number;
    struct str plan; /* no longer than 8 MB */
    struct release_unit *units;
    size_t unit_count;
    size_t *calls; /* indexes into release->flows: every flow that may run inside this one, itself left out */
    size_t call_count;

    const json_t *start; /* as in the document */
    int64_t run_ms, cpu_ms, memory_mb;
    enum flow_bodies bodies;
    bool durable; /* of runs of its own: cron and reusable flows always */

    /* Endpoints. */
    struct str method, path;
    struct release_parameter *parameters;
    size_t parameter_count;
    struct release_access *access; /* none: open */
    size_t access_count;
    bool at_once;     /* 202 after `accepted` is stored */
    bool deduplicate; /* prepare gives the value */
    bool responds;    /* has a Respond block */
    unsigned needs;   /* of enum flow_need */
    bool draws;       /* it or a flow that it calls may draw random numbers */
    int64_t body_max_bytes;
    int64_t requests_per_minute, calls_at_once; /* 0: any number */
    bool per_client;                            /* requests_per_minute is for each caller */
    const json_t *cors;                         /* as in the document; NULL: none */

    /* Cron: one of the two, and where the line's times are. */
    struct str every; /* "5 minutes"; empty: line is set */
    struct str line, zone;
    enum cron_overlap overlap;
    enum cron_missed missed;

    /* Names, this flow's own and those of the flows it calls. */
    struct str *settings;
    size_t setting_count;
    struct str *secrets; /* that a run of it may use; those of access are not here */
    size_t secret_count;
};

struct release_setting {
    struct str name, title, description;
    const json_t *schema;        /* never NULL */
    const json_t *default_value; /* NULL: none */
    const json_t *practice;      /* what it is in practice mode when the folder gives no value; NULL: the default */
    bool required;
};

enum secret_type {
    SECRET_PASSWORD,
    SECRET_BASIC,
    SECRET_SIGNING_KEY,
    SECRET_SMTP,
};

struct release_secret {
    struct str name, title, description;
    enum secret_type type;
    bool required;
    const json_t *practice; /* its value in practice mode; NULL: a generated one */
};

struct release {
    unsigned refs;
    int64_t id; /* the store's; 0 until whoever stored it sets it */
    struct str workspace, title;
    struct release_flow *flows; /* sorted by id */
    size_t flow_count;
    struct release_setting *settings; /* as declared in workspace.json, in its order */
    size_t setting_count;
    struct release_secret *secrets;
    size_t secret_count;
    const json_t *values; /* of settings.json, an object: what the folder brought */
    const json_t *json;   /* workspace.json */
    const json_t *hosts;  /* its host names, in lower case; NULL: those that no other workspace has */
    struct arena arena;   /* holds all of it */
};

struct release *release_ref(struct release *r);
void release_unref(struct release *r);                                                /* takes NULL */
const struct release_flow *release_find_flow(const struct release *r, struct str id); /* NULL: none */
const struct release_setting *release_find_setting(const struct release *r, struct str name);
const struct release_secret *release_find_secret(const struct release *r, struct str name);
const char *flow_type_name(enum flow_type t);       /* "endpoint" */
enum flow_type flow_type_of(struct str name);       /* of one of these names */
const char *access_type_name(enum access_type t);   /* "pagerduty-v3" */
const char *secret_type_name(enum secret_type t);   /* "signing-key" */
const char *cron_overlap_name(enum cron_overlap o); /* "skip" */
const char *cron_missed_name(enum cron_missed m);   /* "once" */

/* What building needs of others. */
typedef void release_toolbox_done_fn(void *arg, struct str answer, const struct error *err);
struct release_env {
    /* pool_toolbox, or one like it: answers once, later. */
    void (*toolbox)(void *arg, struct str job, release_toolbox_done_fn *done, void *done_arg);
    /* pool_checker; NULL: types are not checked. */
    void (*checker)(void *arg, struct str job, release_toolbox_done_fn *done, void *done_arg);
    void *toolbox_arg; /* of both */
    /* What the toolbox said before, by a key of 64 hex digits; both NULL: no cache. */
    bool (*cache_get)(void *arg, const char *key, struct buf *out);
    void (*cache_put)(void *arg, const char *key, struct str value);
    void *cache_arg;
    struct str toolbox_version; /* goes into the keys: a newer toolbox is asked again */
    /* Whether a cron flow's schedule is one: cron_check. NULL: whoever fires it will see. */
    bool (*schedule_check)(struct str every, struct str line, struct str zone, struct error *err);
};

/* findings are the callee's to read until it returns: errors where release is NULL, else at most warnings. */
typedef void release_done_fn(void *arg, struct release *release, const struct findings *findings);

/* Reads the folder before it returns; env is copied. done comes once, and before the return when the
 * toolbox need not be asked. */
void release_build_start(const struct folder *folder, const struct release_env *env, release_done_fn *done, void *arg);

/* There and back. The blob is JSON of this server's own; load checks that it is one. */
MUST_USE bool release_write(const struct release *r, struct buf *out);
#define RELEASE_BLOB_MAX (64u * 1024 * 1024)
struct release *release_load(struct str blob, struct error *err);

#endif
