/* compile.h — a checked flow to its plan: the text of one JavaScript function and the units it
 * names (docs/internals.md, section 3).
 *
 * Texts come from the document and from the toolbox; everything else that goes into the plan is
 * written as a JSON literal, so that no text of a document is ever code unless it was meant to be. */
#ifndef FLOWLET_COMPILE_H
#define FLOWLET_COMPILE_H

#include "flow/flow.h"

#define PLAN_MAX (8u * 1024 * 1024)

/* Fills out->plan and out->units, in arena; the rest of out must be there. False: a finding says why. */
bool flow_compile(const struct flow *flow, struct release_flow *out, struct arena *arena, struct findings *findings);

/* The Start's names that are sent only where something reads them; ends with one without a name. */
struct need_name {
    const char *name;
    enum flow_need need;
};
extern const struct need_name need_names[];

/* The names that a flow's own texts and mappings use, as sets of strings (JSON objects {"NAME": true}). */
struct flow_uses {
    json_t *settings, *secrets, *flows; /* owned */
    unsigned needs;                     /* of enum flow_need */
};
void flow_uses_gather(const struct flow *flow, struct flow_uses *uses);
void flow_uses_release(struct flow_uses *uses);

#endif
