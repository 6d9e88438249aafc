/* run.h — one run, as the files of this module see it. Others use runs.h.
 *
 *     runs.c        the table of runs, frames from workers, limits
 *     launch.c      heads, giving runs to workers, accepting durable ones
 *     operation.c   what a run asks for: checked, journaled, carried out, delivered in order
 *     journal.c     a durable run's records; resuming
 *     ending.c      answers, the end, history
 *     keys.c        callers' idempotency keys
 *     waits.c       those that only wait, without a worker
 *     events.c      what happened, for following; watching runs as they go
 *     trial.c       what a test run has of its own
 *
 * Invariants:
 * (1) A run in PREPARING or RUNNING is with exactly one worker.
 * (2) An operation whose result is journaled never leaves the server again.
 * (3) Results reach the worker in the order of their `done` records (semantics 21). */
#ifndef FLOWLET_RUN_H
#define FLOWLET_RUN_H

#include "run/runs.h"
#include "run/trial.h"

#define RUN_TEXT_MAX (20u * 1024 * 1024)    /* bytes of a head, a journal or a history */
#define RUN_OPERATIONS_MAX 1000             /* open at once */
#define RUN_EFFECTS_MAX 2000                /* kept in history */
#define RUN_CONTENT_MAX ((size_t)32 * 1024) /* bytes of what a test captured that its history keeps, each */
#define RUN_SAID_MAX 256                    /* bytes of a head that is kept, so that the next like it need not be parsed */
#define RUN_HISTORY_MAX (6u * 1024 * 1024)  /* bytes that a worker tells; what is longer is none of ours */
#define RUN_FLUSH_MS 20                     /* how long a record may wait for company before it is committed */

enum run_phase {
    PHASE_PREPARING, /* durable endpoint: the worker parses the request */
    PHASE_ACCEPTING, /* `accepted` is being committed */
    PHASE_QUEUED,    /* no worker yet */
    PHASE_RUNNING,
    PHASE_STALLED, /* the store fails: goes on from the journal when it works again */
    PHASE_PARKING, /* that it only waits is being committed */
    PHASE_LOADING, /* the journal is being read */
    PHASE_ENDING,  /* the end is being committed */
};

struct run {
    uint64_t id;
    struct runs *runs;           /* borrowed */
    struct workspace *workspace; /* borrowed: outlives all runs */
    struct release *release;     /* a reference */
    const struct release_flow *flow;
    char mode;
    bool durable;
    enum run_phase phase;
    struct worker *worker; /* (1) */
    struct run *next_queued;
    bool in_queue;
    int64_t started_ms;
    uint8_t seed[32];
    char nonce[17];        /* of secrets' placeholders; "" where the flow names none */
    char *trigger;         /* owned */
    struct trial *trial;   /* a reference; NULL: no test */
    bool watched;          /* its worker tells of its blocks as they go */
    uint64_t watched_from; /* not 0: it began before it was watched, and tells what came after this event */

    struct buf head, body; /* what START carries; PREPARE's before that */
    struct buf replay;     /* START's journal section */
    struct str *results;   /* recorded results that follow START, owned */
    size_t result_count;

    struct operation *operations;            /* under way */
    struct operation *deliveries, **deliver; /* done in this order, not delivered yet */
    unsigned operation_count;
    bool effect_begun;
    unsigned restarts;
    bool heard; /* its worker has said something of it */
    json_t *effects; /* for history; NULL: none */

    struct buf pending;                       /* records not handed to the store: u32 length, sealed bytes, ... */
    struct journal_work *works, **works_last; /* to be committed together with them */
    bool overflowed;                          /* the last record did not fit: the run is about to fail */
    bool committing;                          /* one commit at a time a run, so that a failed one leaves no gap */
    struct map asked;                         /* id -> json_t of its `asked` record, from the journal */
    struct timer flush;

    struct timer limit; /* run time; stands still while only back-offs are open */
    int64_t left_ms;
    unsigned parked;
    unsigned park_asked;   /* PARK frames without their answer */
    bool woken;            /* it was parked */
    bool canceled;         /* while it was parked: ends as soon as its journal is read */
    struct error *stopped; /* owned; past its limit: only its FINISH is waited for, by `limit` */

    bool is_replay;
    struct letter *letter; /* owned; into the inbox. NULL: none, or it is there */
    struct run_key *key;   /* owned; of the caller, until it is claimed. NULL: none */
    bool keeps_answer;     /* for retries with the caller's key, and has not yet */
    bool at_once;          /* the caller is told as soon as it is accepted */
    bool answered;         /* the caller was told, or `responded` is recorded */
    struct final *final;   /* PHASE_ENDING: ending.c's */
    void (*on_answered)(void *arg, const struct run_answer *answer);
    void (*on_ended)(void *arg, const struct run_end *end);
    void *arg;
};

struct runs {
    struct runs_env env;
    struct map open;                  /* id -> run */
    struct run *queued, **queue_last; /* PHASE_QUEUED, oldest first */
    struct timer give;                /* looks again whether workers have time for them */
    struct loop_flush give_now;
    struct map apart;                 /* flow's number -> until when (loop_now_ms) its runs share no worker */
    uint64_t last_id;
    uint8_t random[1024]; /* taken from the end of `random_left` bytes */
    size_t random_left;
    struct timer mend; /* looks whether stalled runs can go on */
    struct waits *waits;
    struct follower *followers; /* callers that get another's answer */
    struct events *events;
    struct runs_counts counts;
    struct buf said; /* the last short head of a FINISH, and what it parses to: most of them are alike */
    json_t *said_json;
    loop_fn *drained;
    void *drained_arg;
    struct timer drain;
    int64_t drain_until_ms;
    bool draining;
};

/* runs.c */
struct run *run_new(struct runs *rs, struct workspace *w, struct release *release, const struct release_flow *flow, char mode);
void run_free(struct run *r); /* out of the table, without telling anybody */
struct run *runs_find(const struct runs *rs, uint64_t id);
/* Takes the run off its worker: cancels its operations; tell: sends CANCEL as well. */
void run_detach(struct run *r, bool tell);
/* Its flow passed a limit: for ten minutes, or until it is published anew, its runs share no worker. */
void run_set_apart(struct run *r);
bool run_is_apart(const struct run *r);
void run_limit_update(struct run *r); /* after `parked` or the phase changed */
int64_t run_time_left(const struct run *r);
/* A durable run of an earlier time goes on from its journal. NULL: its release is gone. */
struct run *run_resume(struct runs *rs, const struct run_row *row);
void runs_random(struct runs *rs, void *out, size_t size);
uint64_t runs_next_id(struct runs *rs);

/* launch.c */
/* 202 with the run's id. */
void run_answer_accepted(struct run *r, uint64_t run, bool duplicate);
bool run_build_head(struct run *r, const struct run_request *request, const json_t *input, struct error *err);
void run_give(struct run *r); /* to a worker, or into the queue */
void runs_give_queued(struct runs *rs);
/* PREPARED came: answers, or accepts durably and runs. */
void run_prepared(struct run *r, struct str payload);
/* Stores a durable run whose head is built; then runs it. delivery: a key to claim, or empty. */
void run_accept(struct run *r, struct str delivery, int64_t cron_instant_ms);
/* The row of a durable run under way, sealed into `sealed`. */
void run_accepted_row(const struct run *r, struct run_row *row, struct buf *sealed);

/* What the run's clock shows when something happens to it. */
int64_t run_now_ms(const struct run *r);

/* operation.c */
void run_asked(struct run *r, struct str payload);
void operations_cancel(struct run *r); /* all; none of them comes back to r */
/* A secret as `as` ("password", "basic") gives it; JSON null when it is empty. */
json_t *secret_value(const struct run *r, struct str name, struct str as) MUST_USE;
/* An effect that was carried out before a restart, for the history. asked may be NULL. */
void effect_from_journal(struct run *r, const json_t *asked, const json_t *done);

/* journal.c: durable runs only */
void journal_record(struct run *r, const json_t *record);
/* RECORD from the worker. False: it is not what it should be. */
MUST_USE bool journal_take(struct run *r, struct str payload);
/* Something that shares a commit with the records before it. Embed it. `work` may be NULL. submitted comes on the
 * loop when its place in the journal is fixed; done when it is committed or has failed (then the run is stalled
 * already). A run that is detached meanwhile does not keep either from coming. */
struct journal_work {
    store_work_fn *work;
    void (*submitted)(struct journal_work *w); /* may be NULL */
    void (*done)(struct journal_work *w, const struct error *err);
    struct journal_work *next;
};
/* w NULL: just what was recorded so far. */
void journal_commit(struct run *r, struct journal_work *w);
/* The flush timer's: commits, or ends the run that recorded too much. */
void journal_flush(struct run *r);
/* In a work: adds a record behind what the run had recorded; context and key as for the run's other records. */
MUST_USE bool journal_add_sealed(struct store_tx *tx, const struct seal_key *key, uint64_t run, const json_t *record,
                                 struct error *err);
/* Drops what was read back: results, what was asked, effects. */
void journal_forget_replay(struct run *r);
/* Drops what was not handed to the store; works not handed over get ERR_CANCELED. */
void journal_forget(struct run *r);
void run_stall(struct run *r);
void run_reload(struct run *r); /* reads the journal, then gives it to a worker */

/* keys.c */
#define KEY_ANSWER_MAX (1024 * 1024) /* bytes of an answer that is kept */
struct key_row;
struct run_key {
    uint8_t key[32], request[32]; /* hashes */
};
struct run_key *run_key_new(const struct run_request *q, struct str key) MUST_USE;
/* The caller's key was claimed before: r, which never was a run, gets the first one's answer, now or later. */
void run_answer_first(struct run *r, const struct key_row *first);
/* out stays empty where it is too large to be kept. */
void key_seal_answer(const struct run *r, const json_t *headers, struct str body, struct buf *out);
/* Those that wait for this run's answer, or all. */
void followers_tell(struct runs *rs, const struct run_answer *answer, bool all);
void followers_forget(struct runs *rs, uint64_t run);

/* waits.c */
struct waits *waits_new(struct runs *rs);
void waits_free(struct waits *w);
/* At the server's start: those that are due begin to wake. */
MUST_USE bool waits_load(struct waits *w, struct error *err);
bool waits_has(const struct waits *w, uint64_t run);
size_t waits_count(const struct waits *w);
/* False: it is not parked. */
MUST_USE bool waits_cancel(struct waits *w, uint64_t run);
/* One that was taken from the store goes on. NULL: it cannot. */
struct wait_row;
struct run *waits_wake(struct waits *w, const struct wait_row *row);
/* A run that was woken is over, or parked again. */
void waits_forget(struct waits *w);
/* After what is under way changed: asks the worker whether that is all. */
void run_park_if_idle(struct run *r);
/* PARKED came. False: nobody asked. */
MUST_USE bool run_parked(struct run *r);

/* ending.c */
void run_responded(struct run *r, struct str payload);
void run_finished(struct run *r, struct str payload);
/* The server ends it: limits, lost workers, cancel. */
void run_fail(struct run *r, const struct error *err);
#define RUN_CANCELED_TEXT "canceled by a user"
void run_end_canceled(struct run *r);
/* Tells the caller, once; later calls do nothing. */
void run_answer_now(struct run *r, int status, const json_t *headers, struct str body);
void run_answer_problem(struct run *r, const struct error *err);

/* events.c */
struct events *events_new(struct runs *rs);
void events_free(struct events *e);
/* kind: a literal. */
void events_add(struct events *e, const struct run *r, const char *kind, struct str level, struct str text);
/* Of a run that is watched: takes data, an object, which is masked. */
void events_tell(const struct run *r, const char *kind, json_t *data);
/* Before it is given to a worker: where somebody watches, the worker is told to tell. */
MUST_USE bool run_watch_begin(struct run *r);
/* EVENT from its worker. False: it is not what it should be. */
MUST_USE bool run_told(struct run *r, struct str payload);

#endif
