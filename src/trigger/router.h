/* router.h — which flow answers a request.
 *
 *     router_find(r, method, path, arena, &match)
 *
 * Paths are kept as written (case, trailing slash) and compared segment by segment, each
 * percent-decoded by itself, so that an escaped slash never splits one. A literal segment goes
 * before a parameter; where that leads nowhere, or to other methods only, the parameter is tried.
 * A parameter matches any segment that is not empty. HEAD is answered by GET's flow where it has
 * none of its own (RFC 9110, 9.3.2), and the server can answer OPTIONS itself (9.3.7), so Allow has both. Of two flows with the
 * same method and pattern the first by id wins. Paths below /.flowlet/ are the server's: no flow is found there.
 *
 * Routes without parameters are found by one look into a hash table. */
#ifndef FLOWLET_ROUTER_H
#define FLOWLET_ROUTER_H

#include "base/arena.h"
#include "run/runs.h"

#define ROUTER_PARAMETERS_MAX 16
#define ROUTER_SEGMENTS_MAX 64

enum router_result {
    ROUTER_FOUND,
    ROUTER_NOT_FOUND, /* 404 */
    ROUTER_METHOD,    /* 405: the path is there for other methods; match.allow says which */
    ROUTER_BAD_PATH,  /* 400: no '/' in front, a broken escape, "." or ".." as a segment, NUL, no UTF-8 */
};

struct router_match {
    const struct release_flow *flow; /* borrowed from the release */
    size_t parameters;
    struct run_parameter parameter[ROUTER_PARAMETERS_MAX]; /* decoded, in arena or in the path */
    char allow[96];                                        /* "GET, HEAD, OPTIONS, POST" */
};

struct router;
/* The routes of a release; holds no reference: free it before the release. */
struct router *router_new(const struct release *release);
void router_free(struct router *r); /* takes NULL */
/* The method is an HTTP method as sent; the path is as sent, without the query. match is written in any case. */
enum router_result router_find(const struct router *r, struct str method, struct str path, struct arena *arena,
                               struct router_match *match);

#endif
