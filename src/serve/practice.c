/* practice.c — see practice.h. */
#include "serve/practice.h"

#include <inttypes.h>

#include "base/clock.h"
#include "trigger/signature.h"

/* Somebody took over: about the incident of a press that named no site. The event's id is new each time the server starts. */
static void write_event(const struct workspace *w, struct buf *out) {
    buf_addf(out,
             "{\"event\":{\"id\":\"PRACTICE%" PRId64
             "\",\"event_type\":\"incident.acknowledged\",\"agent\":{\"summary\":\"Ada Lovelace\"},"
             "\"data\":{\"type\":\"incident\",\"title\":\"Practice\",\"incident_key\":\"" STR_FMT "/site\"}}}",
             clock_now_ms(), STR_ARG(w->name));
}

static void print_webhook(struct workspace *w, const struct release_flow *flow, struct str secret_name, const char *url) {
    char signature[SIGNATURE_TEXT];
    struct buf secret, event;
    buf_init(&secret, VAULT_VALUE_MAX);
    buf_init(&event, 1024);
    write_event(w, &event);
    if (buf_ok(&event) && vault_text(workspace_vault(w, 'p'), secret_name, &secret)) {
        signature_pagerduty_v3_write(buf_str(&secret), buf_str(&event), signature);
        printf("\nPagerDuty's news, signed as it would come (the same one again is handled once):\n\n"
               "    curl -i %s" STR_FMT " -H 'Content-Type: application/json' -H 'X-PagerDuty-Signature: %s' -d '%s'\n\n",
               url, STR_ARG(flow->path), signature, event.ptr);
    }
    buf_release(&secret);
    buf_release(&event);
}

void practice_print(struct workspaces *all, const char *public_url) {
    struct workspace *w;
    for (size_t i = 0; (w = workspaces_at(all, i)); i++) {
        for (size_t f = 0; w->mode == 'p' && w->release && f < w->release->flow_count; f++) {
            const struct release_flow *flow = &w->release->flows[f];
            for (size_t a = 0; a < flow->access_count; a++)
                if (flow->access[a].type == ACCESS_PAGERDUTY_V3)
                    print_webhook(w, flow, flow->access[a].secret, public_url);
        }
    }
    fflush(stdout);
}
