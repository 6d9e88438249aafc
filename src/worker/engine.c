/* engine.c — see engine.h.
 *
 * An entry that has to end early, by the engine's time limit (on_tick):
 *
 *     on_tick says end -> the engine throws what nobody can catch -> enter() returns
 *     -> throw-away entries until one works: the first after a promise job was ended fails for no reason
 *     -> frame(CANCEL, run, {"code", "message"}): the bundle sends FINISH, else finish_bare does */
#include "worker/engine.h"

#include <JavaScriptCore/JavaScript.h>
#include <dlfcn.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/map.h"
#include "worker/host.h"
#include "worker/meter.h"
#include "worker/watch.h"

#define SECTIONS_MAX 1024
/* Each tick costs what the engine has compiled of the functions under way, so it comes often only while memory fills. */
#define TICK_S 0.5
#define TICK_FILLING_S 0.005
/* The watch gives the tick this much of a start, so that it is the run that ends and not the process. */
#define WATCH_CPU_GRACE_US 1000000
#define WATCH_MEMORY_GRACE (32u << 20)
#define SHORT_ENTRY_US 1000
/* Growth since the last collection that is worth another one: when there is nothing else to do, and between entries past the
 * line that ends a run, where the watch would soon blame one for the garbage of all. Below that the engine knows best when. */
#define IDLE_GARBAGE (8u << 20)
#define BUSY_GARBAGE (16u << 20)
/* Growth in one entry from which on it is looked at often. */
#define ENTRY_GARBAGE (8u << 20)

/* Exported by the engine, declared in no installed header. Any of them may be missing: then the watch alone limits runs,
 * and garbage waits until the engine wants to collect. */
typedef bool tick_fn(JSContextRef ctx, void *arg);
static void (*set_time_limit)(JSContextGroupRef group, double seconds, tick_fn *fn, void *arg);
typedef void collected_fn(JSContextGroupRef group, void *arg);
static void (*add_heap_finalizer)(JSContextGroupRef group, collected_fn *fn, void *arg);
static void (*collect_now)(JSContextRef ctx);
static void (*release_free)(void); /* the allocator's free pages, which it would else keep for a while */
static void (*set_eval_enabled)(JSGlobalContextRef ctx, bool enabled, JSStringRef message);

/* A run that needs more than the defaults, or has used more than nearly nothing. */
struct usage {
    int64_t cpu_us, cpu_max_us;
    size_t memory_max;
};

static struct {
    struct engine_options options;
    JSContextGroupRef group;
    JSGlobalContextRef ctx;
    JSObjectRef frame, nothing; /* functions: the bundle's, and one that does nothing */
    clockid_t clock;
    size_t base;      /* bytes of the process once all was ready */
    size_t collected; /* bytes after the last collection */
    struct map usages;

    struct buf *out;       /* NULL outside of an entry */
    uint64_t run;          /* whose entry it is */
    int64_t entered_us;    /* by the monotonic clock */
    size_t entered_rss;    /* bytes of the process some ms before */
    int64_t cpu_seen_us;   /* the thread's CPU time when it was last looked at, plus short entries since */
    struct usage *usage;   /* of the run, may be NULL */
    double tick_s;         /* what the engine's time limit is set to */
    bool finished;         /* the run's FINISH was sent in this entry */
    enum error_code ended; /* why on_tick ended the entry; ERR_NONE */
} the;

/* ---- limits ---- */

static struct usage *usage_get(uint64_t run) {
    struct usage *u = map_find(&the.usages, map_key(&run));
    if (!u) {
        u = mem_alloc(sizeof *u);
        u->cpu_max_us = (int64_t)the.options.cpu_ms * 1000;
        u->memory_max = (size_t)the.options.memory_mb << 20;
        map_set(&the.usages, map_key(&run), u);
    }
    if (run == the.run)
        the.usage = u;
    return u;
}

static void usage_forget(uint64_t run) {
    if (the.usages.count)
        free(map_remove(&the.usages, map_key(&run)));
    if (run == the.run)
        the.usage = NULL;
}

static int64_t cpu_max_us(void) { return the.usage ? the.usage->cpu_max_us : (int64_t)the.options.cpu_ms * 1000; }
static int64_t cpu_used_us(void) { return the.usage ? the.usage->cpu_us : 0; }
static size_t memory_max(void) { return the.base + (the.usage ? the.usage->memory_max : (size_t)the.options.memory_mb << 20); }

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* CPU time of the entry under way. Asking for it costs a system call, so a short entry counts with its wall time. */
static int64_t entry_cpu_us(void) {
    int64_t wall = clock_monotonic_us() - the.entered_us;
    if (wall < SHORT_ENTRY_US) {
        the.cpu_seen_us += wall;
        return wall;
    }
    int64_t now = meter_cpu_us(the.clock), used = now - the.cpu_seen_us;
    the.cpu_seen_us = now;
    return used < 0 ? 0 : min(used, wall);
}

/* Moves what the entry used so far to the run's account. */
static void account(void) {
    int64_t used = entry_cpu_us();
    the.entered_us = clock_monotonic_us();
    if (the.run && (the.usage || used >= SHORT_ENTRY_US))
        usage_get(the.run)->cpu_us += used;
}

static void collect(void) {
    if (collect_now)
        collect_now(the.ctx);
    if (release_free)
        release_free();
    the.collected = meter_rss();
    watch_rss_changed(the.collected);
}

/* Garbage, also that of others, is nobody's fault: only what stays counts. An eighth below the line must have become free, so
 * that a run near it does not spend its time here. */
static bool is_past_memory(void) {
    if (meter_rss() <= memory_max())
        return false;
    collect();
    return the.collected > memory_max() - (memory_max() - the.base) / 8;
}

static bool on_tick(JSContextRef ctx, void *arg);

static void set_tick(double seconds) {
    the.tick_s = seconds;
    if (set_time_limit)
        set_time_limit(the.group, seconds, on_tick, NULL);
}

/* The entry under way takes much more than others do. */
static bool is_filling(void) { return meter_rss() > the.entered_rss + ENTRY_GARBAGE; }

/* After each collection: a run that fills the memory passes here several times on its way. Setting the limit begins its time
 * anew, so it is set once: else a run that collects all the time would never come to its tick. */
static void on_collected(JSContextGroupRef group, void *arg) {
    (void)group, (void)arg;
    if (the.out && the.tick_s > TICK_FILLING_S && is_filling())
        set_tick(TICK_FILLING_S);
}

/* What is left of the run's CPU time, where that is less than a tick. */
static double tick_s(void) {
    double left_s = (double)(cpu_max_us() - cpu_used_us()) / 1e6;
    return left_s >= TICK_S ? TICK_S : left_s > TICK_FILLING_S ? left_s : TICK_FILLING_S;
}

static bool on_tick(JSContextRef ctx, void *arg) {
    (void)ctx, (void)arg;
    account();
    if (the.ended == ERR_NONE && cpu_used_us() > cpu_max_us())
        the.ended = ERR_RUN_CPU;
    if (the.ended == ERR_NONE && is_past_memory())
        the.ended = ERR_RUN_MEMORY;
    if (the.ended == ERR_NONE)
        set_tick(is_filling() ? TICK_FILLING_S : tick_s());
    return the.ended != ERR_NONE;
}

static void limit_run(uint64_t run, double cpu_ms, double memory_mb) {
    struct usage *u = usage_get(run);
    if (cpu_ms >= 1 && cpu_ms <= 3600e3)
        u->cpu_max_us = (int64_t)(cpu_ms * 1000);
    if (memory_mb >= 1 && memory_mb <= the.options.memory_mb)
        u->memory_max = (size_t)memory_mb << 20;
    if (run == the.run && tick_s() < the.tick_s)
        set_tick(tick_s());
}

/* ---- entries ---- */

static struct buf *current_out(void) { return the.out; }

static void on_sent(enum frame_kind kind, uint64_t run) {
    if (kind != FRAME_FINISH && kind != FRAME_PREPARED)
        return;
    if (run == the.run)
        the.finished = true;
    usage_forget(run);
}

static void entry_begin(void) {
    the.ended = ERR_NONE;
    the.finished = false;
    the.usage = the.run && the.usages.count ? map_find(&the.usages, map_key(&the.run)) : NULL;
    the.entered_us = clock_monotonic_us();
    the.entered_rss = watch_rss();
    atomic_store_explicit(&the.options.page->run, the.run, memory_order_relaxed);
    if (the.usage && tick_s() < the.tick_s)
        set_tick(tick_s());
    watch_begin(cpu_max_us() - cpu_used_us() + WATCH_CPU_GRACE_US, memory_max() + WATCH_MEMORY_GRACE);
}

static void entry_end(void) {
    watch_end();
    account();
    if (the.tick_s < TICK_S)
        set_tick(TICK_S);
    atomic_store_explicit(&the.options.page->run, 0, memory_order_relaxed);
}

/* One entry. False when it threw or was ended; then *thrown is what it threw. */
static bool enter(JSObjectRef fn, size_t n, const JSValueRef args[], JSValueRef *thrown) {
    *thrown = NULL;
    entry_begin();
    JSObjectCallAsFunction(the.ctx, fn, NULL, n, args, thrown);
    if (!host_take_noted(the.ctx) && the.ended == ERR_NONE)
        the.ended = ERR_RUN_MEMORY;
    entry_end();
    return !*thrown && the.ended == ERR_NONE;
}

static void finish_bare(uint64_t run, struct str error) {
    struct frame_writer w = frame_begin(the.out, FRAME_FINISH, run);
    struct buf json;
    buf_init(&json, FRAME_PART_MAX);
    buf_adds(&json, "{\"state\":\"failed\",\"answer\":null,\"output\":null,\"errors\":[],\"error\":");
    buf_add(&json, error);
    buf_addc(&json, '}');
    frame_section(&w, buf_str(&json));
    frame_section(&w, STR(""));
    frame_section(&w, STR("{\"blocks\":[],\"logs\":[],\"effects\":[]}"));
    buf_release(&json);
    (void)!frame_end(&w);
}

static void describe_end(enum error_code code, JSValueRef thrown, struct buf *json) {
    struct buf text;
    buf_init(&text, 1000);
    if (code == ERR_RUN_CPU)
        buf_addf(&text, "the run used more than its %lld ms of CPU time", (long long)cpu_max_us() / 1000);
    else if (code == ERR_RUN_MEMORY)
        buf_addf(&text, "the run used more than its %zu MB of memory", (memory_max() - the.base) >> 20);
    else
        host_describe(the.ctx, thrown, &text);
    buf_addf(json, "{\"code\":\"%s\",\"message\":", error_name(code));
    buf_add_json_string(json, buf_str(&text));
    buf_addc(json, '}');
    buf_release(&text);
}

/* For the operator: nobody's run. */
static void log_end(struct str error) {
    struct frame_writer w = frame_begin(the.out, FRAME_LOG, 0);
    frame_section(&w, error);
    (void)!frame_end(&w);
}

/* The run that was entered is over: by its limits, or by a fault of the bundle. */
static void end_run(uint64_t run, JSValueRef thrown) {
    enum error_code code = the.ended == ERR_NONE ? ERR_INTERNAL : the.ended;
    struct buf json;
    JSValueRef ignored;
    buf_init(&json, FRAME_PART_MAX);
    describe_end(code, thrown, &json);
    the.run = 0;
    for (int i = 0; i < 3 && !enter(the.nothing, 0, NULL, &ignored); i++)
        continue;
    usage_forget(run);
    if (code == ERR_RUN_MEMORY)
        collect();
    JSValueRef args[] = {JSValueMakeNumber(the.ctx, FRAME_CANCEL), JSValueMakeNumber(the.ctx, (double)run),
                         host_string_value(the.ctx, buf_str(&json))};
    the.run = run;
    if (!run)
        log_end(buf_str(&json));
    else if (!enter(the.frame, ARRAY_LEN(args), args, &ignored) || !the.finished)
        finish_bare(run, buf_str(&json));
    usage_forget(run);
    buf_release(&json);
}

/* Code is evaluated before the entry, so that the bundle gets functions; a fault is handed over as its message. */
static JSValueRef evaluate(struct str text, struct str url) {
    JSStringRef script = host_string(text), source = host_string(url);
    JSValueRef thrown = NULL;
    entry_begin(); /* texts from users are in there */
    JSValueRef value = JSEvaluateScript(the.ctx, script, NULL, source, 1, &thrown);
    entry_end();
    JSStringRelease(script);
    JSStringRelease(source);
    if (!thrown)
        return value;
    struct buf message;
    buf_init(&message, 1000);
    host_describe(the.ctx, thrown, &message);
    value = host_string_value(the.ctx, buf_str(&message));
    buf_release(&message);
    return value;
}

/* How section i of a frame is handed to the bundle. */
static JSValueRef section_value(enum frame_kind kind, size_t i, struct str section, struct str before) {
    if (i == 1 && (kind == FRAME_START || kind == FRAME_PREPARE))
        return section.len ? host_bytes_value(the.ctx, section) : JSValueMakeUndefined(the.ctx);
    if (kind == FRAME_FLOW && (i == 1 || (i > 1 && i % 2 == 1)))
        return evaluate(section, before);
    return host_string_value(the.ctx, section);
}

static bool is_full(size_t rss) {
    return rss > the.collected + BUSY_GARBAGE && rss > the.base + ((size_t)the.options.memory_mb << 20);
}

/* Between entries. What is left then is kept by runs that wait, or lost: too much of it, and no more runs are wanted. */
static void tidy(void) {
    collect();
    if (the.collected > the.base + ((size_t)the.options.memory_mb << 20))
        the.options.page->draining = 1;
}

/* A toolbox has one job, which no frame can end but JOB_DONE: without it the process ends. */
static enum link_exit job_exit(enum frame_kind kind, enum error_code ended) {
    if (kind != FRAME_JOB)
        return LINK_EXIT_CLOSED;
    return ended == ERR_RUN_CPU ? LINK_EXIT_CPU : ended == ERR_RUN_MEMORY ? LINK_EXIT_MEMORY : LINK_EXIT_FAULT;
}

enum link_exit engine_frame(const struct frame *frame, struct buf *out) {
    enum link_exit result = LINK_EXIT_CLOSED;
    JSValueRef args[SECTIONS_MAX], thrown; /* on the stack: the collector looks here */
    struct str rest = frame->payload, section, before = {NULL, 0};
    size_t n = 2;
    the.out = out;
    the.run = frame->kind == FRAME_FLOW ? 0 : frame->run;
    host_hold(the.ctx);
    args[0] = JSValueMakeNumber(the.ctx, frame->kind);
    args[1] = JSValueMakeNumber(the.ctx, (double)frame->run);
    for (; n < SECTIONS_MAX && frame_take_section(&rest, &section); n++) {
        args[n] = section_value(frame->kind, n - 2, section, before);
        before = section;
    }
    host_let_go(the.ctx);
    if (frame->kind == FRAME_CANCEL)
        usage_forget(frame->run);
    if (!enter(the.frame, n, args, &thrown)) {
        result = job_exit(frame->kind, the.ended);
        end_run(the.run, thrown);
    }
    if (is_full(watch_rss()) && is_full(meter_rss())) /* what the watch saw is some ms old */
        tidy();
    atomic_fetch_add_explicit(&the.options.page->entries, 1, memory_order_release);
    the.out = NULL;
    return result;
}

void engine_idle(void) {
    if (meter_rss() > the.collected + IDLE_GARBAGE)
        tidy();
}

/* ---- start ---- */

static JSValueRef run_script(const char *text, size_t len, const char *url, struct error *err) {
    JSStringRef script = host_string(str_of(text, len)), source = JSStringCreateWithUTF8CString(url);
    JSValueRef thrown = NULL, value = JSEvaluateScript(the.ctx, script, NULL, source, 1, &thrown);
    JSStringRelease(script);
    JSStringRelease(source);
    if (thrown) {
        struct buf message;
        buf_init(&message, 400);
        host_describe(the.ctx, thrown, &message);
        error_set(err, ERR_INTERNAL, "%s: %s", url, message.ptr);
        buf_release(&message);
        return NULL;
    }
    return value;
}

static bool boot(const struct host_calls *calls, struct error *err) {
    struct str text = the.options.bundle;
    const char *url = the.options.toolbox ? "toolbox.js" : "runtime.js";
    JSValueRef fn = run_script(text.ptr, text.len, url, err);
    if (!fn)
        return false;
    JSValueRef host = host_new(the.ctx, calls), thrown = NULL;
    JSValueRef result = JSObjectCallAsFunction(the.ctx, (JSObjectRef)fn, NULL, 1, &host, &thrown);
    JSStringRef name = JSStringCreateWithUTF8CString("frame");
    JSValueRef frame = thrown ? NULL : JSObjectGetProperty(the.ctx, (JSObjectRef)result, name, &thrown);
    JSStringRelease(name);
    if (thrown) {
        struct buf message;
        buf_init(&message, 400);
        host_describe(the.ctx, thrown, &message);
        error_set(err, ERR_INTERNAL, "boot of %s: %s", url, message.ptr);
        buf_release(&message);
        return false;
    }
    the.frame = (JSObjectRef)frame;
    JSValueProtect(the.ctx, frame);
    return true;
}

bool engine_open(const struct engine_options *options, struct error *err) {
    static const struct host_calls calls = {.out = current_out, .sent = on_sent, .limits = limit_run};
    the.options = *options;
    *(void **)&set_time_limit = dlsym(RTLD_DEFAULT, "JSContextGroupSetExecutionTimeLimit");
    *(void **)&add_heap_finalizer = dlsym(RTLD_DEFAULT, "JSContextGroupAddHeapFinalizer");
    *(void **)&collect_now = dlsym(RTLD_DEFAULT, "JSSynchronousGarbageCollectForDebugging");
    *(void **)&release_free = dlsym(RTLD_DEFAULT, "_ZN3WTF27releaseFastMallocFreeMemoryEv");
    *(void **)&set_eval_enabled = dlsym(RTLD_DEFAULT, "JSGlobalContextSetEvalEnabled");
    map_init(&the.usages);
    ENSURE(pthread_getcpuclockid(pthread_self(), &the.clock) == 0);
    the.group = JSContextGroupCreate();
    the.ctx = JSGlobalContextCreateInGroup(the.group, NULL);
    static const char nothing[] = "(function () {})";
    JSValueRef fn = run_script(nothing, sizeof nothing - 1, "nothing.js", err);
    if (!fn)
        return false;
    JSValueProtect(the.ctx, fn);
    the.nothing = (JSObjectRef)fn;
    if (!boot(&calls, err))
        return false;
    if (!options->toolbox && set_eval_enabled) {
        JSStringRef message = JSStringCreateWithUTF8CString("code from strings is not allowed");
        set_eval_enabled(the.ctx, false, message);
        JSStringRelease(message);
    }
    set_tick(TICK_S);
    if (add_heap_finalizer)
        add_heap_finalizer(the.group, on_collected, NULL);
    /* The first entry under a limit makes the engine's timer thread, which needs more calls than a sealed process has. */
    JSObjectCallAsFunction(the.ctx, the.nothing, NULL, 0, NULL, NULL);
    collect();
    the.base = the.collected;
    watch_init(options->page);
    return true;
}
