/* seal.h — what a worker may no longer do, layer by layer.
 *
 *     seal_descriptors(&seal);            first; what is opened after it stays open
 *     seal_process(&seal, namespaces);    on the main thread, before there are others
 *     ... the engine is made, on its own thread ...
 *     seal_calls(&seal);                  on any thread, binds all of them; only then may users' code run
 *     seal_write(&seal, &json);           what holds, for the server, which decides whether that is enough
 *
 * Each layer stands alone, so that one the system lacks costs no other. Nothing here can be undone, and
 * nothing fails as a whole: a layer that does not hold says why.
 *
 * Under the sanitizers descriptor 2 stays open for their reports and a few more system calls are allowed
 * (see seal_calls.c); everything else is the same. */
#ifndef FLOWLET_SEAL_H
#define FLOWLET_SEAL_H

#include "base/buf.h"

#define SEAL_LAYERS_MAX 16

struct seal_layer {
    const char *name;
    bool holds;
    bool must;    /* without it the server refuses to work, unless told otherwise */
    char why[96]; /* it does not */
};

struct seal {
    struct seal_layer layers[SEAL_LAYERS_MAX];
    size_t count;
};

void seal_descriptors(struct seal *s);
/* namespaces: the CLONE_NEW* flags that this process was made with. */
void seal_process(struct seal *s, unsigned namespaces);
void seal_calls(struct seal *s);
/* Adds {"layers": [{"name", "holds", "must", "why"?}]}. */
void seal_write(const struct seal *s, struct buf *out);

/* For the parts of this module. `ok` false: why is errno's text after what. */
void seal_note(struct seal *s, const char *name, bool must, bool ok, const char *what);

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SEAL_SANITIZED 1
#else
#define SEAL_SANITIZED 0
#endif

#endif
