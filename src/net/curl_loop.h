/* curl_loop.h — libcurl's multi interface on the loop, for everything here that uses libcurl.
 *
 *     curl_loop_add(c, &t);        t.easy is set up; t.done is called once, later
 *     curl_loop_remove(c, &t);     ends it silently; also after done, when the handle has to stay
 *                                  for a while (CURLOPT_CONNECT_ONLY)
 *
 * A transfer stays in the multi handle until it is removed: done does that first, as a rule.
 * The easy handle is the caller's. Thread: the loop's. */
#ifndef FLOWLET_CURL_LOOP_H
#define FLOWLET_CURL_LOOP_H

#include <curl/curl.h>

#include "net/loop.h"

struct curl_loop;

/* To embed. */
struct curl_transfer {
    CURL *easy;
    /* May remove t and free it. */
    void (*done)(struct curl_transfer *t, CURLcode code);
};

struct curl_loop *curl_loop_new(struct loop *l);
/* All transfers must have been removed. Takes NULL. */
void curl_loop_free(struct curl_loop *c);
/* The multi handle, to set options (limits of connections and the like) on. */
CURLM *curl_loop_multi(struct curl_loop *c);
/* For CURLOPT_OPENSOCKETFUNCTION: a socket that is watched until libcurl closes it. */
curl_socket_t curl_loop_open(struct curl_loop *c, int family, int type, int protocol);
void curl_loop_add(struct curl_loop *c, struct curl_transfer *t);
void curl_loop_remove(struct curl_loop *c, struct curl_transfer *t);

#endif
