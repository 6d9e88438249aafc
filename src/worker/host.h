/* host.h — the functions that C gives to the bundle; engine.h lists them. Thread: the engine's. */
#ifndef FLOWLET_HOST_H
#define FLOWLET_HOST_H

#include <JavaScriptCore/JavaScript.h>

#include "js/frame.h"

/* What host functions need of the engine. */
struct host_calls {
    struct buf *(*out)(void);                         /* where frames are collected; NULL outside of an entry */
    void (*sent)(enum frame_kind kind, uint64_t run); /* after each frame */
    void (*limits)(uint64_t run, double cpu_ms, double memory_mb);
};

/* The object `host`, to be given to boot. Before the process is sealed: digests are loaded here. */
JSObjectRef host_new(JSContextRef ctx, const struct host_calls *calls);

/* Around several calls of the engine: it takes its lock once instead of for each of them. The last to let go runs what
 * promises have become ready. */
void host_hold(JSContextRef ctx);
void host_let_go(JSContextRef ctx);

/* After an entry: the frames that the bundle noted in host.box go to calls.out(), and calls.sent hears of each. False: they are
 * more than a worker may have to say at once. */
MUST_USE bool host_take_noted(JSContextRef ctx);

/* Values from bytes. */
JSStringRef host_string(struct str utf8) __attribute__((returns_nonnull));
JSValueRef host_string_value(JSContextRef ctx, struct str utf8);
JSValueRef host_bytes_value(JSContextRef ctx, struct str bytes);
/* What an exception or any other value says, into out, cut where it does not fit. */
void host_describe(JSContextRef ctx, JSValueRef value, struct buf *out);

#endif
