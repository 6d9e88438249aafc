/* buf.c — see buf.h. */
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static char nothing[1] = "";

void buf_init(struct buf *b, size_t max_bytes) { *b = (struct buf){.ptr = nothing, .max = max_bytes}; }

void buf_release(struct buf *b) {
    if (b->cap)
        free(b->ptr);
    buf_init(b, b->max);
}

void buf_clear(struct buf *b) {
    b->len = 0;
    b->over = false;
    if (b->cap)
        b->ptr[0] = 0;
}

char *buf_room(struct buf *b, size_t n) {
    if (b->over || n > b->max - b->len) {
        b->over = true;
        return NULL;
    }
    if (b->len + n > b->cap || !b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 64;
        while (cap < b->len + n)
            cap *= 2;
        if (cap > b->max)
            cap = b->max;
        bool first = !b->cap;
        b->ptr = mem_realloc(first ? NULL : b->ptr, cap + 1);
        if (first)
            b->ptr[0] = 0;
        b->cap = cap ? cap : 1;
    }
    return b->ptr + b->len;
}

bool buf_add(struct buf *b, struct str s) {
    if (!s.len)
        return !b->over;
    char *at = buf_room(b, s.len);
    if (!at)
        return false;
    memcpy(at, s.ptr, s.len);
    b->len += s.len;
    b->ptr[b->len] = 0;
    return true;
}

bool buf_adds(struct buf *b, const char *text) { return buf_add(b, str_from(text)); }
bool buf_addc(struct buf *b, char c) { return buf_add(b, str_of(&c, 1)); }

bool buf_add_int(struct buf *b, int64_t n) {
    char text[20], *at = text + sizeof text;
    uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;
    do
        *--at = (char)('0' + left % 10);
    while ((left /= 10));
    if (n < 0)
        *--at = '-';
    return buf_add(b, str_of(at, (size_t)(text + sizeof text - at)));
}

bool buf_addf(struct buf *b, const char *format, ...) {
    char small[256];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    ENSURE(n >= 0);
    bool ok = true;
    if ((size_t)n < sizeof small) {
        ok = buf_add(b, str_of(small, (size_t)n));
    } else {
        char *big = mem_alloc((size_t)n + 1);
        vsnprintf(big, (size_t)n + 1, format, again);
        ok = buf_add(b, str_of(big, (size_t)n));
        free(big);
    }
    va_end(again);
    return ok;
}

/* Length of the well-formed UTF-8 sequence at p, 0 when there is none. */
static size_t utf8_at(const char *p, size_t left) {
    for (size_t n = 1; n <= 4 && n <= left; n++)
        if (str_is_utf8(str_of(p, n)))
            return n;
    return 0;
}

bool buf_add_json_string(struct buf *b, struct str s) {
    buf_addc(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < s.len;) {
        unsigned char c = (unsigned char)s.ptr[i];
        size_t n = c < 0x80 ? 1 : utf8_at(s.ptr + i, s.len - i);
        if (n && c >= 0x20 && c != '"' && c != '\\') {
            i += n;
            continue;
        }
        buf_add(b, str_of(s.ptr + from, i - from));
        if (!n)
            buf_adds(b, "\xEF\xBF\xBD");
        else if (c == '\n')
            buf_adds(b, "\\n");
        else if (c < 0x20)
            buf_addf(b, "\\u%04x", c);
        else {
            buf_addc(b, '\\');
            buf_addc(b, (char)c);
        }
        from = ++i;
    }
    buf_add(b, str_of(s.ptr + from, s.len - from));
    return buf_addc(b, '"');
}

bool buf_add_base64(struct buf *b, struct str s) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *at = buf_room(b, (s.len + 2) / 3 * 4);
    if (!at)
        return false;
    char *out = at;
    for (size_t i = 0; i < s.len; i += 3) {
        size_t left = s.len - i;
        uint32_t v = (uint32_t)(uint8_t)s.ptr[i] << 16;
        if (left > 1)
            v |= (uint32_t)(uint8_t)s.ptr[i + 1] << 8;
        if (left > 2)
            v |= (uint8_t)s.ptr[i + 2];
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = left > 1 ? digits[v >> 6 & 63] : '=';
        *out++ = left > 2 ? digits[v & 63] : '=';
    }
    b->len += (size_t)(out - at);
    b->ptr[b->len] = 0;
    return true;
}

static int base64_digit(int c) {
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

bool buf_add_base64_decoded(struct buf *b, struct str s) {
    if (s.len % 4)
        return false;
    char *at = buf_room(b, s.len / 4 * 3);
    if (!at)
        return false;
    char *out = at;
    for (size_t i = 0; i < s.len; i += 4) {
        bool last = i + 4 == s.len;
        int pad = last && s.ptr[i + 3] == '=' ? s.ptr[i + 2] == '=' ? 2 : 1 : 0;
        uint32_t v = 0;
        for (size_t k = 0; k < 4; k++) {
            int d = k >= (size_t)(4 - pad) ? 0 : base64_digit((unsigned char)s.ptr[i + k]);
            if (d < 0)
                return false;
            v = v << 6 | (uint32_t)d;
        }
        *out++ = (char)(v >> 16);
        if (pad < 2)
            *out++ = (char)(v >> 8);
        if (pad < 1)
            *out++ = (char)v;
    }
    b->len += (size_t)(out - at);
    if (b->cap)
        b->ptr[b->len] = 0;
    return true;
}

void buf_drop_front(struct buf *b, size_t n) {
    ENSURE(n <= b->len);
    if (!n)
        return;
    memmove(b->ptr, b->ptr + n, b->len - n);
    b->len -= n;
    b->ptr[b->len] = 0;
}

char *buf_take(struct buf *b) {
    char *p = b->cap ? b->ptr : mem_alloc(1);
    buf_init(b, b->max);
    return p;
}

bool file_read(const char *path, struct buf *out, struct error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, path);
    bool ok = false;
    char part[16384];
    for (;;) {
        ssize_t n = read(fd, part, sizeof part);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            error_errno(err, path);
            break;
        }
        if (n == 0) {
            ok = true;
            break;
        }
        if (!buf_add(out, str_of(part, (size_t)n))) {
            error_set(err, ERR_TOO_LARGE, "%s: larger than %zu bytes", path, out->max);
            break;
        }
    }
    close(fd);
    return ok;
}

static bool write_all(int fd, struct str content) {
    while (content.len) {
        ssize_t n = write(fd, content.ptr, content.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        content.ptr += n;
        content.len -= (size_t)n;
    }
    return true;
}

/* A name is on the disk when its directory is. */
static bool sync_directory(const char *path) {
    const char *slash = strrchr(path, '/');
    char *dir = slash ? str_dup(str_of(path, slash == path ? 1 : (size_t)(slash - path))) : mem_strdup(".");
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    free(dir);
    return ok;
}

bool file_write(const char *path, struct str content, int mode, struct error *err) {
    bool ok = false;
    struct buf temporary;
    buf_init(&temporary, 8192);
    buf_addf(&temporary, "%s.new", path);
    int fd = open(temporary.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0 || !write_all(fd, content) || fsync(fd) < 0 || rename(temporary.ptr, path) < 0 || !sync_directory(path))
        error_errno(err, path);
    else
        ok = true;
    if (fd >= 0)
        close(fd);
    if (!ok && fd >= 0)
        unlink(temporary.ptr);
    buf_release(&temporary);
    return ok;
}
