/* password.c — the operations `password.hash` and `password.verify`: Argon2id, on libuv's threads.
 *
 * 19 MB and two passes are the least that OWASP's Password Storage Cheat Sheet advises for it. At most
 * two are computed at once: the others wait, so that a flood of them takes neither all memory nor
 * all of libuv's threads. */
#include <sodium.h>

#include "ops/args.h"
#include "ops/op.h"

#define PASSES 2
#define MEMORY_BYTES ((size_t)19 * 1024 * 1024)
#define PASSWORD_MAX 1024
#define AT_ONCE 2
/* What is asked of us by a hash that somebody else made. */
#define VERIFY_PASSES_MAX 8
#define VERIFY_MEMORY_MAX_KB (64 * 1024)

struct job {
    struct op *op;
    struct job *next; /* waiting */
    uv_work_t work;
    struct loop_flush canceled_flush;
    struct str password;
    char hash[crypto_pwhash_STRBYTES]; /* given, or made */
    bool is_verify, ok, canceled, running;
};

/* The loop's thread only: there is one loop in a process. */
static struct {
    unsigned running;
    struct job *first, **last;
} queue = {0, NULL, &queue.first};

static enum op_kind password_kind(const json_t *args) {
    (void)args;
    return OP_READ;
}

static struct job *check_password(struct op *op, struct error *err) {
    struct job *j = op->own = arena_alloc(&op->arena, sizeof *j);
    j->op = op;
    if (!args_str(op->args, "password", &j->password, err))
        return NULL;
    if (!j->password.ptr || j->password.len > PASSWORD_MAX) {
        error_set(err, ERR_INVALID, "password must be a text of at most %d bytes", PASSWORD_MAX);
        return NULL;
    }
    return j;
}

static bool hash_check(struct op *op, struct error *err) { return check_password(op, err) || error_wrap(err, "password.hash"); }

/* Hashes that would take more than their share are refused before any memory is taken for them. */
static bool is_affordable(const char *hash) {
    unsigned version, memory_kb, passes, lanes;
    return sscanf(hash, "$argon2id$v=%u$m=%9u,t=%9u,p=%9u$", &version, &memory_kb, &passes, &lanes) == 4 &&
           memory_kb <= VERIFY_MEMORY_MAX_KB && passes <= VERIFY_PASSES_MAX && lanes == 1;
}

static bool verify_check(struct op *op, struct error *err) {
    struct str hash = {NULL, 0};
    struct job *j = check_password(op, err);
    if (!j || !args_needed_str(op->args, "hash", &hash, err))
        return error_wrap(err, "password.verify");
    if (hash.len < sizeof j->hash)
        memcpy(j->hash, hash.ptr, hash.len);
    j->is_verify = true;
    return is_affordable(j->hash) || error_set(err, ERR_INVALID, "password.verify: hash is none that password.hash made");
}

static void compute(uv_work_t *work) {
    struct job *j = container_of(work, struct job, work);
    if (j->is_verify)
        j->ok = crypto_pwhash_str_verify(j->hash, j->password.ptr, j->password.len) == 0;
    else
        j->ok = crypto_pwhash_str_alg(j->hash, j->password.ptr, j->password.len, PASSES, MEMORY_BYTES,
                                      crypto_pwhash_ALG_ARGON2ID13) == 0;
}

static void run_next(void);

static void end_canceled(struct job *j) {
    struct error err;
    error_set(&err, ERR_CANCELED, "%s was canceled", j->op->type->name);
    op_fail(j->op, &err, NULL);
}

static void on_computed(uv_work_t *work, int status) {
    struct job *j = container_of(work, struct job, work);
    struct error err;
    (void)status; /* never canceled in libuv's queue */
    queue.running--;
    run_next();
    if (j->canceled)
        end_canceled(j);
    else if (j->is_verify)
        op_succeed(j->op, json_boolean(j->ok));
    else if (j->ok)
        op_succeed(j->op, json_string(j->hash));
    else {
        error_set(&err, ERR_BUSY, "password.hash: no memory for it at the moment");
        op_fail(j->op, &err, NULL);
    }
}

static void run_next(void) {
    while (queue.running < AT_ONCE && queue.first) {
        struct job *j = queue.first;
        if (!(queue.first = j->next))
            queue.last = &queue.first;
        queue.running++;
        j->running = true;
        ENSURE(uv_queue_work(loop_uv(j->op->env->loop), &j->work, compute, on_computed) == 0);
    }
}

static void password_start(struct op *op) {
    struct job *j = op->own;
    *queue.last = j;
    queue.last = &j->next;
    run_next();
}

static void on_canceled(void *arg) { end_canceled(arg); }

/* One that is computed ends when it is; one that waits, at the end of this turn. */
static void password_cancel(struct op *op) {
    struct job *j = op->own;
    if (j->canceled)
        return;
    j->canceled = true;
    if (j->running)
        return;
    struct job **at = &queue.first;
    while (*at != j)
        at = &(*at)->next;
    *at = j->next;
    if (!j->next)
        queue.last = at;
    j->canceled_flush = (struct loop_flush){.fn = on_canceled, .arg = j};
    loop_flush_add(op->env->loop, &j->canceled_flush);
}

static void hash_about(const json_t *args, struct buf *out) {
    (void)args;
    buf_adds(out, "hash a password");
}
static void verify_about(const json_t *args, struct buf *out) {
    (void)args;
    buf_adds(out, "compare a password with its hash");
}

const struct op_type op_password_hash = {.name = "password.hash",
                                         .kind = password_kind,
                                         .check = hash_check,
                                         .start = password_start,
                                         .cancel = password_cancel,
                                         .about = hash_about};
const struct op_type op_password_verify = {.name = "password.verify",
                                           .kind = password_kind,
                                           .check = verify_check,
                                           .start = password_start,
                                           .cancel = password_cancel,
                                           .about = verify_about};
