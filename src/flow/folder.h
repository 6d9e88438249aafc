/* folder.h — a workspace folder in memory: a few text files, by path.
 *
 *     struct folder *f = folder_new();
 *     folder_read(f, "workspaces/hello", err);      from disk
 *     folder_from_json(f, files, err);              from the API: {"flows/a.json": "text", ...}
 *     folder_format(f, &findings);                  canonical documents, where they can be read
 *     folder_write(f, dir, err);
 *
 * Paths are "NAME", "flows/NAME" or "examples/NAME", names [A-Za-z0-9_.-]+ that do not start with a dot; text is
 * UTF-8; numbers and sizes are limited. The canonical text of a canonical folder is the same
 * bytes, so what was pushed is what is pulled (docs/internals.md, sections 1 and 2). */
#ifndef FLOWLET_FOLDER_H
#define FLOWLET_FOLDER_H

#include "base/json.h"
#include "flow/finding.h"

#define FOLDER_FILES_MAX 1000
#define FOLDER_FILE_MAX (2u * 1024 * 1024)   /* bytes of one */
#define FOLDER_TOTAL_MAX (16u * 1024 * 1024) /* bytes of all */

struct folder_file {
    char *path; /* owned */
    char *text; /* owned, NUL-ended, no NUL inside */
    size_t len;
};

struct folder {
    struct folder_file *files; /* sorted by path */
    size_t count, cap;
    size_t total; /* bytes */
};

struct folder *folder_new(void);
void folder_free(struct folder *f); /* takes NULL */
struct folder *folder_copy(const struct folder *f);
/* Adds or replaces. Fails past a limit, for a path that is not allowed and for text that is not UTF-8. */
MUST_USE bool folder_set(struct folder *f, struct str path, struct str text, struct error *err);
/* Where there is one. */
void folder_remove(struct folder *f, struct str path);
const struct folder_file *folder_find(const struct folder *f, struct str path);
static inline struct str folder_text(const struct folder_file *file) { return str_of(file->text, file->len); }

/* From and to a directory. Entries that start with a dot are left out; links, other kinds of files
 * and names that are not allowed are refused. Writing deletes the workspace's flows, scripts and
 * examples that the folder does not have. */
MUST_USE bool folder_read(struct folder *f, const char *dir, struct error *err);
MUST_USE bool folder_write(const struct folder *f, const char *dir, struct error *err);

/* {"path": "text", ...} there and back. */
json_t *folder_to_json(const struct folder *f) MUST_USE;
MUST_USE bool folder_from_json(struct folder *f, const json_t *files, struct error *err);

/* Rewrites workspace.json, settings.json, flows/ *.json and examples/ *.json in canonical form. Documents that cannot
 * be read or have unknown keys stay as they are, with a finding each. False when there was one. */
bool folder_format(struct folder *f, struct findings *findings);

/* The folder's name of flows: "flows/ID.json" -> "ID"; false for other paths. */
bool folder_flow_id(const char *path, struct str *id);

#endif
