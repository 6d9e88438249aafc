/* op.h — operations: everything a flow does to the world (docs/internals.md, section 5).
 *
 *     struct op *op = op_new(env, "mail.send", args, &owner, err);
 *     op_start(op);                  later: owner.done(op) with op->value or op->err
 *     op_cancel(op);                 done still comes, with ERR_CANCELED
 *     op_free(op);                   in done, or any time after it
 *
 * Each operation is a file of its own behind one const struct op_type. It checks its
 * arguments itself (they come from a worker and are hostile), knows nothing of runs,
 * journals or modes, and ends by exactly one op_succeed or op_fail, never from inside start. */
#ifndef FLOWLET_OP_H
#define FLOWLET_OP_H

#include "base/arena.h"
#include "base/json.h"
#include "net/loop.h"

enum op_kind {
    OP_READ,   /* may be repeated freely; leaves at once */
    OP_EFFECT, /* changes the world: leaves once its `asked` is committed */
    OP_STORE,  /* changes our own store: asked, applied and done in one commit */
    OP_SECRET, /* a read whose result is never recorded */
};

struct op;

/* What practice mode keeps instead of sending. */
struct op_captured {
    const char *kind;   /* page, mail, sms, chat, other */
    char *to;           /* from op->arena */
    struct str content; /* from op->arena */
    json_t *value;      /* the answer to the flow; owned */
};

struct op_type {
    const char *name;
    /* The kind may depend on the arguments (GET or POST). */
    enum op_kind (*kind)(const json_t *args);
    /* Checks args; may keep what it parsed in op->own (from op->arena). */
    bool (*check)(struct op *op, struct error *err);
    void (*start)(struct op *op);
    /* Ends work under way; op_fail(op, ERR_CANCELED) still follows, later. */
    void (*cancel)(struct op *op);
    /* Effects only: instead of start in practice mode. Fills kind, to and content of the outbox
     * (content: a mail's MIME text, else JSON) and the answer. */
    bool (*capture)(struct op *op, struct op_captured *captured, struct error *err);
    /* One line for the history: "POST https://api.pagerduty.com/incidents". */
    void (*about)(const json_t *args, struct buf *out);
};

/* What operations share; all borrowed, all outlive them. */
struct op_env {
    struct loop *loop;
    struct transfers *transfers; /* HTTP, mail, TCP and TLS checks */
    struct names *names;         /* DNS */
};

struct op {
    const struct op_type *type;
    const struct op_env *env; /* borrowed */
    struct arena arena;
    json_t *args;    /* owned; placeholders already replaced */
    char key[65];    /* idempotency key, hex; "" where there is none */
    int64_t time_ms; /* of the run: what Date.now() shows */
    void *own;       /* the type's own, usually from arena */
    void (*done)(struct op *op);
    void *arg;        /* the owner's */
    json_t *value;    /* owned; the result, NULL when it failed */
    struct error err; /* ERR_NONE when it worked */
    json_t *details;  /* owned or NULL: status, retry_after_ms, cause of the error */
    int64_t started_us, ended_us;
};

/* NULL for an unknown name: then the caller says so. */
const struct op_type *op_type_find(struct str name);
/* Takes args. NULL when check refuses them. */
struct op *op_new(const struct op_env *env, const struct op_type *type, json_t *args, struct error *err);
void op_start(struct op *op);
void op_cancel(struct op *op);
void op_free(struct op *op); /* takes NULL */

/* Of an effect: where it is not known whether it was carried out, it fails instead of being repeated. */
bool op_fails_when_unknown(const json_t *args);

/* For the types: each takes what it is given, then calls done. */
void op_succeed(struct op *op, json_t *value);
void op_fail(struct op *op, const struct error *err, json_t *details);

#endif
