/* httpd_head.h — what a request's head must look like; httpd.c's own. Pure functions, for any thread. */
#ifndef FLOWLET_HTTPD_HEAD_H
#define FLOWLET_HTTPD_HEAD_H

#include "net/httpd.h"

/* As libmicrohttpd hands it over, all pointing into its buffer. */
struct httpd_head {
    struct str method, target, path, version; /* path: the target's, without its query */
    const struct httpd_field *fields;
    size_t field_count;
    size_t size; /* bytes, from the method to the empty line's end */
};

/* 0 when the head is as RFC 9112 wants it, else the status to refuse it with, and why: a sentence for the caller. */
int httpd_check_head(const struct httpd_head *h, const char **why);

/* RFC 9110, 5.6.2: a method, a header's name. */
bool httpd_is_token(struct str s);
/* Without control characters but tabs. */
bool httpd_is_value(struct str s);

#endif
