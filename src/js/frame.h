/* frame.h — what server and worker say to each other: docs/internals.md, section 4.
 *
 *     frame_begin(&out, FRAME_START, run);        out: a struct buf that collects
 *     frame_section(&out, head); frame_section(&out, body);
 *     frame_end(&out);                            splits into parts where it must
 *
 *     struct frame_reader in;                     one for each direction
 *     frame_reader_feed(&in, bytes, err);
 *     while ((r = frame_reader_next(&in, &frame, err)) > 0) ...
 *
 * The reader trusts nothing: kinds, sizes, flags, the number of unfinished frames and their
 * bytes are checked, and each failure says what was wrong.
 *
 * Run numbers are below 2^53, so that they are numbers in JavaScript too. */
#ifndef FLOWLET_FRAME_H
#define FLOWLET_FRAME_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/map.h"

#define FRAME_HEADER_SIZE 16
#define FRAME_PART_MAX (1024 * 1024)            /* payload bytes of one part */
#define FRAME_JOINED_MAX (16 * 1024 * 1024)     /* payload bytes of all parts together */
#define FRAME_OPEN_MAX 64                       /* frames whose parts are still coming */
#define FRAME_OPEN_BYTES_MAX (64 * 1024 * 1024) /* what these may hold together */
#define FRAME_FLAG_MORE 1                       /* another part of the same frame follows */
#define FRAME_RUN_MAX ((1ull << 53) - 1)

enum frame_kind {
    /* to the worker */
    FRAME_FLOW = 1,
    FRAME_PREPARE = 2,
    FRAME_START = 3,
    FRAME_RESULT = 4,
    FRAME_CANCEL = 5,
    FRAME_JOB = 6,
    FRAME_WATCH = 7,
    FRAME_PARK = 8,
    /* to the server */
    FRAME_READY = 33,
    FRAME_PREPARED = 34,
    FRAME_ASK = 35,
    FRAME_RECORD = 36,
    FRAME_RESPOND = 37,
    FRAME_FINISH = 38,
    FRAME_LOG = 39,
    FRAME_JOB_DONE = 40,
    FRAME_EVENT = 41,
    FRAME_PARKED = 42,
};

/* Writing. Nothing else may be added to `out` between begin and end. False (and out as
 * before the frame) when the frame is past FRAME_JOINED_MAX or out's maximum. */
struct frame_writer {
    struct buf *out; /* borrowed */
    size_t start;    /* where the frame begins in out */
    bool over;
};
struct frame_writer frame_begin(struct buf *out, enum frame_kind kind, uint64_t run);
void frame_section(struct frame_writer *w, struct str bytes);
/* A section written in place: room for at most max bytes, then how many it became. NULL: too large,
 * frame_end will say so. */
char *frame_section_room(struct frame_writer *w, size_t max);
void frame_section_done(struct frame_writer *w, size_t len);
MUST_USE bool frame_end(struct frame_writer *w);

/* Reading. */
struct frame {
    enum frame_kind kind;
    uint64_t run;
    struct str payload; /* borrowed from the reader until the next call of it */
};
struct frame_reader {
    struct buf in;     /* bytes not yet consumed */
    size_t done;       /* of these, already handed out */
    struct map parts;  /* run -> struct joined: frames whose parts are still coming */
    size_t open_bytes; /* in these */
    struct buf joined; /* what the last frame was handed out from, when it had parts */
    bool to_worker;    /* which kinds are legal */
};
void frame_reader_init(struct frame_reader *r, bool to_worker);
void frame_reader_release(struct frame_reader *r);
MUST_USE bool frame_reader_feed(struct frame_reader *r, struct str bytes, struct error *err);
/* Reads once from a descriptor, at most FRAME_READ_MAX bytes, without copying. Bytes read; 0: its end;
 * -1 as read(2). */
#define FRAME_READ_MAX (256 * 1024)
ssize_t frame_reader_read(struct frame_reader *r, int fd);
/* 1: *frame is the next one; 0: more bytes are needed; -1: the other side broke the rules. */
int frame_reader_next(struct frame_reader *r, struct frame *frame, struct error *err);

/* Takes the next section off a payload. False at the end or when it is cut short. */
MUST_USE bool frame_take_section(struct str *payload, struct str *section);

#endif
