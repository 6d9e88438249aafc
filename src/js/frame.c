/* frame.c — see frame.h. */
#include "js/frame.h"

#include <endian.h>
#include <unistd.h>

struct joined {
    enum frame_kind kind;
    struct buf bytes;
};

static void put_header(char *at, size_t payload, enum frame_kind kind, uint8_t flags, uint64_t run) {
    uint32_t size = htole32((uint32_t)payload);
    uint64_t number = htole64(run);
    memcpy(at, &size, 4);
    at[4] = (char)kind;
    at[5] = (char)flags;
    at[6] = at[7] = 0;
    memcpy(at + 8, &number, 8);
}

struct frame_writer frame_begin(struct buf *out, enum frame_kind kind, uint64_t run) {
    struct frame_writer w = {.out = out, .start = out->len};
    char *at = buf_room(out, FRAME_HEADER_SIZE);
    w.over = !at;
    if (at) {
        put_header(at, 0, kind, 0, run);
        out->len += FRAME_HEADER_SIZE;
    }
    return w;
}

char *frame_section_room(struct frame_writer *w, size_t max) {
    char *at = w->over ? NULL : buf_room(w->out, 4 + max);
    w->over = !at;
    return at ? at + 4 : NULL;
}

void frame_section_done(struct frame_writer *w, size_t len) {
    if (w->over)
        return;
    uint32_t size = htole32((uint32_t)len);
    memcpy(w->out->ptr + w->out->len, &size, 4);
    w->out->len += 4 + len;
}

void frame_section(struct frame_writer *w, struct str bytes) {
    char *at = frame_section_room(w, bytes.len);
    if (at && bytes.len)
        memcpy(at, bytes.ptr, bytes.len);
    frame_section_done(w, bytes.len);
}

/* Makes room for one header in front of each part after the first, from the last part backwards. */
static bool split(struct frame_writer *w, size_t payload) {
    size_t parts = (payload + FRAME_PART_MAX - 1) / FRAME_PART_MAX;
    if (!buf_room(w->out, (parts - 1) * FRAME_HEADER_SIZE))
        return false;
    char *frame = w->out->ptr + w->start;
    enum frame_kind kind = (enum frame_kind)(uint8_t)frame[4];
    uint64_t run;
    memcpy(&run, frame + 8, 8);
    run = le64toh(run);
    for (size_t i = parts; i-- > 0;) {
        size_t at = i * FRAME_PART_MAX, size = i == parts - 1 ? payload - at : FRAME_PART_MAX;
        char *part = frame + i * (FRAME_HEADER_SIZE + FRAME_PART_MAX);
        memmove(part + FRAME_HEADER_SIZE, frame + FRAME_HEADER_SIZE + at, size);
        put_header(part, size, kind, i == parts - 1 ? 0 : FRAME_FLAG_MORE, run);
    }
    w->out->len += (parts - 1) * FRAME_HEADER_SIZE;
    return true;
}

bool frame_end(struct frame_writer *w) {
    size_t payload = w->over ? 0 : w->out->len - w->start - FRAME_HEADER_SIZE;
    if (!w->over && payload <= FRAME_PART_MAX) {
        uint32_t size = htole32((uint32_t)payload);
        memcpy(w->out->ptr + w->start, &size, 4);
        return true;
    }
    if (!w->over && payload <= FRAME_JOINED_MAX && split(w, payload))
        return true;
    w->out->len = w->start;
    w->out->over = false;
    return false;
}

void frame_reader_init(struct frame_reader *r, bool to_worker) {
    *r = (struct frame_reader){.to_worker = to_worker};
    buf_init(&r->in, 4 * FRAME_PART_MAX);
    buf_init(&r->joined, FRAME_JOINED_MAX);
    map_init(&r->parts);
}

static void joined_free(struct joined *j) {
    buf_release(&j->bytes);
    free(j);
}

void frame_reader_release(struct frame_reader *r) {
    struct map_entry *e;
    for (size_t at = 0; (e = map_next(&r->parts, &at));)
        joined_free(e->value);
    map_release(&r->parts);
    buf_release(&r->in);
    buf_release(&r->joined);
}

/* What was handed out goes before more comes in. */
static void drop_done(struct frame_reader *r) {
    if (r->done)
        buf_drop_front(&r->in, r->done);
    r->done = 0;
}

bool frame_reader_feed(struct frame_reader *r, struct str bytes, struct error *err) {
    drop_done(r);
    return buf_add(&r->in, bytes) || error_set(err, ERR_TOO_LARGE, "%zu bytes at once", bytes.len);
}

ssize_t frame_reader_read(struct frame_reader *r, int fd) {
    drop_done(r);
    char *at = buf_room(&r->in, FRAME_READ_MAX);
    ENSURE(at); /* an unfinished part, once taken out, leaves more than that */
    ssize_t n = read(fd, at, FRAME_READ_MAX);
    if (n > 0)
        r->in.len += (size_t)n;
    return n;
}

static bool kind_is_legal(const struct frame_reader *r, uint8_t kind) {
    return r->to_worker ? kind >= FRAME_FLOW && kind <= FRAME_PARK : kind >= FRAME_READY && kind <= FRAME_PARKED;
}

static bool check_header(const struct frame_reader *r, const char *at, uint32_t *size, uint64_t *run, struct error *err) {
    uint8_t kind = (uint8_t)at[4], flags = (uint8_t)at[5];
    memcpy(size, at, 4);
    memcpy(run, at + 8, 8);
    *size = le32toh(*size);
    *run = le64toh(*run);
    if (*size > FRAME_PART_MAX)
        return error_set(err, ERR_PROTOCOL, "a frame of %u bytes, at most %d are allowed", *size, FRAME_PART_MAX);
    if (!kind_is_legal(r, kind))
        return error_set(err, ERR_PROTOCOL, "a frame of kind %u, which nobody may send here", kind);
    if (flags > FRAME_FLAG_MORE || at[6] || at[7])
        return error_set(err, ERR_PROTOCOL, "a frame with unknown flags");
    if (*run > FRAME_RUN_MAX)
        return error_set(err, ERR_PROTOCOL, "a frame for run %llu, past 2^53", (unsigned long long)*run);
    if (flags && !*size)
        return error_set(err, ERR_PROTOCOL, "an empty part");
    return true;
}

/* Adds one part of a frame in several. 1 when it was the last: then it stands in r->joined. */
static int join(struct frame_reader *r, enum frame_kind kind, uint64_t run, struct str part, bool more, struct error *err) {
    struct joined *j = map_find(&r->parts, map_key(&run));
    if (!j) {
        if (r->parts.count == FRAME_OPEN_MAX)
            return error_set(err, ERR_PROTOCOL, "more than %d unfinished frames", FRAME_OPEN_MAX) - 1;
        j = mem_alloc(sizeof *j);
        j->kind = kind;
        buf_init(&j->bytes, FRAME_JOINED_MAX);
        map_set(&r->parts, map_key(&run), j);
    }
    if (j->kind != kind)
        return error_set(err, ERR_PROTOCOL, "a frame of kind %d inside one of kind %d", kind, j->kind) - 1;
    if (part.len > FRAME_OPEN_BYTES_MAX - r->open_bytes)
        return error_set(err, ERR_PROTOCOL, "unfinished frames of more than %d bytes", FRAME_OPEN_BYTES_MAX) - 1;
    if (!buf_add(&j->bytes, part))
        return error_set(err, ERR_PROTOCOL, "a frame of more than %d bytes", FRAME_JOINED_MAX) - 1;
    r->open_bytes += part.len;
    if (more)
        return 0;
    r->open_bytes -= j->bytes.len;
    map_remove(&r->parts, map_key(&run));
    buf_release(&r->joined);
    r->joined = j->bytes;
    free(j);
    return 1;
}

int frame_reader_next(struct frame_reader *r, struct frame *frame, struct error *err) {
    if (r->joined.cap)
        buf_release(&r->joined);
    for (;;) {
        size_t have = r->in.len - r->done;
        const char *at = r->in.ptr + r->done;
        uint32_t size;
        uint64_t run;
        if (have < FRAME_HEADER_SIZE)
            return 0;
        if (!check_header(r, at, &size, &run, err))
            return -1;
        if (have < FRAME_HEADER_SIZE + size)
            return 0;
        r->done += FRAME_HEADER_SIZE + size;
        enum frame_kind kind = (enum frame_kind)(uint8_t)at[4];
        struct str payload = {at + FRAME_HEADER_SIZE, size};
        bool more = (uint8_t)at[5] & FRAME_FLAG_MORE;
        if (more || (r->parts.count && map_find(&r->parts, map_key(&run)))) {
            int joined = join(r, kind, run, payload, more, err);
            if (joined < 0)
                return -1;
            if (!joined)
                continue;
            payload = buf_str(&r->joined);
        }
        *frame = (struct frame){.kind = kind, .run = run, .payload = payload};
        return 1;
    }
}

bool frame_take_section(struct str *payload, struct str *section) {
    uint32_t size;
    if (payload->len < 4)
        return false;
    memcpy(&size, payload->ptr, 4);
    size = le32toh(size);
    if (size > payload->len - 4)
        return false;
    *section = str_of(payload->ptr + 4, size);
    *payload = str_of(payload->ptr + 4 + size, payload->len - 4 - size);
    return true;
}
