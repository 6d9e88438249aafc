/* secrets.h — a workspace's secrets between the store (sealed) and its vaults.
 *
 * Practice mode: a declared secret that was not set takes the `practice` value of its declaration,
 * else one that is generated once and kept in the store. Live has only what was set.
 * Both calls wait for the store. */
#ifndef FLOWLET_RUN_SECRETS_H
#define FLOWLET_RUN_SECRETS_H

#include "auth/seal.h"
#include "auth/vault.h"
#include "flow/release.h"
#include "store/store.h"

/* Fills both vaults with what the release declares and the store holds. */
MUST_USE bool secrets_load(struct store *s, const struct seal_key *key, int64_t workspace, const struct release *release,
                           struct vault *practice, struct vault *live, struct error *err);
/* Sets (value NULL: removes) a live secret, in the store and in the vault. The release declares its type, which the value must
 * fit. */
MUST_USE bool secrets_set(struct store *s, const struct seal_key *key, int64_t workspace, const struct release *release,
                          struct str name, json_t *value, struct vault *live, struct error *err);

#endif
