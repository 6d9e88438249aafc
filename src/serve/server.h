/* server.h — `flowlet serve`: everything opened in its order, run, and closed in the other.
 *
 *     server_run(&options, err);       until SIGTERM or SIGINT: then it drains
 *
 * Prints one line to standard output when it answers: "ready listen=URL console=URL"; behind it, in practice mode, what to try. */
#ifndef FLOWLET_SERVER_H
#define FLOWLET_SERVER_H

#include "config/options.h"

/* True after a polite end. ERR_INVALID when a folder of --workspace has errors, which were printed. */
MUST_USE bool server_run(const struct options *options, struct error *err);

#endif
