/* peers.h — servers for tests of clients: nginx with certificates made on the spot, and one that says what a test tells it.
 *
 *     peers_start(&p);  ... p.http, p.tls, ... (ports on 127.0.0.1), p.ca (a file) ...  peers_stop(&p); */
#ifndef FLOWLET_TEST_PEERS_H
#define FLOWLET_TEST_PEERS_H

#include <stdint.h>
#include <sys/types.h>

struct peers {
    char dir[64];
    char ca[96];
    uint16_t http;    /* plain */
    uint16_t tls;     /* good.test and 127.0.0.1, HTTP/2 */
    uint16_t old;     /* good.test and *.wild.test, HTTP/1.1 alone */
    uint16_t expired; /* good.test, but of the past */
    uint16_t unknown; /* good.test, of an authority that nobody knows */
    uint16_t closed;  /* nobody listens */
    pid_t nginx;
};
void peers_start(struct peers *p);
void peers_stop(struct peers *p);

/* Takes connections one after another; reads a request's head, says the next of the lines of `says` (NULL-ended), and
 * closes. "-" says nothing and stays; after "~..." the connection is kept for one more line. Counts the heads it has read.
 * says must outlive the test. */
struct speaker {
    const char *const *says;
    int heads;
    uint16_t port;
    int fd;
};
void speaker_start(struct speaker *s, const char *const *says);

#endif
