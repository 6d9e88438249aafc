/* keys.c — a caller's Idempotency-Key: a retry gets what its first request got.
 *
 *     accepted: the key is claimed in the same commit --it is new--> an ordinary run, whose answer is kept with its end
 *                                                      --it is not--> no run: the kept answer; or, while the first one is
 *                                                                     under way, its answer as soon as it comes */
#include <sodium.h>

#include "base/log.h"
#include "run/run.h"
#include "store/keys.h"

/* ---- hashes ---- */

static void add(crypto_hash_sha256_state *s, struct str text) {
    uint64_t len = text.len;
    crypto_hash_sha256_update(s, (const uint8_t *)&len, sizeof len);
    crypto_hash_sha256_update(s, (const uint8_t *)text.ptr, text.len);
}

/* A key is its caller's own: who proves himself otherwise has others. */
static void hash_key(const struct run_request *q, struct str key, uint8_t out[KEY_HASH_BYTES]) {
    crypto_hash_sha256_state s;
    crypto_hash_sha256_init(&s);
    add(&s, key);
    for (size_t i = 0; i < q->header_count; i++)
        if (str_eq_nocase(q->headers[i].name, STR("Authorization")))
            add(&s, q->headers[i].value);
    crypto_hash_sha256_final(&s, out);
}

static void hash_request(const struct run_request *q, uint8_t out[KEY_HASH_BYTES]) {
    crypto_hash_sha256_state s;
    crypto_hash_sha256_init(&s);
    add(&s, q->method);
    for (size_t i = 0; i < q->parameter_count; i++)
        add(&s, q->parameters[i].value);
    add(&s, q->query);
    add(&s, q->content_type);
    add(&s, q->body);
    crypto_hash_sha256_final(&s, out);
}

struct run_key *run_key_new(const struct run_request *q, struct str key) {
    struct run_key *k = mem_alloc(sizeof *k);
    hash_key(q, key, k->key);
    hash_request(q, k->request);
    return k;
}

/* ---- answers that are kept ---- */

static struct str answer_context(uint64_t run, char *text, size_t size) {
    int n = snprintf(text, size, "answer/%014llx", (unsigned long long)run);
    return str_of(text, (size_t)n);
}

/* u32 length of the headers' JSON, that, the body. */
void key_seal_answer(const struct run *r, const json_t *headers, struct str body, struct buf *out) {
    struct buf plain, json;
    char context[40];
    buf_init(&plain, KEY_ANSWER_MAX);
    buf_init(&json, KEY_ANSWER_MAX);
    if (headers)
        jsonx_write(headers, &json);
    uint32_t length = (uint32_t)json.len;
    buf_add(&plain, str_of(&length, sizeof length));
    buf_add(&plain, buf_str(&json));
    buf_add(&plain, body);
    if (buf_ok(&plain) && buf_ok(&json) &&
        !seal(r->runs->env.key, answer_context(r->id, context, sizeof context), buf_str(&plain), out))
        buf_clear(out);
    buf_release(&json);
    buf_release(&plain);
}

static bool answer_again(struct run *r, const struct key_row *first, struct error *err) {
    char context[40];
    struct buf plain;
    uint32_t length;
    buf_init(&plain, KEY_ANSWER_MAX);
    struct str sealed_by = answer_context((uint64_t)first->run, context, sizeof context);
    bool ok = unseal(r->runs->env.key, sealed_by, first->answer, &plain, err) && plain.len >= sizeof length;
    if (ok) {
        memcpy(&length, plain.ptr, sizeof length);
        struct str json = str_of(plain.ptr + sizeof length, length), body = buf_str(&plain);
        body = str_of(json.ptr + length, body.len - sizeof length - length);
        json_t *headers = length ? jsonx_parse(json, err) : json_array();
        json_array_append_new(headers, json_pack("[ss]", "Idempotent-Replayed", "true"));
        run_answer_now(r, first->status, headers, body);
        json_decref(headers);
    }
    buf_release(&plain);
    return ok;
}

/* ---- callers that wait for another's run ---- */

struct follower {
    struct follower *next;
    uint64_t run;   /* theirs, by which they are forgotten */
    uint64_t first; /* whose answer they get */
    void (*answered)(void *arg, const struct run_answer *answer);
    void *arg;
};

static void follow(struct run *r, uint64_t first) {
    struct follower *f = mem_alloc(sizeof *f);
    *f = (struct follower){.next = r->runs->followers, .run = r->id, .first = first, .answered = r->on_answered, .arg = r->arg};
    r->runs->followers = f;
    r->on_answered = NULL;
}

void followers_tell(struct runs *rs, const struct run_answer *answer, bool all) {
    for (struct follower **at = &rs->followers; *at;) {
        struct follower *f = *at;
        if (!all && f->first != answer->run) {
            at = &f->next;
            continue;
        }
        *at = f->next;
        f->answered(f->arg, answer);
        free(f);
    }
}

void followers_forget(struct runs *rs, uint64_t run) {
    for (struct follower **at = &rs->followers; *at; at = &(*at)->next)
        if ((*at)->run == run) {
            struct follower *f = *at;
            *at = f->next;
            free(f);
            return;
        }
}

/* ---- a key that was claimed before ---- */

void run_answer_first(struct run *r, const struct key_row *first) {
    struct error err = {.code = ERR_NONE};
    uint64_t run = (uint64_t)first->run;
    bool same = first->request.len == KEY_HASH_BYTES && memcmp(first->request.ptr, r->key->request, KEY_HASH_BYTES) == 0;
    if (!same)
        error_set(&err, ERR_KEY_REUSED,
                  "another request came with this Idempotency-Key before: give each request a key of its own");
    else if (r->at_once)
        run_answer_accepted(r, run, false);
    else if (first->status && first->answer.len)
        (void)answer_again(r, first, &err);
    else if (first->status)
        error_set(&err, ERR_CONFLICT,
                  "the answer to the first request with this Idempotency-Key was too large to be kept: see its run %014llx",
                  (unsigned long long)run);
    else if (runs_is_open(r->runs, run) && r->on_answered)
        follow(r, run);
    else
        error_set(&err, ERR_CONFLICT, "the first request with this Idempotency-Key gave no answer: see its run %014llx",
                  (unsigned long long)run);
    if (err.code)
        run_answer_problem(r, &err);
}
