/* backup.c — see backup.h. */
#include "store/sqlite/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define PAGE_BYTES 4096 /* SQLite's own choice, which the store leaves at that */
#define STEP_PAGES 1024

/* What the copy's own connection says, or the source's. */
static bool fail(struct store_tx *source, sqlite3 *copy, const char *to, int result, struct error *err) {
    int system = sqlite3_system_errno(copy);
    if ((result & 0xff) == SQLITE_FULL || system == ENOSPC || system == EDQUOT)
        return error_set(err, ERR_DISK_FULL, "%s: the disk is full: free some space, and begin the backup anew", to);
    return error_set(err, ERR_IO, "%s: %s (of the store: %s)", to, system ? strerror(system) : sqlite3_errstr(result),
                     sqlite3_errmsg(source->db));
}

static bool copy_steps(struct backup *b, sqlite3_backup *steps, int fd, int *result) {
    do {
        *result = sqlite3_backup_step(steps, STEP_PAGES);
        int64_t pages = sqlite3_backup_pagecount(steps), left = sqlite3_backup_remaining(steps);
        b->total_bytes = pages * PAGE_BYTES;
        b->copied_bytes = (pages - left) * PAGE_BYTES;
        if (b->tell)
            b->tell(b->copied_bytes, b->total_bytes);
        if (*result == SQLITE_OK && fdatasync(fd) < 0)
            *result = SQLITE_IOERR;
    } while (*result == SQLITE_OK && !b->cancel);
    return *result == SQLITE_DONE;
}

static bool copy(struct backup *b, struct store_tx *source, sqlite3 *target, int fd, const char *to, struct error *err) {
    int64_t ignored;
    /* The read transaction begins with the first look. */
    if (!tx_exec(source, err, "BEGIN", "") || !tx_int(source, "SELECT count(*) FROM sqlite_schema", &ignored, err))
        return false;
    sqlite3_backup *steps = sqlite3_backup_init(target, "main", source->db, "main");
    int result = steps ? SQLITE_OK : sqlite3_errcode(target);
    bool ok = steps && copy_steps(b, steps, fd, &result);
    int ended = sqlite3_backup_finish(steps);
    tx_roll_back(source);
    if (ok && ended == SQLITE_OK)
        return fdatasync(fd) == 0 || error_errno(err, to);
    if (!ok && result == SQLITE_OK)
        return error_set(err, ERR_CANCELED, "the backup was canceled");
    return fail(source, target, to, ok ? ended : result, err);
}

bool backup_copy(struct backup *b, const char *from, const char *vfs, const char *to, struct error *err) {
    sqlite3 *target = NULL;
    struct store_tx *source = NULL;
    bool ok = false;
    int fd = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? error_set(err, ERR_CONFLICT, "%s is there already: a backup goes into a new file", to)
                               : error_errno(err, to);
    source = tx_open(from, vfs, true, err);
    if (!source)
        goto out;
    int result = sqlite3_open_v2(to, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    /* Nobody else sees the copy before it is whole: no journal of its own, and we sync it. */
    if (result == SQLITE_OK)
        result = sqlite3_exec(target, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL, NULL);
    ok = result == SQLITE_OK ? copy(b, source, target, fd, to, err) : fail(source, target, to, result, err);
out:
    sqlite3_close(target);
    tx_close(source);
    close(fd);
    if (!ok)
        unlink(to);
    return ok;
}
