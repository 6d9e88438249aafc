/* mail_text.h — a MIME message as a person reads it: the headers that matter, decoded, and its text.
 *
 * For mails that Flowlet wrote itself (net/mime.h); what it can't decode is shown as it is. */
#ifndef FLOWLET_MAIL_TEXT_H
#define FLOWLET_MAIL_TEXT_H

#include "base/buf.h"

/* From, To, Cc and Subject, an empty line, the text; of HTML alone its source. Line ends are LF. */
void mail_text(struct str message, struct buf *out);

#endif
