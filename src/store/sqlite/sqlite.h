/* sqlite.h — what tests need of the SQLite backend besides store.h. */
#ifndef FLOWLET_STORE_SQLITE_H
#define FLOWLET_STORE_SQLITE_H

#include "store/store.h"

/* store_open on another VFS than the system's (https://www.sqlite.org/vfs.html): one that loses power. */
struct store *store_open_on(struct loop *l, const char *dir, const char *vfs, struct error *err);

#endif
