/* practice.h — what somebody in practice mode could not make up: a signed webhook to try.
 *
 *     practice_print(workspaces, "http://127.0.0.1:8080");
 *
 * For each endpoint of a workspace in practice mode that takes PagerDuty's webhooks: a curl line on standard output, signed with the
 * generated secret of practice mode. Live secrets are never looked at. Thread: the loop's. */
#ifndef FLOWLET_PRACTICE_H
#define FLOWLET_PRACTICE_H

#include "run/workspaces.h"

void practice_print(struct workspaces *all, const char *public_url);

#endif
