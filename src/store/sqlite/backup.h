/* backup.h — a copy of the whole file as it is at one moment, while others write (store_backup).
 *
 * The copy is taken from one read transaction, so it is consistent, and others' commits neither wait for it nor make it
 * begin anew; until it is over the write-ahead log grows. It goes by SQLite's backup API
 * (https://www.sqlite.org/backup.html), page by page in steps, each of them on the disk before the next one, so that no
 * commit finds a long queue there. */
#ifndef FLOWLET_STORE_BACKUP_H
#define FLOWLET_STORE_BACKUP_H

#include <stdatomic.h>

#include "store/sqlite/tx.h"

/* Shared with the thread that copies. */
struct backup {
    atomic_bool cancel;                        /* set to end it soon, with ERR_CANCELED */
    _Atomic int64_t copied_bytes, total_bytes; /* 0: not known yet */
    store_progress_fn *tell;                   /* after each step, from the thread that copies; or NULL */
};

/* to must not be there (ERR_CONFLICT); it is 0600, and gone again after a failure. vfs: of `from`; NULL: the system's. */
MUST_USE bool backup_copy(struct backup *b, const char *from, const char *vfs, const char *to, struct error *err);

#endif
