/* settings.h — whether the values of settings fit their schemas, which only the toolbox can say.
 *
 *     settings_ask(&s, catalog, codes);       before the toolbox is asked
 *     settings_report(&s, findings);          with its answer
 *     settings_release(&s); */
#ifndef FLOWLET_SETTINGS_H
#define FLOWLET_SETTINGS_H

#include "flow/catalog.h"
#include "flow/code.h"

struct settings {
    struct arena arena; /* with what was asked */
    struct setting_value *first;
};

/* Values of settings.json, and in workspace.json what a setting is by default and in practice. */
void settings_ask(struct settings *s, const struct catalog *w, struct codes *codes);
void settings_report(const struct settings *s, struct findings *findings);
void settings_release(struct settings *s); /* may be called twice */

#endif
