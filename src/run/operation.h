/* operation.h — one thing that a run asked for, between ASK and RESULT; see operation.c.
 *
 *     operation.c     asked, journaled, carried out, delivered in order
 *     store_op.c      those that change our own store: state, outbox, starting a run
 *     placeholder.c   secrets put in the place of their placeholders */
#ifndef FLOWLET_OPERATION_H
#define FLOWLET_OPERATION_H

#include "run/run.h"

struct operation {
    struct run *run; /* NULL: the run went on without it */
    struct operation *next, *next_delivery;
    char *id;                   /* PATH#N */
    char *name;                 /* "http.request" */
    const struct op_type *type; /* NULL: one of ours */
    enum op_kind kind;
    json_t *args;  /* ours: as asked, placeholders replaced */
    struct op *op; /* the type's, from start to done */
    bool parks, under_way, ready, queued;
    struct link_use *use;      /* of a `wait` whose link was used; it is told when the operation is over. NULL: none */
    int64_t due_ms;            /* of a `wait`: when it is over; 0: it is none */
    int64_t asked_ms, done_ms; /* done_ms: what the worker is told and what the journal keeps, so that a replay sees the same */
    char *about;               /* owned; for the history */
    /* result */
    json_t *value;
    struct error err;
    json_t *details;
    const char *secret_as; /* secret.get: its name is args.name */
    struct buf result;     /* value or err as the worker gets it */
    /* what a store operation needs on the writer's thread */
    struct journal_work work;
    struct runs *runs;
    uint64_t run_id;
    int64_t workspace;
    char mode;
    bool durable;
    struct str flow;
    struct op_captured captured;
    struct trial *trial;  /* a reference; NULL: its run is no test */
    bool given;           /* by the test: what the service would answer */
    unsigned writes_seen; /* of a captured test's state */
    bool forgotten;       /* its work was rolled back, on purpose */
    struct run *started; /* flows.start: not in the table before it is committed */
    struct run_row started_row;
    struct buf sealed;
};

/* The result is there (value, or err): recorded where need be, then delivered in its turn. Frees o when its run is gone. */
void operation_complete(struct operation *o);
void operation_fail(struct operation *o, enum error_code code, const char *text);
/* o's place among the run's deliveries is fixed, and with it the time of its result. */
void operation_queue_delivery(struct operation *o);
/* {"r": "done", ...}: what the journal keeps of the result. New. */
json_t *operation_done_record(const struct operation *o) MUST_USE;

/* ---- store_op.c ---- */
void operation_ask_state(struct operation *o);
void operation_ask_start(struct operation *o);
/* o->captured is what the operation would have sent: it goes to the outbox, masked. */
void operation_capture(struct operation *o);

/* ---- links.c ---- */
/* Its `wait` may be ended by a link from now on. False with o->err. */
MUST_USE bool operation_open_link(struct operation *o, const json_t *page);
/* The `wait` was canceled for o->use: it is done with the answer. */
void operation_use_link(struct operation *o);
/* The operation is gone without having been used. */
void operation_link_lost(struct link_use *u);

/* ---- placeholder.c ---- */
/* The arguments with every placeholder of this run replaced by the secret's value, and `auth` by its header. NULL with err
 * for a secret that the flow does not name, or that is empty. New; args stays as it is. */
json_t *secrets_in_place(const struct run *r, json_t *args, struct error *err) MUST_USE;
/* Whether the flow names this secret and it has a value. */
MUST_USE bool secret_check(const struct run *r, struct str name, struct error *err);

#endif
