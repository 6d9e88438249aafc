/* resume_page.h — what a link's page shows, as HTML and as JSON, and what its form gives back. Thread: any. */
#ifndef FLOWLET_RESUME_PAGE_H
#define FLOWLET_RESUME_PAGE_H

#include "base/arena.h"
#include "run/links.h"

/* A whole HTML document. wrong: a sentence about what was posted; NULL: nothing. given: what its form is filled with; may be
 * NULL. */
void resume_page_html(const struct link_view *view, const char *wrong, const json_t *given, struct buf *out);
json_t *resume_page_json(const struct link_view *view) MUST_USE;
/* "used", "open", ... */
const char *link_state_name(enum link_state s);

/* The answer that a form's fields or a JSON value give, by the page's fields. NULL with err, a sentence for people. New. */
json_t *resume_answer(const json_t *page, struct str body, bool is_json, struct error *err) MUST_USE;
/* The posted form as {name: text}. New. */
json_t *resume_form(struct str body) MUST_USE;

#endif
