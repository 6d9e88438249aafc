/* catalog.h — what workspace.json and settings.json say, and the flows beside them.
 *
 * The documents are checked by shape; settings.json may only give values to settings that
 * workspace.json declares, and of their schema's type. */
#ifndef FLOWLET_CATALOG_H
#define FLOWLET_CATALOG_H

#include "flow/folder.h"
#include "flow/shape.h"

struct flow;

struct catalog {
    struct str name, title;
    json_t *json;                     /* owned; workspace.json */
    json_t *values;                   /* owned; settings.json, {} where there is none */
    const json_t *settings, *secrets; /* declarations by name; NULL: none */
    struct flow *flows;               /* sorted by id; owned by whoever parsed them */
    size_t flow_count;
};

extern const struct shape workspace_shape, settings_shape;

/* False: findings say why. w is filled as far as it goes. */
bool catalog_parse(struct catalog *w, const struct folder *folder, struct findings *findings);
void catalog_release(struct catalog *w);
struct flow *catalog_find_flow(const struct catalog *w, struct str id); /* NULL: none */

/* A file of the folder as JSON, or NULL with a finding that has line and column. */
json_t *document_parse(const struct folder_file *file, struct findings *findings) MUST_USE;

#endif
