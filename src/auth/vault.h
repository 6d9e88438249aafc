/* vault.h — a workspace's secrets in memory: looked up by name, and masked in whatever is kept.
 *
 *     vault_set(v, "pagerduty_token", json, err);     from the store, or as typed
 *     vault_get(v, name)                              borrowed JSON: a string or {"username","password"}
 *     vault_mask(v, text, &out);                      every value becomes «NAME»
 *
 * vault_mask finds the values as they are and as they show up in transit: JSON-escaped,
 * URL-encoded, base64, and "user:password" in base64 for basic; of a URL its password as well.
 * Values shorter than 4 bytes are not looked for, nor are user names. It costs nothing where there are no secrets.
 *
 * One vault for each mode of a workspace. Thread: the loop's. */
#ifndef FLOWLET_VAULT_H
#define FLOWLET_VAULT_H

#include "base/json.h"

#define VAULT_VALUE_MAX 8192 /* bytes; of user name and password each */

struct vault;
struct vault *vault_new(void);
void vault_free(struct vault *v); /* takes NULL */
/* value: a string, or an object with username and password. Takes a reference. */
MUST_USE bool vault_set(struct vault *v, struct str name, json_t *value, struct error *err);
void vault_remove(struct vault *v, struct str name);
const json_t *vault_get(const struct vault *v, struct str name); /* borrowed; NULL: empty */
/* The secret as one text: the string, or "username:password". False when empty. */
bool vault_text(const struct vault *v, struct str name, struct buf *out);
/* True when something was masked; else out is left untouched and text may be used as it is. */
bool vault_mask(const struct vault *v, struct str text, struct buf *out);
/* The same for JSON text, which stays JSON: a number that holds a secret becomes a string. */
bool vault_mask_json(const struct vault *v, struct str json, struct buf *out);
/* Whether given is the secret's text; constant-time in both. False when empty. */
bool vault_equals(const struct vault *v, struct str name, struct str given);
/* "Basic ..." or "Bearer ..." for a request's Authorization, by the secret's form. False when empty. */
bool vault_authorization(const struct vault *v, struct str name, struct buf *out);

#endif
