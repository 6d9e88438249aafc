/* own_server.h — a server for as long as a command runs: a process of its own, on free ports of loopback, with its data in
 * a temporary folder. It ends with the command, whatever happens to that. */
#ifndef FLOWLET_OWN_SERVER_H
#define FLOWLET_OWN_SERVER_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"

struct own_server {
    char dir[256]; /* "": it is not there */
    pid_t pid;
    const char *console, *data; /* its URL; its folder: in the arena */
};

/* Practice mode, with this workspace published. False: err has what it said. */
MUST_USE bool own_server_start(struct own_server *s, const char *workspace, struct arena *arena, struct error *err);
/* Takes one that was not started. */
void own_server_stop(struct own_server *s);

#endif
