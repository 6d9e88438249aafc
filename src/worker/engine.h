/* engine.h — the JavaScript engine of a worker, and the border between C and the bundle.
 *
 * One virtual machine and one realm a process. The bundle (runtime/, embedded at build time) is one script whose
 * completion value is `boot(host)`; boot locks the realm and returns `{frame}`. From then on C calls
 *
 *     frame(kind, run, section, section, ...)
 *
 * once for each frame that arrives: one entry into the engine a frame, after which the engine has run out of work, so
 * the run that is entered is the run that is guilty. What frame() is given:
 *
 *     FLOW     id, plan, key, unit, key, unit, ...   plan and units already evaluated (sourceURL: the id for the plan,
 *              the key for a unit; line 1), so functions; where that failed, the message as a string
 *     PREPARE  head (string), body (ArrayBuffer, or undefined when empty)
 *     START    head, body, journal (string, "" when there is none)
 *     RESULT   JSON string
 *     CANCEL   nothing: forget the run, send nothing more for it.
 *              Or a JSON string {"code", "message"}: C ended the run (run_cpu, run_memory); forget its work and send
 *              its FINISH, with the history it has. None of its promises may be relied on. C sends a bare FINISH
 *              when frame() does not.
 *     JOB      JSON string
 *
 * An exception that leaves frame() is a fault of the bundle: the run ends with code `internal`.
 *
 * `host`, what C offers (bytes: an ArrayBuffer out; an ArrayBuffer or any view of one in):
 *
 *     send(kind, run, ...sections)      queues a frame; a section is a string (as UTF-8, lone surrogates become U+FFFD),
 *                                       bytes, or undefined (empty). RangeError when it is larger than a frame may be
 *     box {marks, texts}                where frames are noted for C to take after the entry: runtime/src/outbox.ts
 *     setLimits(run, cpuMs, memoryMb)   only for runs whose limits are not the defaults (10 s, 64 MB); never past
 *                                       what the server set for the process
 *     utf8Encode(string) → bytes        utf8Decode(bytes, fatal) → string; fatal: TypeError, else U+FFFD
 *     parseJson(bytes) → value, or undefined where that is not JSON or may hold a NUL
 *     digest(name, bytes) → bytes       hmac(name, key, bytes) → bytes      "SHA-1" "SHA-256" "SHA-384" "SHA-512"
 *     base64Encode(bytes) → string      base64Decode(string) → bytes, or undefined when it is none
 *     parseForm(string) → [[name, value], ...]
 *     parseMultipart(bytes, boundary) → [{name, filename?, type?, bytes}, ...]; throws a SyntaxError that says what is wrong
 *     log(level, text)                  for the operator, about Flowlet itself
 *
 * Limits: now and then (each look costs the code compiled so far), and every 5 ms while an entry fills the memory, the engine
 * asks engine.c, which looks at the run's CPU total and the process's memory and ends the run, not the process, where it can.
 * watch.h ends the process where it can't.
 *
 * Thread: the engine's own, all of it, but for engine_watch. */
#ifndef FLOWLET_ENGINE_H
#define FLOWLET_ENGINE_H

#include "js/frame.h"
#include "js/link.h"

struct engine_options {
    struct str bundle;      /* the script; borrowed */
    bool toolbox;           /* or the checker: eval is allowed */
    unsigned cpu_ms;        /* of a run, by default */
    unsigned memory_mb;     /* over the base, of a run; by default and at most */
    struct link_page *page; /* borrowed */
};

/* Makes the engine and boots the bundle. */
MUST_USE bool engine_open(const struct engine_options *options, struct error *err);
/* One entry. What it sends is added to *out, which stays the caller's. Anything but LINK_EXIT_CLOSED: the process has to end with
 * it, once out is written. */
MUST_USE enum link_exit engine_frame(const struct frame *frame, struct buf *out);
/* Nothing to do for a while: collects garbage if there may be enough of it. */
void engine_idle(void);

#endif
