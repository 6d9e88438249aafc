/* encoding.h — answers compressed for the way (RFC 9110, 8.4): gzip, where the caller takes it and it pays.
 *
 * Text above 1 KB, not encoded by the flow itself, without an ETag (which names the bytes as they are) and without
 * Cache-Control: no-transform. What is above 256 KB would hold up the loop and goes as it is. Thread: any. */
#ifndef FLOWLET_ENCODING_H
#define FLOWLET_ENCODING_H

#include "base/buf.h"
#include "net/httpd.h"

#define ENCODING_BODY_MIN 1024
#define ENCODING_BODY_MAX (256 * 1024)

/* Whether such an answer depends on Accept-Encoding, and so says Vary. */
bool encoding_may_be_used(int status, const struct httpd_field *fields, size_t n, struct str body);
/* Whether a request's Accept-Encoding takes gzip (RFC 9110, 12.5.3). */
bool encoding_accepts_gzip(struct str accept);
/* False where it is no shorter. */
MUST_USE bool encoding_gzip(struct str body, struct buf *out);

#endif
