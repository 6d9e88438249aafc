/* keys.h — callers' idempotency keys: which run a key's first request became, and what that answered.
 *
 * A key is known for a day, or until its run is over. Answers are sealed by the caller of these. */
#ifndef FLOWLET_STORE_KEYS_H
#define FLOWLET_STORE_KEYS_H

#include "store/store.h"

#define KEY_HASH_BYTES 32

struct key_row {
    int64_t workspace;
    char mode;
    struct str flow;
    struct str key, request; /* hashes, KEY_HASH_BYTES each: of the key, of what came with it */
    int64_t run;
    int64_t time_ms;
    int status;        /* of the answer; 0: none yet */
    struct str answer; /* sealed; empty: it was too large to be kept */
};

/* Claims the key for row->run, unless it was before: then *row becomes the first one's, its answer in arena. */
MUST_USE bool tx_key_claim(struct store_tx *tx, struct key_row *row, struct arena *arena, struct error *err);
/* What the run answered. */
MUST_USE bool tx_key_answer(struct store_tx *tx, int64_t run, int status, struct str answer, struct error *err);

#endif
