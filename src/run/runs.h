/* runs.h — the life of runs: accepted, given to a worker, its operations carried out, journaled,
 * resumed after a crash, answered, recorded. The rules of docs/semantics.md are cited by number.
 *
 *     runs_start(runs, &start, err);     from a request, the API, cron or another run
 *       start.answered(arg, &answer)     the caller's answer, once (or never asked for: NULL)
 *       start.ended(arg, id, state)      the run is over, once (may be NULL)
 *     runs_resume(runs, err);            at the server's start
 *
 *     a durable run:  PREPARING --accepted is committed--> RUNNING --FINISH--> ENDING --committed--> gone
 *     any other:                                           RUNNING --FINISH--> gone
 *     without a worker (none ready, worker lost, store failing): QUEUED, then RUNNING again
 *     durable and only waiting, for more than some seconds: parked, a row in the store; then QUEUED again
 *
 * Thread: the loop's. Callbacks come in a later turn. */
#ifndef FLOWLET_RUNS_H
#define FLOWLET_RUNS_H

#include "net/httpd.h"
#include "ops/op.h"
#include "run/workspaces.h"

struct runs;
struct trial;

/* What a caller is told. All borrowed until the callback returns. */
struct run_answer {
    uint64_t run;
    int status;
    const json_t *headers; /* [[name, value], ...]; NULL: none */
    struct str body;
    bool duplicate; /* a delivery that was handled before; run is the first one */
};

/* How a run ended. All borrowed until the callback returns. */
struct run_end {
    uint64_t run;
    enum run_state state;      /* RUN_DONE, RUN_FAILED, RUN_CANCELED */
    const json_t *output;      /* what a reusable flow gave; NULL: nothing */
    const struct error *error; /* NULL unless it failed */
    struct str history;        /* as it is recorded: docs/internals.md, section 6 */
};

struct run_parameter {
    struct str name, value; /* decoded, still text */
};

/* The parts of a request as it came (docs/internals.md, section 4, heads). All are copied. */
struct run_request {
    struct str method, query, client, content_type, body;
    const struct run_parameter *parameters;
    size_t parameter_count;
    const struct httpd_field *headers;
    size_t header_count;
};

struct run_start {
    struct workspace *workspace;
    const struct release_flow *flow;   /* of workspace->release */
    const struct run_request *request; /* endpoints; else NULL and */
    struct letter *letter;             /* for the inbox (letter.h); taken where the run starts. NULL: none */
    bool replay;                       /* a request that came before: it is no duplicate of that */
    struct str idempotency_key;        /* the caller's; empty: none. Only of requests to durable flows */
    json_t *input;                     /* an object; taken; NULL: {} */
    const char *trigger;               /* "POST /path", "api", "cron 2026-11-23T17:00:00.000Z"; copied */
    int64_t cron_instant_ms;           /* not 0: fires only if this instant was not fired before */
    struct release *release;           /* that flow is of; NULL: the workspace's newest */
    char mode;                         /* 'p', 'l'; 0: the workspace's */
    struct trial *trial;               /* a test run, which is never durable: taken; NULL: none */
    const uint8_t *seed;               /* 32 bytes that its random numbers come from; NULL: any */
    const json_t *repeated;            /* {PATH: {"pin", "input", "output" | "error"}}: blocks that are not run but left as in
                                        * an earlier run; NULL: none */
    bool at_once;                      /* a durable run's caller is answered 202 once it is stored, whatever the flow says */
    void (*answered)(void *arg, const struct run_answer *answer);
    void (*ended)(void *arg, const struct run_end *end);
    void *arg;
};

struct runs_env {
    struct loop *loop;
    struct store *store;
    struct pool *pool;
    struct workspaces *workspaces;
    const struct seal_key *key;
    struct op_env ops;
    const char *links_url; /* where links to Waits answer: "https://flows.example.com"; borrowed, and final once runs start */
    unsigned max_runs;     /* under way at once; beyond: ERR_BUSY */
};

struct runs *runs_open(const struct runs_env *env, struct error *err);
/* The pool's handler: give this to pool_open, with a struct runs ** as arg. */
extern const struct pool_handler runs_pool_handler;
MUST_USE bool runs_resume(struct runs *rs, struct error *err);
/* Takes no more; those that somebody waits for, and those that are not durable, get deadline_ms; who has no answer by then
 * gets 503. Then `drained` is called. */
void runs_drain(struct runs *rs, int64_t deadline_ms, loop_fn *drained, void *arg);
void runs_close(struct runs *rs);

/* The run's id, 0 on failure: ERR_BUSY (too many, or the store is behind). */
uint64_t runs_start(struct runs *rs, struct run_start *start, struct error *err);
/* The caller hung up: the run goes on, `answered` will not be called. */
void runs_forget_caller(struct runs *rs, uint64_t run);
MUST_USE bool runs_cancel(struct runs *rs, uint64_t run, struct error *err);
/* Whether it is under way, which a run that only waits is. */
bool runs_is_open(const struct runs *rs, uint64_t run);
/* Whether one of this workspace is under way, or waits. */
bool runs_are_open_in(const struct runs *rs, const struct workspace *w);
size_t runs_open_count(const struct runs *rs);    /* without those that are parked */
size_t runs_waiting_count(const struct runs *rs); /* those */

/* Ids as text: 14 hex digits. */
#define RUN_ID_TEXT 15
/* All ids of runs that are accepted at this time or later are at least this. */
uint64_t run_id_at(int64_t time_ms);
void run_id_write(uint64_t id, char out[RUN_ID_TEXT]);
MUST_USE bool run_id_parse(struct str text, uint64_t *id);
const char *run_state_name(enum run_state s);
MUST_USE bool run_state_parse(struct str name, enum run_state *s);

/* What happened, for following: the last few thousand events, numbered from 1. */
struct run_event {
    uint64_t number, run;
    int64_t time_ms, workspace;
    const char *kind; /* accepted, waiting, done, failed, canceled, log; of runs that are watched also the next line's */
    struct str flow;
    struct str level, text; /* log lines: masked */
    /* Of a watched run's alone: JSON of an object, masked. started: its worker has it; began, ended: a block; effect; many:
     * no more of its blocks will be told. */
    struct str data;
};
typedef bool run_event_fn(void *arg, const struct run_event *e); /* false stops */
/* Those after `number`, oldest first; returns the newest number there is. */
uint64_t runs_events(const struct runs *rs, int64_t workspace, uint64_t after, run_event_fn *fn, void *arg);
/* The numbers that there are: from oldest to newest. */
void runs_events_span(const struct runs *rs, uint64_t *oldest, uint64_t *newest);

/* While somebody watches a workspace, or one run of it, its workers tell what they do as they do it; else that costs
 * nothing. Who goes and comes back within RUNS_WATCH_KEPT_MS has missed nothing. Embed it. */
#define RUNS_WATCH_KEPT_MS 30000
struct run_watch {
    struct runs *runs;
    struct workspace *workspace;
    uint64_t run;                      /* 0: all of the workspace's */
    void (*news)(struct run_watch *w); /* at most once a turn: there are events, maybe none of these */
    struct run_watch *next;
};
/* workspace, run and news are set. The number of the event after which nothing is left out. */
uint64_t runs_watch(struct runs *rs, struct run_watch *w);
void runs_unwatch(struct run_watch *w);

struct runs_counts {
    uint64_t accepted, done, failed, canceled, recorded, record_dropped;
};
struct runs_counts runs_counts(const struct runs *rs);

#endif
