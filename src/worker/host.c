/* host.c — see host.h. Everything called here comes from the bundle, so a wrong type is its fault and throws;
 * what passes through (texts, bytes, their sizes) comes from users and is checked. */
#include "worker/host.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/clock.h"
#include "worker/form.h"
#include "worker/text.h"

/* A function of the host; while it runs it holds the engine, which was let go for it. */
#define HOST_FN(name)                                                                                                            \
    static JSValueRef name##_held(JSContextRef ctx, size_t n, const JSValueRef args[], JSValueRef *exception);                   \
    static JSValueRef name(JSContextRef ctx, JSObjectRef function, JSObjectRef self, size_t n, const JSValueRef args[],          \
                           JSValueRef *exception) {                                                                              \
        (void)function, (void)self;                                                                                              \
        host_hold(ctx);                                                                                                          \
        JSValueRef result = name##_held(ctx, n, args, exception);                                                                \
        host_let_go(ctx);                                                                                                        \
        return result;                                                                                                           \
    }                                                                                                                            \
    static JSValueRef name##_held(JSContextRef ctx, size_t n, const JSValueRef args[], JSValueRef *exception)

static struct host_calls calls;
static struct {
    const char *name;
    const char *openssl;
    EVP_MD *md;
} digests[] = {{"SHA-1", "SHA1", NULL}, {"SHA-256", "SHA256", NULL}, {"SHA-384", "SHA384", NULL}, {"SHA-512", "SHA512", NULL}};
static JSObjectRef error_types[3]; /* in the order of enum throws */
enum throws { THROW_TYPE, THROW_RANGE, THROW_SYNTAX };

/* ---- the engine's lock ---- */

/* Exported by the engine, declared in no installed header; without them each call takes the lock by itself. */
static void (*lock)(JSContextRef ctx), (*unlock)(JSContextRef ctx);

void host_hold(JSContextRef ctx) {
    if (lock)
        lock(ctx);
}

void host_let_go(JSContextRef ctx) {
    if (lock)
        unlock(ctx);
}

/* ---- values ---- */

/* UTF-16 on its way in; kept, as most texts are small. */
static uint16_t *scratch;
static size_t scratch_units;
#define SCRATCH_KEPT (64 * 1024)

static uint16_t *scratch_room(size_t units) {
    if (units > scratch_units) {
        free(scratch);
        scratch_units = units > SCRATCH_KEPT ? units : SCRATCH_KEPT;
        scratch = mem_alloc(scratch_units * sizeof *scratch);
    }
    return scratch;
}

static void scratch_trim(void) {
    if (scratch_units > SCRATCH_KEPT) {
        free(scratch);
        scratch = NULL;
        scratch_units = 0;
    }
}

/* ASCII as such: the engine keeps it in one byte a character, and all that is made of it too. */
static bool is_ascii_text(struct str s) {
    unsigned char all = 0;
    for (size_t i = 0; i < s.len; i++)
        all |= (unsigned char)s.ptr[i] | (unsigned char)-(s.ptr[i] == 0);
    return all < 0x80;
}

JSStringRef host_string(struct str utf8) {
    bool well_formed;
    char ascii[4096];
    if (utf8.len < sizeof ascii && is_ascii_text(utf8)) {
        memcpy(ascii, utf8.ptr ? utf8.ptr : "", utf8.len);
        ascii[utf8.len] = 0;
        return JSStringCreateWithUTF8CString(ascii);
    }
    uint16_t *units = scratch_room(utf8.len);
    JSStringRef s = JSStringCreateWithCharacters(units, text_to_utf16(utf8, units, &well_formed));
    scratch_trim();
    return s;
}

JSValueRef host_string_value(JSContextRef ctx, struct str utf8) {
    JSStringRef s = host_string(utf8);
    JSValueRef v = JSValueMakeString(ctx, s);
    JSStringRelease(s);
    return v;
}

static void free_bytes(void *bytes, void *arg) {
    (void)arg;
    free(bytes);
}

/* Takes bytes, which are malloc's. */
static JSValueRef bytes_taken(JSContextRef ctx, void *bytes, size_t len) {
    return JSObjectMakeArrayBufferWithBytesNoCopy(ctx, bytes, len, free_bytes, NULL, NULL);
}

JSValueRef host_bytes_value(JSContextRef ctx, struct str bytes) {
    void *copy = mem_alloc(bytes.len + 1);
    if (bytes.len)
        memcpy(copy, bytes.ptr, bytes.len);
    return bytes_taken(ctx, copy, bytes.len);
}

static void add_string(JSStringRef s, struct buf *out) {
    size_t len = JSStringGetLength(s), size = text_utf8_size(JSStringGetCharactersPtr(s), len);
    char *at = size ? buf_room(out, size) : NULL;
    if (at) {
        out->len += text_to_utf8(JSStringGetCharactersPtr(s), len, at);
        out->ptr[out->len] = 0;
    }
}

void host_describe(JSContextRef ctx, JSValueRef value, struct buf *out) {
    JSStringRef s = value ? JSValueToStringCopy(ctx, value, NULL) : NULL;
    struct buf text;
    buf_init(&text, 64 * 1024);
    if (s) {
        add_string(s, &text);
        JSStringRelease(s);
    }
    struct str t = buf_str(&text);
    if (t.len > out->max - out->len)
        t.len = out->max - out->len;
    buf_add(out, t.len ? t : STR("an exception that says nothing"));
    buf_release(&text);
}

static JSValueRef throw(JSContextRef ctx, enum throws type, struct str message, JSValueRef *exception) {
    JSValueRef text = host_string_value(ctx, message);
    *exception = JSObjectCallAsConstructor(ctx, error_types[type], 1, &text, NULL);
    return NULL;
}

/* ---- arguments ---- */

/* NULL, with an exception, when argument i is no string. Release it. */
static JSStringRef string_arg(JSContextRef ctx, size_t n, const JSValueRef args[], size_t i, JSValueRef *exception) {
    if (i < n && JSValueIsString(ctx, args[i]))
        return JSValueToStringCopy(ctx, args[i], exception);
    throw(ctx, THROW_TYPE, STR("a string was expected"), exception);
    return NULL;
}

/* A string argument as UTF-8 in *out, which is initialised here in any case. */
static bool utf8_arg(JSContextRef ctx, size_t n, const JSValueRef args[], size_t i, struct buf *out, JSValueRef *exception) {
    buf_init(out, FRAME_JOINED_MAX);
    JSStringRef s = string_arg(ctx, n, args, i, exception);
    if (!s)
        return false;
    add_string(s, out);
    JSStringRelease(s);
    if (!buf_ok(out))
        throw(ctx, THROW_RANGE, STR("the text is too large"), exception);
    return buf_ok(out);
}

static bool bytes_of(JSContextRef ctx, JSValueRef value, struct str *out) {
    JSTypedArrayType type = JSValueIsObject(ctx, value) ? JSValueGetTypedArrayType(ctx, value, NULL) : kJSTypedArrayTypeNone;
    if (type == kJSTypedArrayTypeNone)
        return false;
    JSObjectRef object = (JSObjectRef)value;
    if (type == kJSTypedArrayTypeArrayBuffer) {
        out->ptr = JSObjectGetArrayBufferBytesPtr(ctx, object, NULL);
        out->len = JSObjectGetArrayBufferByteLength(ctx, object, NULL);
    } else { /* the pointer is the buffer's, whatever the view shows of it */
        out->len = JSObjectGetTypedArrayByteLength(ctx, object, NULL);
        char *ptr = JSObjectGetTypedArrayBytesPtr(ctx, object, NULL);
        out->ptr = ptr ? ptr + JSObjectGetTypedArrayByteOffset(ctx, object, NULL) : NULL;
    }
    if (!out->ptr)
        out->len = 0;
    return true;
}

static bool bytes_arg(JSContextRef ctx, size_t n, const JSValueRef args[], size_t i, struct str *out, JSValueRef *exception) {
    if (i < n && bytes_of(ctx, args[i], out))
        return true;
    throw(ctx, THROW_TYPE, STR("bytes were expected"), exception);
    return false;
}

/* ---- frames ---- */

static void add_units(struct frame_writer *w, const uint16_t *units, size_t len) {
    /* A short text has room for the worst; a long one is counted first. */
    char *at = frame_section_room(w, len < 4096 ? len * 3 : text_utf8_size(units, len));
    if (at)
        frame_section_done(w, text_to_utf8(units, len, at));
}

static bool add_section(JSContextRef ctx, struct frame_writer *w, JSValueRef value, JSValueRef *exception) {
    if (JSValueIsUndefined(ctx, value)) {
        frame_section(w, (struct str){NULL, 0});
        return true;
    }
    struct str bytes;
    if (bytes_of(ctx, value, &bytes)) {
        frame_section(w, bytes);
        return true;
    }
    if (!JSValueIsString(ctx, value))
        return throw(ctx, THROW_TYPE, STR("a section is a string, bytes or undefined"), exception);
    JSStringRef s = JSValueToStringCopy(ctx, value, exception);
    if (!s)
        return false;
    size_t len = JSStringGetLength(s);
    if (len > FRAME_JOINED_MAX)
        w->over = true;
    else
        add_units(w, JSStringGetCharactersPtr(s), len);
    JSStringRelease(s);
    return true;
}

/* runtime/src/outbox.ts says what stands here. The marks are C's memory, which the engine shows as an array. */
#define MARKS_OF_FRAME 6
#define SECTIONS_NOTED 3
#define MARKS (1 + 1000 * MARKS_OF_FRAME)
static double marks[MARKS];
static JSObjectRef texts;

/* One frame from its marks and the units at *from. False: it is none, or has no room. */
static bool take_noted(struct buf *out, const double mark[MARKS_OF_FRAME], const uint16_t **from, const uint16_t *to) {
    if (!(mark[0] >= FRAME_PREPARED && mark[0] <= FRAME_PARKED && mark[1] >= 0 && mark[1] <= (double)FRAME_RUN_MAX))
        return false;
    enum frame_kind kind = (enum frame_kind)mark[0];
    uint64_t run = (uint64_t)mark[1];
    struct frame_writer w = frame_begin(out, kind, run);
    for (size_t i = 0; i < SECTIONS_NOTED && (double)i < mark[2]; i++) {
        w.over |= !(mark[3 + i] >= 0 && mark[3 + i] <= (double)(to - *from));
        if (w.over)
            break;
        add_units(&w, *from, (size_t)mark[3 + i]);
        *from += (size_t)mark[3 + i];
    }
    if (!frame_end(&w))
        return false;
    calls.sent(kind, run);
    return true;
}

bool host_take_noted(JSContextRef ctx) {
    struct buf *out = calls.out();
    if (marks[0] == 0)
        return true;
    size_t end = marks[0] > 0 && marks[0] <= MARKS ? (size_t)marks[0] : 0;
    marks[0] = 0;
    host_hold(ctx);
    JSStringRef s = JSValueToStringCopy(ctx, JSObjectGetPropertyAtIndex(ctx, texts, 0, NULL), NULL);
    bool ok = s && out;
    if (ok) {
        const uint16_t *from = JSStringGetCharactersPtr(s), *to = from + JSStringGetLength(s);
        for (size_t at = 1; ok && at + MARKS_OF_FRAME <= end; at += MARKS_OF_FRAME)
            ok = take_noted(out, marks + at, &from, to);
    }
    if (s)
        JSStringRelease(s);
    host_let_go(ctx);
    return ok;
}

HOST_FN(host_send) {
    struct buf *out = calls.out();
    if (n < 2 || !out)
        return throw(ctx, THROW_TYPE, STR("send(kind, run, ...sections), and only while a frame is handled"), exception);
    double kind = JSValueToNumber(ctx, args[0], NULL), run = JSValueToNumber(ctx, args[1], NULL);
    if (!(kind >= FRAME_PREPARED && kind <= FRAME_PARKED && run >= 0 && run <= (double)FRAME_RUN_MAX))
        return throw(ctx, THROW_RANGE, STR("no such kind of frame, or no such run"), exception);
    if (!host_take_noted(ctx))
        return throw(ctx, THROW_RANGE, STR("what the flow says at once is too large"), exception);
    struct frame_writer w = frame_begin(out, (enum frame_kind)kind, (uint64_t)run);
    bool ok = true;
    while (n > 2 && JSValueIsUndefined(ctx, args[n - 1]))
        n--;
    for (size_t i = 2; i < n && ok; i++)
        ok = add_section(ctx, &w, args[i], exception);
    w.over |= !ok;
    if (!frame_end(&w))
        return ok ? throw(ctx, THROW_RANGE, STR("what the flow answers or asks for is larger than 16 MB"), exception) : NULL;
    calls.sent((enum frame_kind)kind, (uint64_t)run);
    return JSValueMakeUndefined(ctx);
}

HOST_FN(host_set_limits) {
    if (n < 3)
        return throw(ctx, THROW_TYPE, STR("setLimits(run, cpuMs, memoryMb)"), exception);
    double run = JSValueToNumber(ctx, args[0], NULL);
    if (run >= 0 && run <= (double)FRAME_RUN_MAX)
        calls.limits((uint64_t)run, JSValueToNumber(ctx, args[1], NULL), JSValueToNumber(ctx, args[2], NULL));
    return JSValueMakeUndefined(ctx);
}

/* {"path": "", "level", "text", "t"} of run 0. */
HOST_FN(host_log) {
    struct buf level, text, line;
    buf_init(&line, FRAME_PART_MAX);
    bool ok = utf8_arg(ctx, n, args, 0, &level, exception);
    ok = utf8_arg(ctx, n, args, 1, &text, exception) && ok;
    struct buf *out = calls.out();
    if (ok && out) {
        buf_adds(&line, "{\"path\":\"\",\"level\":");
        buf_add_json_string(&line, buf_str(&level));
        buf_adds(&line, ",\"text\":");
        buf_add_json_string(&line, buf_str(&text));
        buf_addf(&line, ",\"t\":%lld}", (long long)clock_now_ms());
        struct frame_writer w = frame_begin(out, FRAME_LOG, 0);
        frame_section(&w, buf_str(&line));
        (void)!frame_end(&w);
    }
    buf_release(&level);
    buf_release(&text);
    buf_release(&line);
    return ok ? JSValueMakeUndefined(ctx) : NULL;
}

/* ---- text, bytes, digests ---- */

HOST_FN(host_utf8_encode) {
    struct buf text;
    JSValueRef result = NULL;
    if (utf8_arg(ctx, n, args, 0, &text, exception)) {
        size_t len = text.len;
        result = bytes_taken(ctx, buf_take(&text), len);
    }
    buf_release(&text);
    return result;
}

HOST_FN(host_utf8_decode) {
    struct str bytes;
    if (!bytes_arg(ctx, n, args, 0, &bytes, exception))
        return NULL;
    if (n > 1 && JSValueToBoolean(ctx, args[1]) && !str_is_utf8(bytes))
        return throw(ctx, THROW_TYPE, STR("the bytes are not UTF-8"), exception);
    return host_string_value(ctx, bytes);
}

HOST_FN(host_parse_json) {
    struct str bytes;
    if (!bytes_arg(ctx, n, args, 0, &bytes, exception))
        return NULL;
    if (str_find(bytes, STR("\\u0000")) != SIZE_MAX)
        return JSValueMakeUndefined(ctx);
    JSStringRef text = host_string(bytes);
    JSValueRef value = JSValueMakeFromJSONString(ctx, text);
    JSStringRelease(text);
    return value ? value : JSValueMakeUndefined(ctx);
}

static EVP_MD *digest_arg(JSContextRef ctx, size_t n, const JSValueRef args[], JSValueRef *exception) {
    JSStringRef name = string_arg(ctx, n, args, 0, exception);
    EVP_MD *md = NULL;
    if (!name)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(digests); i++)
        if (JSStringIsEqualToUTF8CString(name, digests[i].name))
            md = digests[i].md;
    JSStringRelease(name);
    if (!md)
        throw(ctx, THROW_RANGE, STR("no such digest: SHA-1, SHA-256, SHA-384 and SHA-512 are there"), exception);
    return md;
}

HOST_FN(host_digest) {
    struct str bytes;
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned len;
    EVP_MD *md = digest_arg(ctx, n, args, exception);
    if (!md || !bytes_arg(ctx, n, args, 1, &bytes, exception))
        return NULL;
    ENSURE(EVP_Digest(bytes.ptr, bytes.len, out, &len, md, NULL) == 1);
    return host_bytes_value(ctx, str_of(out, len));
}

HOST_FN(host_hmac) {
    struct str key, bytes;
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned len;
    EVP_MD *md = digest_arg(ctx, n, args, exception);
    if (!md || !bytes_arg(ctx, n, args, 1, &key, exception) || !bytes_arg(ctx, n, args, 2, &bytes, exception))
        return NULL;
    ENSURE(HMAC(md, key.len ? key.ptr : "", (int)key.len, (const unsigned char *)bytes.ptr, bytes.len, out, &len));
    return host_bytes_value(ctx, str_of(out, len));
}

HOST_FN(host_base64_encode) {
    struct str bytes;
    struct buf text;
    if (!bytes_arg(ctx, n, args, 0, &bytes, exception))
        return NULL;
    buf_init(&text, 2 * (size_t)FRAME_JOINED_MAX);
    JSValueRef result = NULL;
    if (buf_add_base64(&text, bytes))
        result = host_string_value(ctx, buf_str(&text));
    else
        throw(ctx, THROW_RANGE, STR("too large for base64"), exception);
    buf_release(&text);
    return result;
}

HOST_FN(host_base64_decode) {
    struct buf text, bytes;
    JSValueRef result = NULL;
    buf_init(&bytes, FRAME_JOINED_MAX);
    if (utf8_arg(ctx, n, args, 0, &text, exception)) {
        if (buf_add_base64_decoded(&bytes, buf_str(&text))) {
            size_t len = bytes.len;
            result = bytes_taken(ctx, buf_take(&bytes), len);
        } else {
            result = JSValueMakeUndefined(ctx);
        }
    }
    buf_release(&text);
    buf_release(&bytes);
    return result;
}

/* ---- forms ---- */

static void set(JSContextRef ctx, JSObjectRef object, const char *name, JSValueRef value) {
    JSStringRef s = JSStringCreateWithUTF8CString(name);
    JSObjectSetProperty(ctx, object, s, value, kJSPropertyAttributeNone, NULL);
    JSStringRelease(s);
}

HOST_FN(host_parse_form) {
    struct buf text;
    struct form_field field;
    JSValueRef result = NULL;
    if (utf8_arg(ctx, n, args, 0, &text, exception)) {
        struct form_reader r;
        struct error err;
        int got;
        JSObjectRef list = JSObjectMakeArray(ctx, 0, NULL, NULL);
        form_reader_init(&r, buf_str(&text));
        for (unsigned i = 0; (got = form_reader_next(&r, &field, &err)) > 0; i++) {
            JSValueRef pair[2] = {host_string_value(ctx, field.name), host_string_value(ctx, field.value)};
            JSObjectSetPropertyAtIndex(ctx, list, i, JSObjectMakeArray(ctx, 2, pair, NULL), NULL);
        }
        result = got < 0 ? throw(ctx, THROW_SYNTAX, str_from(err.text), exception) : list;
        form_reader_release(&r);
    }
    buf_release(&text);
    return result;
}

HOST_FN(host_parse_multipart) {
    struct str body;
    struct buf boundary;
    JSValueRef result = NULL;
    if (!bytes_arg(ctx, n, args, 0, &body, exception))
        return NULL;
    if (utf8_arg(ctx, n, args, 1, &boundary, exception)) {
        struct multipart_reader r;
        struct multipart_part part;
        struct error err;
        int got;
        JSObjectRef list = JSObjectMakeArray(ctx, 0, NULL, NULL);
        multipart_reader_init(&r, body, buf_str(&boundary));
        for (unsigned i = 0; (got = multipart_reader_next(&r, &part, &err)) > 0; i++) {
            JSObjectRef object = JSObjectMake(ctx, NULL, NULL);
            set(ctx, object, "name", host_string_value(ctx, part.name));
            if (part.is_file)
                set(ctx, object, "filename", host_string_value(ctx, part.filename));
            if (part.type.len)
                set(ctx, object, "type", host_string_value(ctx, part.type));
            set(ctx, object, "bytes", host_bytes_value(ctx, part.bytes));
            JSObjectSetPropertyAtIndex(ctx, list, i, object, NULL);
        }
        result = got < 0 ? throw(ctx, THROW_SYNTAX, str_from(err.text), exception) : list;
        multipart_reader_release(&r);
    }
    buf_release(&boundary);
    return result;
}

/* ---- the object ---- */

static const struct {
    const char *name;
    JSObjectCallAsFunctionCallback fn;
} functions[] = {
    {"send", host_send},
    {"setLimits", host_set_limits},
    {"utf8Encode", host_utf8_encode},
    {"utf8Decode", host_utf8_decode},
    {"parseJson", host_parse_json},
    {"digest", host_digest},
    {"hmac", host_hmac},
    {"base64Encode", host_base64_encode},
    {"base64Decode", host_base64_decode},
    {"parseForm", host_parse_form},
    {"parseMultipart", host_parse_multipart},
    {"log", host_log},
};

static JSObjectRef global_function(JSContextRef ctx, const char *name) {
    JSStringRef s = JSStringCreateWithUTF8CString(name);
    JSValueRef v = JSObjectGetProperty(ctx, JSContextGetGlobalObject(ctx), s, NULL);
    JSStringRelease(s);
    JSValueProtect(ctx, v);
    return (JSObjectRef)v;
}

static void keep_bytes(void *bytes, void *arg) { (void)bytes, (void)arg; }

static JSObjectRef box_new(JSContextRef ctx) {
    JSObjectRef box = JSObjectMake(ctx, NULL, NULL);
    texts = JSObjectMakeArray(ctx, 0, NULL, NULL);
    JSValueProtect(ctx, texts);
    set(ctx, box, "texts", texts);
    set(ctx, box, "marks",
        JSObjectMakeTypedArrayWithBytesNoCopy(ctx, kJSTypedArrayTypeFloat64Array, marks, sizeof marks, keep_bytes, NULL, NULL));
    return box;
}

JSObjectRef host_new(JSContextRef ctx, const struct host_calls *given) {
    static const char *const types[] = {"TypeError", "RangeError", "SyntaxError"};
    calls = *given;
    *(void **)&lock = dlsym(RTLD_DEFAULT, "JSLock");
    *(void **)&unlock = dlsym(RTLD_DEFAULT, "JSUnlock");
    if (!unlock)
        lock = NULL;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        error_types[i] = global_function(ctx, types[i]);
    for (size_t i = 0; i < ARRAY_LEN(digests); i++)
        ENSURE((digests[i].md = EVP_MD_fetch(NULL, digests[i].openssl, NULL)));
    JSObjectRef host = JSObjectMake(ctx, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        JSStringRef name = JSStringCreateWithUTF8CString(functions[i].name);
        JSObjectSetProperty(ctx, host, name, JSObjectMakeFunctionWithCallback(ctx, name, functions[i].fn),
                            kJSPropertyAttributeReadOnly, NULL);
        JSStringRelease(name);
    }
    set(ctx, host, "box", box_new(ctx));
    return host;
}
