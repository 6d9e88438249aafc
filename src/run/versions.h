/* versions.h — what a flow is at one time, and the saves of it that are kept.
 *
 *     content = content_of(folder, STR("hello"));          {"document": {...}, "scripts": {"flows/greet.ts": "..."}}
 *     content_lay_over(folder, STR("hello"), content, err); into a folder, in the place of what is there
 *     ...
 *     versions_published(tx, workspace, contents, &by, release, err);   a version of each flow that it changes
 *
 * A version is published when its content is that of a release, else it is a draft. The newest of a flow is what an
 * editor goes on with; `state` tells how it stands to what runs: published, draft (nothing of it runs), changed
 * (something older runs). */
#ifndef FLOWLET_VERSIONS_H
#define FLOWLET_VERSIONS_H

#include "flow/folder.h"
#include "store/store.h"

/* Who saved, and what he says of it. */
struct save {
    struct str author, message;
};

/* NULL: the folder has no such flow, or its document is no JSON object. */
json_t *content_of(const struct folder *folder, struct str flow) MUST_USE;
/* {"ID": content, ...} of all. */
json_t *contents_of(const struct folder *folder) MUST_USE;
/* content NULL: takes the flow out, with its scripts that no other flow names. */
MUST_USE bool content_lay_over(struct folder *folder, struct str flow, const json_t *content, struct error *err);

/* In one transaction with the release itself. */
MUST_USE bool versions_published(struct store_tx *tx, int64_t workspace, const json_t *contents, const struct save *by,
                                 int64_t release, struct error *err);

/* How a flow stands, by its newest row and the newest that was published (NULL: none): "published", "draft", "changed",
 * "deleted". */
const char *version_state(const struct version_row *newest, const struct version_row *published);

#endif
