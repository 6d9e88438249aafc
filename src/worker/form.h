/* form.h — bodies of HTML forms, which come from anybody.
 *
 *     form_reader_init(&r, body);
 *     while ((got = form_reader_next(&r, &field, &err)) > 0) ...       -1: err says why it is refused
 *     form_reader_release(&r);
 *
 * The same with multipart_reader. What a field or part points to lives until the next call. Nothing is trusted to be
 * UTF-8. Urlencoded text is read as the URL Standard says, which refuses nothing but too many fields; multipart/form-data
 * (RFC 7578, RFC 2046) is read strictly: no preamble, no folded or repeated headers, no bare line feeds. */
#ifndef FLOWLET_FORM_H
#define FLOWLET_FORM_H

#include "base/buf.h"

#define FORM_FIELDS_MAX 1000
#define FORM_PART_HEADERS_MAX 8192 /* bytes */

struct form_field {
    struct str name, value;
};
struct form_reader {
    struct str rest; /* borrowed */
    struct buf name, value;
    unsigned count;
};
void form_reader_init(struct form_reader *r, struct str body);
void form_reader_release(struct form_reader *r);
int form_reader_next(struct form_reader *r, struct form_field *field, struct error *err);

struct multipart_part {
    struct str name, filename, type; /* type: {NULL, 0} when none was given */
    struct str bytes;                /* borrowed from the body */
    bool is_file;                    /* it has a filename, if an empty one */
};
struct multipart_reader {
    struct str rest;
    struct buf delimiter; /* CRLF, two dashes, boundary */
    struct buf name, filename;
    unsigned count;
    bool started, ended;
};
void multipart_reader_init(struct multipart_reader *r, struct str body, struct str boundary);
void multipart_reader_release(struct multipart_reader *r);
int multipart_reader_next(struct multipart_reader *r, struct multipart_part *part, struct error *err);

#endif
