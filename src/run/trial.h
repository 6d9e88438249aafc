/* trial.h — what a test run has that no other run has (docs/semantics.md, rule 27): its effects are captured or real,
 * operations may have their answers given, and what it writes to `state` is forgotten.
 *
 *     t = trial_new(capture);              shared, by reference, with the runs that it starts
 *     trial_answer(t, id, name, about)     what the example says this operation gives
 *     trial_state(...)                     on the writer's thread: as if the test's writes had been made
 *
 * Nothing of a captured test stays: each of its state operations first repeats the test's writes so far, and its work is
 * then rolled back with them. Thread: the loop's, but for trial_state. */
#ifndef FLOWLET_TRIAL_H
#define FLOWLET_TRIAL_H

#include "base/json.h"
#include "store/store.h"

#define TRIAL_WRITES_MAX 1000 /* of state, in one test */

struct trial {
    unsigned refs;
    bool capture;
    json_t *answers;                    /* owned: {OPERATION: VALUE}; NULL: none */
    int64_t now_ms;                     /* what its clock shows throughout; 0: the time */
    bool blank;                         /* state holds what trial_set_state gave, and nothing else */
    struct trial_write *writes, **last; /* never changed once they are in the list */
    unsigned write_count;
};

struct trial *trial_new(bool capture);
/* {KEY: VALUE}: all that it finds in state. */
MUST_USE bool trial_set_state(struct trial *t, const json_t *state, struct error *err);
struct trial *trial_ref(struct trial *t); /* takes NULL */
void trial_unref(struct trial *t);        /* takes NULL */

/* Borrowed; NULL: none is given. Looked for under the operation's id "scan[2].http~2#1", under what it does, "GET
 * https://example.com/" (about, may be NULL), and, but for waits, which are also a block's own time limit, under its path with
 * and without attempt and turn numbers: "scan[2].http~2", "scan.http". */
json_t *trial_answer(const struct trial *t, const char *operation, const char *name, const char *about);

/* Which of the writes an operation of state sees, itself added where it is a write. False past TRIAL_WRITES_MAX. */
MUST_USE bool trial_state_add(struct trial *t, const char *name, const json_t *args, int64_t now_ms, unsigned *sees,
                              struct error *err);
/* In a work that is to fail afterwards. */
void trial_state_repeat(const struct trial *t, unsigned writes, struct store_tx *tx, int64_t workspace, char mode);

#endif
