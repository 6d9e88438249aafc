/* route.h — the rows that the API is made of: one an operation, one file a resource.
 *
 * To add an operation, add a row to a resource's table, and the function that it names:
 *
 *     static const struct api_route routes[] = {
 *         {.method = "GET", .path = API_WORKSPACE "/outbox", .permission = PERMISSION_RUNS_READ, .name = "listOutbox",
 *          .about = "What practice mode captured, oldest first.",
 *          .query = SHAPE_KEYS({"limit", &limit, false, "how many at most (1000)"}),
 *          .answers = API_ANSWERS({200, &page, "a page"}), .run = list},
 *         ...
 *     };
 *     const struct api_resource api_resource_outbox = API_RESOURCE("Outbox", routes);
 *
 * To add a resource, write such a file and add its line to resources.def. All the rest is made from the rows: dispatch,
 * HEAD and 405, the token's permission, what query and body may hold and how large they are (faults are answered 400,
 * each with its pointer), ETag and 304 of every GET, the OpenAPI document, docs/api.md (`make docs` writes it) and the tests'
 * requests. `run` finds the checked values in c->query and c->body (call.h).
 *
 * Shapes (flow/shape.h) describe values; one with a `ref` is named in the document. What a path's {name} stands for is
 * said in parameters.def. */
#ifndef FLOWLET_API_ROUTE_H
#define FLOWLET_API_ROUTE_H

#include "auth/tokens.h"
#include "flow/shape.h"

#define API_WORKSPACE "/api/v1/workspaces/{workspace}"

struct api_call;

struct api_answer {
    int status;
    const struct shape *shape; /* NULL: text, or nothing */
    const char *about;
};

struct api_route {
    const char *method, *path;
    enum permission permission; /* PERMISSION_NONE: no token is needed */
    const char *name, *about;   /* "listRuns"; what it does, in a sentence or two */
    const struct shape_key *query;
    const struct shape *body; /* an object; NULL: none is read */
    size_t body_max;          /* bytes; 0: API_BODY_STANDARD */
    const struct api_answer *answers;
    const char *type;   /* of an answer that is no JSON; NULL: it is */
    const char *errors; /* statuses that it may answer beside those that follow from the row: "409 412" */
    /* If-Match: whether it is heeded, or must be there (428). Where two people edit for a while what is stored as a
     * whole, the second must not overwrite what he never saw; what is one value, set at once, needs no such care. */
    enum { MATCH_NONE, MATCH_MAY, MATCH_MUST } match;
    bool any_scope; /* without {workspace}, and yet for tokens of single workspaces: they see only theirs */
    void (*run)(struct api_call *c);
};

#define API_ANSWERS(...) ((const struct api_answer[]){__VA_ARGS__, {0}})
#define API_BODY_STANDARD ((size_t)64 * 1024)

struct api_resource {
    const char *title;
    const struct api_route *routes;
    size_t count;
};
#define API_RESOURCE(title, routes)                                                                                              \
    { title, routes, ARRAY_LEN(routes) }

#define X(name) extern const struct api_resource api_resource_##name;
#include "api/resources.def"
#undef X

/* for (size_t i = 0; (r = api_resources[i]); i++) */
extern const struct api_resource *const api_resources[];

/* Of the values of several resources. */
extern const struct shape api_time;   /* ms since 1970 */
extern const struct shape api_number; /* a whole one, not negative */
extern const struct shape api_time_or_null, api_text_or_null, api_mode, api_findings;
extern const struct shape api_message; /* of a save */
extern const struct shape api_nothing; /* {} */
/* Query of lists that are short enough to be made whole: api_page (call.h) cuts them. */
#define API_PAGE_MAX 1000
#define API_PAGE_QUERY                                                                                                           \
    SHAPE_KEYS({"after", &api_cursor, false, "those after this one: `next` of the page before"},                                 \
               {"limit", &api_page_limit, false, "how many at most (1000)"})
#define API_PAGE_NEXT                                                                                                            \
    { "next", &shape_text, false, "`after` of the next page; left out: there is none" }
extern const struct shape api_page_limit;
extern const struct shape api_cursor; /* of a list's next page */

/* What {name} in a path stands for; NULL: not known. */
const char *api_parameter_about(struct str name);
/* The document of all rows, OpenAPI 3.1. */
json_t *api_openapi(void) MUST_USE;
/* The part of docs/api.md that is made from them, between the lines of these two texts. */
#define API_REFERENCE_BEGIN "<!-- made by `make docs` from src/api: do not edit -->\n"
#define API_REFERENCE_END "<!-- end of what `make docs` made -->\n"
void api_reference(struct buf *out);

#endif
