/* token.h — the API token, for the command line and whoever else may do everything.
 *
 * DIR/token (0600) is made at the first start: "flw_" and 43 URL-safe characters. Write another text of at
 * least 20 characters there to change it; it counts from the next start. In memory only its hash is kept.
 * Thread: any. */
#ifndef FLOWLET_TOKEN_H
#define FLOWLET_TOKEN_H

#include "base/buf.h"

struct token {
    uint8_t hash[32];
};

/* Reads DIR/token, or makes it. */
MUST_USE bool token_open(struct token *t, const char *dir, struct error *err);
/* The text itself, for a client on the same machine. ERR_NOT_FOUND where there is none. */
MUST_USE bool token_read(const char *dir, struct buf *out, struct error *err);
/* A new text and its hash, for tokens that are kept elsewhere (tokens.h). */
#define TOKEN_TEXT_MAX 48
void token_make(char text[TOKEN_TEXT_MAX], struct token *t);
struct token token_of(struct str text);
bool token_equals(const struct token *t, struct str given); /* constant-time */

#endif
