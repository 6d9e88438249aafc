/* tokens.h — who may do what by the API: the server's own token, and those that were made with it.
 *
 *     ts = tokens_open(store, dir, err);
 *     g = tokens_find(ts, given);              NULL: not known, or expired
 *     if (g && (g->permissions & PERMISSION_RUNS_READ) && grant_sees(g, workspace)) ...
 *
 * A token's text is shown once, when it is made; kept is its hash. As the text holds 256 random bits, a fast hash is
 * enough (OWASP asks for a slow one where people choose). Thread: the loop's. */
#ifndef FLOWLET_TOKENS_H
#define FLOWLET_TOKENS_H

#include "auth/token.h"
#include "store/store.h"

#define TOKENS_MAX 1000

enum permission_bit {
#define X(name, text, about) PERMISSION_BIT_##name,
#include "auth/permissions.def"
#undef X
    PERMISSION_COUNT
};

/* Bits of a set. */
enum permission {
    PERMISSION_NONE = 0,
#define X(name, text, about) PERMISSION_##name = 1 << PERMISSION_BIT_##name,
#include "auth/permissions.def"
#undef X
};

extern const struct permission_row { const char *name, *about; /* "runs:read", a sentence */ } permissions[PERMISSION_COUNT];
const char *permission_name(enum permission p); /* of one bit */

/* What a token is good for. */
struct grant {
    int64_t id;                              /* 0: the server's own */
    struct str name;                         /* also the author of what is done with it */
    unsigned permissions;                    /* of enum permission */
    json_t *workspaces;                      /* names; NULL: all */
    int64_t created_ms, expires_ms, used_ms; /* expires, used 0: never. used: to the minute */
};
bool grant_sees(const struct grant *g, struct str workspace);

struct tokens;
struct tokens *tokens_open(struct store *store, const char *dir, struct error *err);
void tokens_close(struct tokens *ts); /* takes NULL */
/* Borrowed until the next change. */
const struct grant *tokens_find(struct tokens *ts, struct str given);
/* for (size_t i = 0; (g = tokens_at(ts, i)); i++) the made ones by id, expired ones too */
const struct grant *tokens_at(const struct tokens *ts, size_t i);
/* g's name, permissions, workspaces and expires_ms are taken over. Waits for the store. */
const struct grant *tokens_add(struct tokens *ts, const struct grant *g, char text[TOKEN_TEXT_MAX], struct error *err);
MUST_USE bool tokens_remove(struct tokens *ts, int64_t id, struct error *err);

#endif
