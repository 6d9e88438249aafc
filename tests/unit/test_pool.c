/* Workers by force: the real process, sealed as always, with a bundle that does what a unit tells it. */
#include <criterion/criterion.h>
#include <limits.h>
#include <unistd.h>

#include "js/link.h"
#include "js/pool.h"
#include "main.h"
#include "worker/seal.h"

/* FLOW: units are functions of (host, run). START: the head names one; what it returns is the run's output. RESULT: the same,
 * for a run under way. */
static struct str bundle(void) {
    return STR("(function (host) {\n"
               "  const units = {}, failed = {};\n"
               "  const text = (v) => v === undefined ? '' : typeof v === 'string' ? v : JSON.stringify(v);\n"
               "  const finish = (run, v) => host.send(38, run, text(v));\n"
               "  return {frame(kind, run, ...s) {\n"
               "    if (kind === 1) for (let i = 2; i < s.length; i += 2) units[s[i]] = s[i + 1];\n"
               "    else if (kind === 5 && s.length) finish(run, 'ended ' + JSON.parse(s[0]).code);\n"
               "    else if (kind === 6) host.send(40, 0, text(eval(s[0])));\n"
               "    else if (kind === 3 || kind === 4) {\n"
               "      const unit = units[s[0]];\n"
               "      if (typeof unit !== 'function') return finish(run, 'no unit: ' + unit);\n"
               "      let r; try { r = unit(host, run, s); } catch (e) { return finish(run, 'threw ' + e); }\n"
               "      if (r && r.then) r.then((v) => finish(run, v), (e) => finish(run, 'rejected ' + e)); else finish(run, r);\n"
               "    }\n"
               "  }};\n"
               "})");
}

const struct test_worker *test_pool_worker(void) {
    static struct test_worker worker = {.name = "test-pool-worker"};
    worker.parts.runtime = worker.parts.toolbox = bundle();
    return &worker;
}

static struct {
    struct loop *loop;
    struct pool *pool;
    char binary[PATH_MAX];
    unsigned ready, finished, gone;
    struct buf output; /* of the last run that finished */
    uint64_t output_run, stuck;
    struct worker_end why;
    unsigned wanted; /* runs to finish or be lost before the loop is stopped */
    bool replaced;   /* wait for a new worker too */
} t;

static void stop_when_done(void) {
    if (t.finished + t.gone >= t.wanted)
        loop_stop(t.loop);
}

static void on_frame(void *arg, struct worker *w, const struct frame *frame) {
    (void)arg;
    struct str payload = frame->payload, section;
    cr_assert_eq(frame->kind, FRAME_FINISH);
    cr_assert(frame_take_section(&payload, &section));
    buf_clear(&t.output);
    cr_assert(buf_add(&t.output, section));
    t.output_run = frame->run;
    worker_run_removed(w);
    t.finished++;
    stop_when_done();
}

static void on_gone(void *arg, struct worker *w, const struct worker_end *why) {
    (void)arg, (void)w;
    t.why = *why;
    t.gone++;
    stop_when_done();
}

static void on_stuck(void *arg, struct worker *w, uint64_t run) {
    (void)arg, (void)w;
    t.stuck = run;
}
static void on_ready(void *arg, struct str workspace) {
    (void)arg;
    cr_assert(str_is(workspace, "one"));
    t.ready++;
    loop_stop(t.loop);
}

static void on_closed(void *arg) {
    *(bool *)arg = true;
    loop_stop(t.loop);
}

static void open_worker(const struct test_worker *worker, struct pool_options options) {
    static const struct pool_handler handler = {on_frame, on_gone, on_stuck, on_ready};
    struct error err;
    test_worker_link(worker, t.binary, sizeof t.binary);
    options.binary = t.binary;
    buf_init(&t.output, 32u << 20);
    t.loop = loop_new();
    t.pool = pool_open(t.loop, &options, &handler, NULL, &err);
    cr_assert(t.pool, "%s", err.text);
    cr_assert(pool_wait(t.pool, &err), "%s", err.text);
    pool_warm(t.pool, STR("one"));
}

static void open_pool(struct pool_options options) { open_worker(test_pool_worker(), options); }

static void close_pool(void) {
    bool closed = false;
    pool_close(t.pool, on_closed, &closed);
    while (!closed)
        loop_run(t.loop);
    loop_free(t.loop);
    buf_release(&t.output);
    test_worker_unlink(t.binary);
}

static void on_late(struct timer *late) {
    (void)late;
    cr_assert_fail("nothing came: %u finished, %u gone", t.finished, t.gone);
}

static void wait_for(unsigned runs, int limit_ms) {
    struct timer late;
    timer_init(&late, t.loop, on_late);
    timer_start(&late, limit_ms);
    t.wanted = runs;
    do
        loop_run(t.loop);
    while (t.finished + t.gone < runs);
    timer_stop(&late);
}

static void send_unit(struct worker *w, const char *key, const char *text) {
    struct frame_writer f = worker_frame(w, FRAME_FLOW, 1);
    frame_section(&f, STR("flow"));
    frame_section(&f, STR("(function () {})"));
    frame_section(&f, str_from(key));
    frame_section(&f, str_from(text));
    cr_assert(worker_send(w, &f));
}

static void send_start(struct worker *w, uint64_t run, const char *key, struct str body) {
    struct frame_writer f = worker_frame(w, FRAME_START, run);
    frame_section(&f, str_from(key));
    frame_section(&f, body);
    frame_section(&f, STR(""));
    worker_run_added(w);
    cr_assert(worker_send(w, &f));
}

static struct worker *pick(void) {
    struct worker *w;
    while (!(w = pool_pick(t.pool, STR("one"))))
        loop_run(t.loop); /* until the next is ready */
    return w;
}

/* Runs one text as a run and waits for what it gives, or for the worker's end. */
static void run_text(const char *text, int limit_ms) {
    struct worker *w = pick();
    t.finished = t.gone = 0;
    send_unit(w, "unit", text);
    send_start(w, 7, "unit", STR(""));
    wait_for(1, limit_ms);
}

static void assert_output(const char *expected) { cr_assert_str_eq(t.output.ptr, expected); }

Test(pool, a_run_goes_there_and_back, .timeout = 60) {
    open_pool((struct pool_options){.workers = 1});
    run_text("(host, run, s) => ({run, s})", 5000);
    assert_output("{\"run\":7,\"s\":[\"unit\",null,\"\"]}");
    run_text("async () => { await 1; return 'grüße \\u{1f600} \\ud800'; }", 5000);
    assert_output("grüße \xf0\x9f\x98\x80 \xef\xbf\xbd");
    close_pool();
}

/* What a run does that must end it, and nothing but it. `neighbour` waits in the same worker and must come through where the
 * worker does, so each result is asked for after the evil one. */
static void run_evil(const char *text, int limit_ms, const char *code) {
    run_text(text, limit_ms);
    if (t.gone) {
        cr_expect(strstr(error_name(t.why.code), code), "%s", error_name(t.why.code));
        cr_expect_eq(t.why.run, 7);
    } else {
        bool gave_up =
            strstr(text, ".test(") && strcmp(t.output.ptr, "false") == 0; /* newer engines end such expressions themselves */
        cr_expect(gave_up || strstr(t.output.ptr, code), "%s instead of %s", t.output.ptr, code);
    }
    /* Long enough for the limits to look at it. The frames of sanitized code keep old pointers, so there garbage may stay. */
    run_text(
        "() => { let n = 0, a; for (let i = 0; i < 3e5; i++) { a = {i, b: [i]}; n += a.b.length; } return 'still here ' + n; }",
        5000);
    if (!SEAL_SANITIZED) {
        cr_assert(t.finished);
        assert_output("still here 300000");
    }
}

Test(pool, what_takes_too_long_ends, .timeout = 120) {
    open_pool((struct pool_options){.workers = 1, .cpu_limit_ms = 200, .memory_limit_bytes = SEAL_SANITIZED ? 512u << 20 : 0});
    run_evil("() => { for (;;); }", 5000, "run_cpu");
    run_evil("async () => { await 1; for (;;); }", 5000, "run_cpu");
    run_evil("() => { for (;;) { try { for (;;); } catch (e) {} finally { for (;;); } } }", 5000, "run_cpu");
    run_evil("() => { const f = () => { Promise.resolve().then(f); }; f(); return new Promise(() => 0); }", 5000, "run_cpu");
    run_evil("async () => { for (;;) await 1; }", 5000, "run_cpu");
    run_evil("() => /^(a|a|b)*(a|a)*(x+x+)+y$/.test('x'.repeat(40) + 'a'.repeat(4000))", 30000, "run_cpu");
    run_evil("() => /(x+x+x+x+x+x+x+)y/.test('x'.repeat(100))", 30000, "run_cpu");
    run_evil("() => { let n = 3n; for (;;) n = n * n; }", 30000, "");
    run_evil("() => { const a = []; for (let i = 0; i < 1e6; i++) a.push(i); for (;;) a.sort((x, y) => y - x); }", 30000,
             "run_cpu");
    run_evil("() => { throw new Error('x'); }", 5000, "threw Error: x");
    run_evil("() => { const f = () => f(); return f(); }", 5000, "threw RangeError");
    close_pool();
}

Test(pool, what_takes_too_much_memory_ends, .timeout = 120) {
    /* run_memory, or "Out of memory" where one allocation alone is too large. */
    open_pool((struct pool_options){.workers = 1});
    run_evil("() => { const a = []; for (;;) a.push({a: 1, b: [1, 2, 3]}); }", 20000, "emory");
    run_evil("() => { const a = []; for (;;) a.push(new ArrayBuffer(1 << 20)); }", 20000, "emory");
    run_evil("() => { const a = []; for (;;) a.push(new Uint8Array(1 << 20).fill(1)); }", 20000, "emory");
    run_evil("() => { let s = 'x'; for (;;) { s += s; if (s.length > 1e6) s.indexOf('y'); } }", 20000, "emory");
    run_evil("() => { const a = []; for (let i = 0;; i++) a.push(('x' + i).repeat(100000).toUpperCase()); }", 20000, "emory");
    run_evil("() => new Array(1e9).fill(1)", 20000, "emory");
    run_evil("() => { const m = new Map(); for (let i = 0;; i++) m.set(i, i); }", 20000, "emory");
    run_evil("() => 'x'.repeat(2 ** 30)", 20000, "emory");
    run_evil("() => { const s = 'x'.repeat(2 ** 20); return JSON.stringify(Array(1000).fill(s)); }", 20000, "emory");
    run_evil("async () => { const a = []; for (;;) { a.push(new Array(1000).fill(1)); await 1; } }", 20000, "emory");
    close_pool();
}

Test(pool, a_killed_worker_is_replaced, .timeout = 60) {
    open_pool((struct pool_options){.workers = 1});
    run_text("() => 1", 5000);
    for (int i = 0; i < 20; i++) {
        t.finished = t.gone = 0;
        worker_kill(pick(), 5, ERR_RUN_CPU, "because");
        wait_for(1, 5000);
        cr_assert_eq(t.gone, 1);
        cr_assert_eq(t.why.code, ERR_RUN_CPU);
        cr_assert_eq(t.why.run, 5);
    }
    run_text("() => 'back'", 5000);
    assert_output("back");
    close_pool();
}

Test(pool, without_a_layer_that_must_hold_there_is_no_pool, .timeout = 60) {
    static const struct pool_handler handler = {on_frame, on_gone, on_stuck, on_ready};
    struct pool_options options = {.workers = 1, .binary = t.binary};
    struct error err;
    test_worker_link(test_unfiltered_worker(), t.binary, sizeof t.binary);
    t.loop = loop_new();
    t.pool = pool_open(t.loop, &options, &handler, NULL, &err);
    cr_assert(t.pool);
    cr_assert(!pool_wait(t.pool, &err));
    cr_assert(strstr(err.text, "'system calls' does not hold"), "%s", err.text);
    close_pool();
    open_worker(test_unfiltered_worker(), (struct pool_options){.workers = 1, .allow_unconfined = true});
    close_pool();
}

/* ---- frames that a worker forges ---- */

/* Where the server has the worker say anything it likes: the bundle's units have send, and raw bytes need no more than a unit
 * that is native, so the worker here writes what it reads. */
static void serve_echo(void) {
    char bytes[4096];
    for (ssize_t n; (n = read(LINK_SOCKET, bytes, sizeof bytes)) > 0;) {
        struct str frame = {bytes, (size_t)n}, section; /* one small FLOW frame: what its second section holds is said */
        frame = str_of(frame.ptr + FRAME_HEADER_SIZE, frame.len - FRAME_HEADER_SIZE);
        if (!frame_take_section(&frame, &section) || !frame_take_section(&frame, &section) ||
            write(LINK_SOCKET, section.ptr, section.len) < 0)
            _exit(1);
    }
    _exit(0);
}

const struct test_worker *test_forging_worker(void) {
    static struct test_worker worker = {.name = "test-forging-worker", .parts.serve = serve_echo};
    worker.parts.runtime = worker.parts.toolbox = bundle();
    return &worker;
}

static void forge(struct str bytes, const char *why) {
    struct worker *w = pick();
    struct frame_writer f = worker_frame(w, FRAME_FLOW, 1);
    frame_section(&f, STR(""));
    frame_section(&f, bytes);
    t.finished = t.gone = 0;
    worker_run_added(w);
    cr_assert(worker_send(w, &f));
    wait_for(1, 5000);
    cr_assert_eq(t.gone, 1, "%s was believed", why);
    cr_expect_eq(t.why.code, ERR_PROTOCOL, "%s", t.why.text);
    cr_expect(strstr(t.why.text, why), "%s instead of %s", t.why.text, why);
}

#define HEADER(size, kind, flags, run) size "\0" kind flags "\0\0" run "\0\0\0\0\0\0\0"

Test(pool, a_worker_that_forges_frames_is_replaced, .timeout = 60) {
    open_worker(test_forging_worker(), (struct pool_options){.workers = 1});
    forge(STR(HEADER("\0\0\0", "\x3c", "\0", "\1")), "kind 60");
    forge(STR(HEADER("\0\0\0", "\3", "\0", "\1")), "kind 3");
    forge(STR("\xff\xff\xff\xff&\0\0\0\1\0\0\0\0\0\0\0"), "at most");
    forge(STR(HEADER("\0\0\0", "&", "\7", "\1")), "flags");
    forge(STR("\0\0\0\0&\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"), "2^53");
    forge(STR(HEADER("\0\0\0", "!", "\0", "\0")), "READY");
    forge(STR(HEADER("\0\0\0", "(", "\0", "\0")), "JOB_DONE");
    close_pool();
}

/* ---- toolbox ---- */

static struct {
    unsigned done, failed;
    char last[200];
    enum error_code code;
} jobs;

static void on_job(void *arg, struct str answer, const struct error *err) {
    (void)arg;
    jobs.done++;
    jobs.failed += err != NULL;
    jobs.code = err ? err->code : ERR_NONE;
    snprintf(jobs.last, sizeof jobs.last, "%.*s", STR_ARG(answer));
    t.finished++;
    stop_when_done();
}

Test(pool, toolbox_jobs_have_a_process_each, .timeout = 60) {
    open_pool((struct pool_options){.workers = 1});
    for (int i = 0; i < 5; i++)
        pool_toolbox(t.pool, STR("globalThis.n = (globalThis.n || 0) + 1; 'n=' + n"), on_job, NULL);
    cr_assert_eq(jobs.done, 0);
    wait_for(5, 20000);
    cr_assert_eq(jobs.done, 5);
    cr_assert_eq(jobs.failed, 0);
    cr_assert_str_eq(jobs.last, "n=1");
    t.finished = 0;
    pool_toolbox(t.pool, STR("const a = []; for (;;) a.push(new Array(10000).fill(7))"), on_job, NULL);
    wait_for(1, 20000);
    cr_assert_eq(jobs.failed, 1);
    cr_assert_eq(jobs.code, ERR_RUN_MEMORY, "%s", error_name(jobs.code));
    close_pool();
}

Test(pool, jobs_end_when_the_pool_closes, .timeout = 60) {
    open_pool((struct pool_options){.workers = 1});
    for (int i = 0; i < 5; i++)
        pool_toolbox(t.pool, STR("for (;;);"), on_job, NULL);
    close_pool();
    cr_assert_eq(jobs.failed, 5);
}

/* ---- picking ---- */

Test(pool, picks_another_worker_while_one_is_busy, .timeout = 60) {
    open_pool((struct pool_options){.workers = 2, .cpu_limit_ms = 1000});
    run_text("() => 1", 5000);
    struct worker *first = pick(), *second;
    cr_assert_eq(pick(), first);
    t.finished = t.gone = 0;
    send_unit(first, "slow", "() => { for (;;); }");
    send_start(first, 9, "slow", STR(""));
    do
        uv_run(loop_uv(t.loop), UV_RUN_ONCE);
    while ((second = pick()) == first);
    send_unit(second, "unit", "() => 'meanwhile'");
    send_start(second, 10, "unit", STR(""));
    wait_for(1, 5000);
    assert_output("meanwhile");
    wait_for(2, 10000);
    assert_output("ended run_cpu");
    close_pool();
}

Test(pool, one_that_is_stuck_is_told_and_replaced, .timeout = 60) {
    open_pool((struct pool_options){.workers = 1, .cpu_limit_ms = 1000});
    run_text("() => 1", 5000);
    struct worker *first = pick();
    t.finished = t.gone = 0;
    worker_run_added(first);
    worker_run_added(first);
    send_unit(first, "slow", "() => { for (;;); }");
    send_start(first, 9, "slow", STR(""));
    while (!t.stuck)
        uv_run(loop_uv(t.loop), UV_RUN_ONCE);
    cr_assert_eq(t.stuck, 9);
    while (pick() == first || !pick())
        uv_run(loop_uv(t.loop), UV_RUN_ONCE);
    cr_assert_eq(t.finished, 0, "the other came before the end of the run");
    wait_for(1, 10000);
    assert_output("ended run_cpu");
    close_pool();
}

Test(pool, one_that_is_alone_serves_nobody_else, .timeout = 60) {
    struct worker *alone;
    open_pool((struct pool_options){.workers = 1});
    run_text("() => 1", 5000);
    while (!(alone = pool_pick_alone(t.pool, STR("one"))))
        loop_run(t.loop);
    cr_assert_neq(pick(), alone);
    t.finished = 0;
    send_unit(alone, "unit", "() => 'alone'");
    send_start(alone, 11, "unit", STR(""));
    cr_assert_neq(pool_pick_alone(t.pool, STR("one")), alone);
    wait_for(1, 5000);
    assert_output("alone");
    close_pool();
}

Test(pool, large_bodies_pass_both_ways, .timeout = 60) {
    struct worker *w;
    open_pool((struct pool_options){.workers = 1, .memory_limit_bytes = 256u << 20});
    w = pick();
    char *body = mem_alloc(8000000);
    memset(body, 'b', 8000000);
    send_unit(w, "unit", "(host, run, s) => host.utf8Decode(s[1]) + s[1].byteLength");
    send_start(w, 12, "unit", str_of(body, 8000000));
    wait_for(1, 20000);
    cr_assert_eq(t.output.len, 8000007);
    cr_assert(memcmp(t.output.ptr, body, 8000000) == 0);
    cr_assert_str_eq(t.output.ptr + 8000000, "8000000");
    free(body);
    run_text("(host, run) => { host.send(38, run, 'x'.repeat(17 << 20)); }", 20000);
    cr_assert(strstr(t.output.ptr, "threw RangeError"));
    close_pool();
}
