/* link.h — what a worker process is given besides the frames on its socket.
 *
 * It is executed as `flowlet worker [--toolbox | --checker] [--memory-mb N] [--entry-ms N]` with an environment that holds the
 * engine's options alone and with these descriptors: 0 and 1 are /dev/null, 2 is the server's until the worker is
 * sealed, then /dev/null too, 3 and 4 are below. Nothing else is open. */
#ifndef FLOWLET_LINK_H
#define FLOWLET_LINK_H

#include <stdatomic.h>
#include <stdint.h>

#define LINK_SOCKET 3 /* a stream socket: frames both ways */
#define LINK_PAGE 4   /* a memfd of one struct link_page; sealed, so that it can't shrink */

/* Written by the worker, read by the server, which believes none of it: it only serves to blame a run,
 * to spread load and to notice early that a worker wants to be replaced. */
struct link_page {
    _Atomic uint64_t run;      /* whose entry into the engine is under way; 0: nobody's */
    _Atomic uint64_t entries;  /* frames done, each one entry; during one the number before it */
    _Atomic uint32_t busy;     /* 1 during an entry */
    _Atomic uint32_t draining; /* 1 from then on: too much memory stays in use, give it no more runs */
};

/* How a worker says with its exit status why it ended itself. */
enum link_exit {
    LINK_EXIT_CLOSED = 0,  /* the server closed the socket */
    LINK_EXIT_USAGE = 2,   /* arguments, or not started by the server */
    LINK_EXIT_CPU = 81,    /* the entry under way took too much CPU time and could not be interrupted */
    LINK_EXIT_MEMORY = 82, /* the same for memory */
    LINK_EXIT_FAULT = 83,  /* a fault inside the worker; said on descriptor 2 */
};

#endif
