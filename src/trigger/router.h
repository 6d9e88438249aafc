/* router.h — which flow answers a request.
 *
 *     router_find(r, method, path, arena, &match)
 *
 * Paths are kept as written and matched segment by segment, literal segments before
 * parameters; what a parameter matched is percent-decoded afterwards. */
#ifndef FLOWLET_ROUTER_H
#define FLOWLET_ROUTER_H

#include "base/arena.h"
#include "run/runs.h"

#define ROUTER_PARAMETERS_MAX 16

enum router_result {
    ROUTER_FOUND,
    ROUTER_NOT_FOUND, /* 404 */
    ROUTER_METHOD,    /* 405: the path is there for other methods; match.allow says which */
    ROUTER_BAD_PATH,  /* 400: a broken escape, "." or ".." as a segment, NUL */
};

struct router_match {
    const struct release_flow *flow; /* borrowed from the release */
    size_t parameters;
    struct run_parameter parameter[ROUTER_PARAMETERS_MAX]; /* decoded, in arena */
    char allow[96]; /* "GET, HEAD, POST" */
};

struct router;
/* The routes of a release; holds no reference: free it before the release. */
struct router *router_new(const struct release *release);
void router_free(struct router *r);
enum router_result router_find(const struct router *r, struct str method, struct str path, struct arena *arena,
                               struct router_match *match);

#endif
