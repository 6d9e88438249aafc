/* resume.h — the pages behind links that end a Wait (run/links.h), on the public listener below /.flowlet/.
 *
 * GET shows what is to be confirmed, with a button and no JavaScript; it changes nothing, so that who only looks (a mail
 * program, a chat's preview) ends nothing. POST acts, once: a form, or JSON. With `Accept: application/json` both answer JSON.
 *
 *     GET   200 open, used, not yet (that page loads itself again)   404 unknown, wrong signature   410 expired, over
 *     POST  200 it was this one   400 fields missing or wrong   409 used before, not yet   410 expired, over   503 try again
 *
 * Thread: the loop's. */
#ifndef FLOWLET_RESUME_H
#define FLOWLET_RESUME_H

#include "net/httpd.h"
#include "run/links.h"

#define OWN_PATHS "/.flowlet/" /* are never a flow's */

/* The listener's calls for a request whose path starts with OWN_PATHS. */
void resume_head(struct runs *runs, struct httpd_request *rq);
void resume_request(struct httpd_request *rq);

#endif
