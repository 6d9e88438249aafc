/* cors.h — pages of other origins: what the browser is told of an endpoint (Fetch standard, 3.2, CORS protocol).
 *
 *     cors: {"origins": ["https://shop.example"] or ["*"], "headers": ["Content-Type"], "credentials": true, "max_age_s": 600}
 *
 * A preflight is answered by the server without a run. An origin that is not listed is told nothing, and so its
 * browser keeps the answer from the page; the request itself is no less answered: who may call is a matter of access.
 * Answers that depend on the origin say so (Vary). Thread: any. */
#ifndef FLOWLET_CORS_H
#define FLOWLET_CORS_H

#include "base/arena.h"
#include "base/json.h"
#include "net/httpd.h"

#define CORS_FIELDS_MAX 6

/* cors: a flow's, NULL: none; origin: the request's, {NULL, 0}: none. Both write fields that live as long as cors,
 * origin and the arena, and return how many. */
size_t cors_answer(const json_t *cors, struct str origin, struct httpd_field out[CORS_FIELDS_MAX]);
/* method, headers: what Access-Control-Request-Method and -Headers ask for. */
size_t cors_preflight(const json_t *cors, struct str origin, struct str method, struct str headers, struct arena *arena,
                      struct httpd_field out[CORS_FIELDS_MAX]);

#endif
