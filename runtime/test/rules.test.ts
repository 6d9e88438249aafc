// The rules of docs/semantics.md, one by one; their numbers stand in the names.

import assert from "node:assert/strict";
import { test } from "node:test";
import { release, type Any, type TestBlock, type TestFlow } from "./build.ts";
import { asksOf, enter, finishedOf, nextRun, run, SEED, type Asked, type Outcome } from "./worker.ts";
import { Frame } from "../src/host.ts";

const yes: TestBlock = { id: "yes", type: "condition", in: { start: () => ({ condition: true }) } };
const failing = (id: string, ins: TestBlock["in"], code = "failed"): TestBlock =>
    ({ id, type: "script", in: ins, script: `function f() { throw Object.assign(new Error("${id} broke")); }`, config: { code } });
const give = (id: string, ins: TestBlock["in"], name: string, value: string): TestBlock =>
    ({ id, type: "script", in: ins, gives: [name], script: `function f() { return {${name}: ${value}}; }` });
const end = (ins: TestBlock["in"], id = "end"): TestBlock => ({ id, type: "end", in: ins });

async function outcome(flow: TestFlow | TestBlock[], input: object = {}, answer?: (asked: Asked) => object): Promise<Outcome> {
    const number = await release({ main: Array.isArray(flow) ? { blocks: flow } : flow });
    return run(number, "main", { input }, answer as Any);
}
const ran = (done: Outcome): string[] => done.history.blocks.map((block) => `${block.path} ${block.pin}`);

test("3, 5: a block leaves by one pin, blocks that no taken way reaches are skipped", async () => {
    const done = await outcome([
        yes,
        give("a", { "yes.true": null }, "x", "1"),
        give("b", { "yes.false": null }, "x", "2"),
        give("c", { b: null }, "y", "3"),
        end({ a: (input) => ({ x: input.x }) }),
    ]);
    assert.deepEqual(ran(done), ["start out", "yes true", "a out", "end out"]);
    assert.deepEqual(done.output, { x: 1 });
});

test("5: a Switch leaves by the pin of the case that has the value, else by default", async () => {
    const flow = [
        {
            id: "which",
            type: "switch",
            in: { start: (input: Any) => ({ value: input.v }) },
            config: { cases: [{ id: "one", value: 1 }, { id: "text", value: "1" }, { id: "no", value: false }, { id: "none", value: null }] },
        },
        ...["one", "text", "no", "none", "default"].map((pin) => give(pin, { [`which.${pin}`]: null }, "way", `"${pin}"`)),
        end(Object.fromEntries(["one", "text", "no", "none", "default"].map((pin) => [pin, (input: Any) => ({ way: input.way })]))),
    ];
    for (const [v, way] of [[1, "one"], ["1", "text"], [false, "no"], [null, "none"], [undefined, "none"], [0, "default"], [{}, "default"]])
        assert.deepEqual((await outcome(flow, { v })).output, { way });
});

test("24: a Mail is one operation, whose key stays the same over its attempts", async () => {
    const mail = { server: "smtps://m.test", from: "a@m.test", to: ["b@m.test"], subject: "x" };
    const flow: TestBlock[] = [
        { id: "tell", type: "mail", in: { start: eval(`() => (${JSON.stringify(mail)})`) }, gives: ["sent"], retry: { times: 1 }, timeout_ms: 500 },
        end({ "tell.out": (input) => ({ sent: input.sent }), "tell.error": (input) => ({ error: input.error }) }),
    ];
    const answers = [{ error: { code: "timeout", message: "slow", retry: true } }, { value: null }, { value: { accepted: ["b@m.test"] } }];
    const done = await outcome(flow, {}, () => answers.shift()!);
    assert.deepEqual(done.output, { sent: { accepted: ["b@m.test"] } });
    const [first, , second] = done.asked;
    assert.deepEqual([first.op, first.args], ["mail.send", { ...mail, timeout_ms: 500 }]);
    assert.ok(first.key && first.key === second.key && first.id !== second.id);
    const refused = await outcome(flow, {}, () => ({ error: { code: "invalid", message: "to: no address" } }));
    assert.equal((refused.output as Any).error.code, "invalid");
});

test("3: two exclusive ways into one block run it once, with what the taken way brought", async () => {
    const flow = [
        { ...yes, in: { start: (input: Any) => ({ condition: input.ok }) } },
        give("a", { "yes.true": null }, "x", '"yes"'),
        give("b", { "yes.false": null }, "x", '"no"'),
        end({ a: (input) => ({ x: input.x, way: "a" }), b: (input) => ({ x: input.x, way: "b" }) }),
    ];
    assert.deepEqual((await outcome(flow, { ok: true })).output, { x: "yes", way: "a" });
    assert.deepEqual((await outcome(flow, { ok: false })).output, { x: "no", way: "b" });
});

test("4, 10: a Join waits for all ways, takes their names together, and is not blocked by one that was not chosen", async () => {
    const done = await outcome(
        [
            yes,
            give("slow", { start: null }, "s", "await_"),
            give("never", { "yes.false": null }, "n", "1"),
            give("quick", { start: null }, "q", "2"),
            { id: "join", type: "join", in: { slow: null, never: null, quick: null } },
            end({ join: (input) => ({ names: Object.keys(input).sort() }) }),
        ].map((block) => (block.id === "slow" ? { ...block, script: "async function f() { await sleep(5); return {s: 1}; }" } : block)) as TestBlock[],
    );
    assert.deepEqual(done.output, { names: ["q", "s"] });
});

test("4: a Join fails when one of its ways failed, and is skipped when none was taken", async () => {
    const failed = await outcome([
        failing("a", { start: null }),
        give("b", { start: null }, "x", "1"),
        { id: "join", type: "join", in: { a: null, b: null } },
        end({ join: () => ({ reached: true }) }),
    ]);
    assert.equal(failed.state, "failed");
    assert.deepEqual(ran(failed), ["start out", "a error", "b out"]);
    const skipped = await outcome([
        yes,
        give("a", { "yes.false": null }, "x", "1"),
        { id: "join", type: "join", in: { a: null, "yes.false": null } },
        end({ join: () => ({ reached: true }) }),
    ]);
    assert.deepEqual([skipped.state, skipped.output], ["done", {}]);
});

test("10: the newer binding of a name stays after a Join, in either order of the ways", async () => {
    for (const order of [["a", "b"], ["b", "a"]]) {
        const done = await outcome([
            give("first", { start: null }, "n", '"old"'),
            give("a", { first: null }, "n", '"new"'),
            give("b", { first: null }, "m", "1"),
            { id: "join", type: "join", in: Object.fromEntries(order.map((id) => [id, null])) },
            end({ join: (input) => ({ n: input.n, m: input.m }) }),
        ]);
        assert.deepEqual(done.output, { n: "new", m: 1 });
    }
});

test("6: when a branch fails its siblings go on; the first in the document's order is reported, all are listed", async () => {
    const done = await outcome([
        { ...failing("late", { start: null }), order: 9, script: "async function f() { await sleep(1); throw new TypeError('late'); }" },
        { ...failing("first", { start: null }), order: 2, script: "async function f() { await sleep(2); throw new Error('first'); }" },
        give("other", { start: null }, "x", "1"),
        end({ other: (input) => ({ x: input.x }) }),
    ]);
    assert.equal(done.state, "failed");
    assert.equal(done.error!.block, "first");
    assert.deepEqual(done.errors!.map((error) => error.block), ["first", "late"]);
    assert.ok(ran(done).includes("end out"));
});

test("6: no End was reached: {}", async () => assert.deepEqual((await outcome([give("a", { start: null }, "x", "1")])).output, {}));

test("9: after an error pin there are `error` and, where one came, `response`", async () => {
    const flow: TestBlock[] = [
        { id: "page", type: "http", in: { start: () => ({ url: "https://x.test/a", method: "POST", body: { a: 1 } }) }, gives: ["response"] },
        end({ "page.out": (input) => ({ out: input.response }), "page.error": (input) => ({ error: input.error, status: input.response?.status }) }),
    ];
    const refused = await outcome(flow, {}, () => ({ value: { status: 429, headers: {}, body: "" } }));
    assert.deepEqual(refused.output, { error: { block: "page", code: "http_status", message: "x.test answered 429", status: 429, retry: true }, status: 429 });
    const lost = await outcome(flow, {}, () => ({ error: { code: "timeout", message: "took too long", retry: true } }));
    assert.deepEqual(lost.output, { error: { block: "page", code: "timeout", message: "took too long", retry: true } });
});

test("9: nothing but names is in `input`; a newer value replaces an older one of the same name", async () => {
    const done = await outcome(
        [give("a", { start: null }, "n", "2"), end({ a: (input) => ({ all: { ...input } }) })],
        { n: 1, other: "x" },
    );
    assert.deepEqual(done.output, { all: { n: 2, other: "x" } });
});

test("12: what a script does to its argument nobody else sees, and neither what an expression does to input", async () => {
    const done = await outcome(
        [
            { id: "a", type: "script", in: { start: (input) => ({ list: input.list }) }, gives: ["x"], script: "function f({list}) { list.push(9); list[0].n = 5; return {x: list}; }" },
            { id: "b", type: "script", in: { a: (input) => ({ first: input.list.sort()[0] && input.list.reverse().length }) }, code: ["list"], gives: ["y"], script: "function f({first}) { return {y: first}; }" },
            end({ b: (input) => ({ list: input.list, x: input.x, y: input.y }) }),
        ],
        { list: [{ n: 1 }, { n: 2 }] },
    );
    assert.deepEqual(done.output, { list: [{ n: 1 }, { n: 2 }], x: [{ n: 5 }, { n: 2 }, 9], y: 2 });
});

test("12: what is handed over is JSON and bytes; anything else is an error that names its path", async () => {
    const returned = async (text: string) => {
        const done = await outcome([
            { id: "s", type: "script", in: { start: null }, gives: ["x"], script: `function f() { ${text} }` },
            end({ s: (input) => ({ x: input.x }), "s.error": (input) => ({ error: input.error.message }) }),
        ]);
        return done.output as { x?: unknown; error?: string };
    };
    assert.deepEqual(await returned("return {x: {when: new Date(0), gone: undefined, zero: -0, list: [undefined, null]}};"), {
        x: { when: "1970-01-01T00:00:00.000Z", zero: 0, list: [null, null] },
    });
    assert.deepEqual(await returned("return {x: new Uint8Array([1, 2])};"), { x: { $bytes: "AQI=" } });
    assert.deepEqual(await returned('return {x: html`<b>${"<"}</b>`};'), { x: "<b>&lt;</b>" });
    for (const [text, path] of [
        ["return {x: {a: [1, () => 1]}};", "x.a[1] is a function"],
        ["return {x: Symbol.iterator};", "x is a symbol"],
        ["return {x: 1n};", "x is a bigint"],
        ["return {x: {y: NaN}};", "x.y is NaN"],
        ["return {x: 1 / 0};", "x is Infinity"],
        ["const x = {}; x.y = {z: x}; return {x};", "x.y.z is a cycle"],
        ["return {x: new Map()};", "x is a Map"],
        ["return {x: new Date(NaN)};", "x is an invalid date"],
        ["return {x: Promise.resolve()};", "x is a promise"],
        ['let x = {}; for (let i = 0; i < 200; i++) x = {"a b": x}; return {x};', 'x["a b"]["a b"] is nested deeper'],
    ])
        assert.ok((await returned(text)).error?.includes(path), `${text}: ${(await returned(text)).error}`);
});

test("12: a single value is handed on as `result`", async () => {
    const done = await outcome([
        { id: "s", type: "script", in: { start: null }, names: [["result", "count"]], script: "function f() { return 3; }" },
        end({ s: (input) => ({ count: input.count }) }),
    ]);
    assert.deepEqual(done.output, { count: 3 });
});

test("13: a mapping may await; its fault names the input and the block", async () => {
    const done = await outcome(
        [
            {
                id: "s",
                type: "script",
                // eslint-disable-next-line @typescript-eslint/no-unused-vars
                in: { start: async (_input, $) => ({ ip: (($.at = "ip"), (await $.dns.lookup("x.test")).addresses[0].address) }) },
                code: [],
                gives: ["ip"],
                script: "function f({ip}) { return {ip}; }",
            },
            end({ s: (input) => ({ ip: input.ip }) }),
        ],
        {},
        () => ({ value: { addresses: [{ address: "192.0.2.1" }] } }),
    );
    assert.deepEqual([done.output, done.asked[0].id], [{ ip: "192.0.2.1" }, "s#1"]);
    const bad = await outcome([
        { id: "s", type: "end", in: { start: (input, $) => ({ a: (($.at = "a"), 1), b: (($.at = "b"), input.missing.length) }) }, code: ["missing"] },
    ]);
    assert.equal(bad.error!.code, "mapping");
    assert.match(bad.error!.message, /^input "b": /);
});

test("14: turns in order or several at once; results keep the list's order", async () => {
    const flow = (at_once: number): TestBlock[] => [
        {
            id: "each",
            type: "loop",
            in: { start: (input) => ({ list: input.list }) },
            config: { at_once },
            gives: ["item", "index", "results", "failures"],
            blocks: [
                { id: "work", type: "script", in: { "start.each": (input) => ({ item: input.item, base: input.base }) }, gives: ["v"], script: "async function f({item, base}) { await sleep(item); return {v: base + item}; }" },
                end({ work: (input) => ({ value: [input.index, input.v] }) }),
            ],
        },
        end({ "each.done": (input) => ({ results: input.results, seen: Object.keys(input).sort() }) }),
    ];
    for (const at_once of [1, 2, 5]) {
        const number = await release({ main: { blocks: flow(at_once) } });
        const runNumber = nextRun();
        const frames = await enter(Frame.START, runNumber, JSON.stringify({ flow: "main", number, t: 1, seed: SEED, mode: "live", input: { list: [3, 1, 2], base: 10 } }), undefined, "");
        let open = asksOf(frames);
        assert.equal(open.length, Math.min(at_once, 3));
        assert.deepEqual(open.map((one) => one.id), ["each[0].work#1", "each[1].work#1", "each[2].work#1"].slice(0, at_once));
        for (let t = 2; open.length > 0; t++) {
            const last = open.pop()!; // the latest first
            const more = await enter(Frame.RESULT, runNumber, JSON.stringify({ id: last.id, t, value: null }));
            frames.push(...more);
            open = open.concat(asksOf(more));
            assert.ok(open.length <= at_once);
        }
        assert.deepEqual(finishedOf(frames)!.output, { results: [[0, 13], [1, 11], [2, 12]], seen: ["base", "failures", "list", "results"] });
    }
});

test("14: a turn that reached no End is null; an empty list is done at once", async () => {
    const flow = (list: unknown[]): TestBlock[] => [
        { id: "each", type: "loop", in: { start: null }, gives: ["results"], blocks: [give("a", { "start.each": null }, "x", "1")] },
        end({ "each.done": (input) => ({ results: input.results }) }),
    ].map((block) => (block.id === "each" ? { ...block, in: { start: eval(`() => ({list: ${JSON.stringify(list)}})`) } } : block)) as TestBlock[];
    assert.deepEqual((await outcome(flow([1, 2]))).output, { results: [null, null] });
    assert.deepEqual((await outcome(flow([]))).output, { results: [] });
    assert.match((await outcome(flow(1 as Any))).error!.message, /input "list": a list is needed/);
});

test("14: while, one turn after another with `index` and `last`, at most so many", async () => {
    const flow = (at_most: number, condition: string, work = "async function f({last}) { await sleep(1); return {v: (last ?? 0) + 10}; }"): TestBlock[] => [
        {
            id: "each",
            type: "loop",
            in: { start: null },
            config: { at_most },
            while: eval(`(input, $) => ({while: ${condition}})`),
            code: ["last", "index", "base"],
            gives: ["index", "last", "results"],
            blocks: [
                { id: "work", type: "script", in: { "start.each": (input) => ({ last: input.last }) }, gives: ["v"], script: work },
                end({ work: (input) => ({ value: input.v }) }),
            ],
        },
        end({ "each.done": (input) => ({ results: input.results, seen: Object.keys(input).sort() }), "each.error": (input) => ({ error: input.error }) }),
    ];
    assert.deepEqual((await outcome(flow(9, "(input.last ?? 0) < 30"), { base: 1 })).output, { results: [10, 20, 30], seen: ["base", "results"] });
    assert.deepEqual((await outcome(flow(3, "input.index < 3"))).output, { results: [10, 20, 30], seen: ["results"] });
    assert.deepEqual((await outcome(flow(9, "false"))).output, { results: [], seen: ["results"] });
    const error = async (...given: Parameters<typeof flow>): Promise<Any> => ((await outcome(flow(...given))).output as Any).error;
    assert.equal((await error(2, "true")).code, "too_many_turns");
    assert.match((await error(2, "input.last")).message, /`while` must give true or false/);
    assert.match((await error(2, "missing.x")).message, /^input "while"|missing/);
    assert.deepEqual(await error(5, "true", "function f({last}) { if (last === 2) throw new Error('no'); return {v: (last ?? 0) + 1}; }").then(({ index, code }) => [index, code]), [2, "script"]);
    // Turns in which nothing waits are no recursion.
    assert.equal(((await outcome(flow(20000, "input.index < 20000", "function f() { return {v: 1}; }"))).output as Any).results.length, 20000);
});

test("14: stop starts no turn any more and reports the lowest index; collect runs all", async () => {
    const flow = (on_failure: string): TestBlock[] => [
        {
            id: "each",
            type: "loop",
            in: { start: () => ({ list: [0, 1, 2, 3, 4] }) },
            config: { at_once: 2, on_failure },
            gives: ["results", "failures"],
            blocks: [
                { id: "work", type: "script", in: { "start.each": (input) => ({ i: input.index }) }, gives: ["v"], script: "async function f({i}) { await sleep(1); if (i === 1 || i === 2) throw new Error('turn ' + i); return {v: i}; }" },
                end({ work: (input) => ({ value: input.v }) }),
            ],
        },
        end({ "each.done": (input) => ({ results: input.results, failures: input.failures }), "each.error": (input) => ({ error: input.error }) }),
    ];
    const stopped = await outcome(flow("stop"));
    assert.equal((stopped.output as Any).error.index, 1);
    assert.match((stopped.output as Any).error.message, /^turn 1: work\.ts:1:\d+: turn 1$/);
    assert.deepEqual(stopped.asked.map((one) => one.id), ["each[0].work#1", "each[1].work#1", "each[2].work#1"]);
    const all = (await outcome(flow("collect"))).output as Any;
    assert.deepEqual(all.results, [0, null, null, 3, 4]);
    assert.deepEqual(all.failures.map((one: Any) => [one.index, one.error.code]), [[1, "script"], [2, "script"]]);
});

test("the record of a loop has its first and last turns, and those in which something failed", async () => {
    const flow: TestBlock[] = [
        {
            id: "each",
            type: "loop",
            in: { start: () => ({ list: Array.from({ length: 1000 }, (_, i) => i) }) },
            config: { on_failure: "collect" },
            gives: ["results"],
            blocks: [
                { id: "work", type: "script", in: { "start.each": (input) => ({ i: input.item }) }, gives: ["v"], script: "function f({i}) { if (i === 500 || i === 700) throw new Error('turn ' + i); return {v: i}; }" },
                end({ work: (input) => ({ value: input.v }) }),
            ],
        },
        end({ "each.done": (input) => ({ count: input.results.length }) }),
    ];
    const { history, output } = await outcome(flow);
    assert.deepEqual(output, { count: 1000 });
    const told = history.blocks.map((block) => /^each\[(\d+)\]\.work$/.exec(block.path)).filter((found) => found !== null).map((found) => Number(found[1]));
    const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
    assert.deepEqual(told, [...range(0, 100), 500, 700, ...range(900, 1000)]);
    assert.deepEqual([(history as Any).omitted, history.blocks.at(-1)!.path], [2 * (1000 - 202), "end"]);

    // Ended by force in the middle: what was last is told as well.
    const number = await release({ main: { blocks: [{ ...flow[0], blocks: [{ ...flow[0].blocks![0], script: "async function f({i}) { if (i === 300) await sleep(9); return {v: i}; }" }, flow[0].blocks![1]] }, flow[1]] } });
    const run = nextRun();
    await enter(Frame.START, run, JSON.stringify({ flow: "main", number, t: 1, seed: SEED, mode: "live", input: {} }), undefined, "");
    const paths = finishedOf(await enter(Frame.CANCEL, run, '{"code":"run_time","message":"too long"}'))!.history.blocks.map((block) => block.path);
    assert.ok(paths.includes("each[299].work") && paths.includes("each[200].work") && !paths.includes("each[199].work"));
});

test("of a long value the record has the beginning of its JSON", async () => {
    const items = Array.from({ length: 500 }, (_, i) => ({ id: `n"${i}`, deep: i % 50 ? [i, null] : Array.from({ length: 40 }, (_, k) => [k]), none: undefined }));
    for (const value of [{ items, after: 1 }, { before: { items }, items }, { list: Array.from({ length: 31 }, (_, i) => i) }, { text: "x".repeat(5000) }]) {
        const { history } = await outcome([give("a", { start: null }, "v", `(${JSON.stringify(value)})`), end({ a: (input) => ({ v: input.v }) })]);
        const whole = JSON.stringify({ v: value });
        for (const told of [history.blocks[1].output, history.blocks[2].output] as Any[])
            if (whole.length <= 4000) assert.deepEqual(told, JSON.parse(whole));
            else assert.ok(told.$cut === whole.slice(0, 4000) && told.length > 4000 && told.length <= whole.length);
    }
});

const callee: TestFlow = {
    start: {},
    blocks: [
        { ...yes, in: { start: (input) => ({ condition: input.ok }) } },
        end({ "yes.true": (input) => ({ got: input.n }) }, "fine"),
        { id: "bad", type: "end", in: { "yes.false": () => ({ message: "no", code: "mine" }) }, config: { pin: "error" } },
    ],
};

test("15: a called flow is a scope of the run; its End names the pin", async () => {
    const number = await release({
        main: {
            blocks: [
                { id: "call", type: "call", in: { start: (input) => ({ n: 1, ok: input.ok }) }, config: { flow: "callee" }, gives: ["got"] },
                end({ "call.out": (input) => ({ got: input.got }), "call.error": (input) => ({ error: input.error }) }),
            ],
        },
        callee,
    });
    const fine = await run(number, "main", { input: { ok: true } });
    assert.deepEqual(fine.output, { got: 1 });
    assert.deepEqual(ran(fine), ["start out", "call>yes true", "call>fine out", "call out", "end out"]);
    const bad = await run(number, "main", { input: { ok: false } });
    assert.deepEqual(bad.output, { error: { block: "call", code: "mine", message: "no" } });
});

test("15: recursion is bounded, with a clear error", async () => {
    const number = await release({
        main: { blocks: [{ id: "again", type: "call", in: { start: (input) => ({ n: input.n + 1 }) }, config: { flow: "main" }, gives: ["n"] }, end({ again: null })] },
    });
    const done = await run(number, "main", { input: { n: 0 } });
    assert.equal(done.error!.code, "too_deep");
    assert.match(done.error!.message, /nested deeper than 50/);
});

test("15: a started flow is an operation; from a script both are there", async () => {
    const number = await release({
        main: {
            blocks: [
                { id: "go", type: "call", in: { start: () => ({ a: 1 }) }, config: { flow: "callee", mode: "start" }, gives: ["run"] },
                { id: "s", type: "script", in: { go: null }, gives: ["x", "e", "r"], script: `async function f() {
                    const r = await flows.start("callee", {b: 2});
                    const x = await flows.call("callee", {ok: true, n: 7});
                    const e = await flows.call("callee", {ok: false}).catch((error) => error.code + " " + error.message);
                    return {x, e, r};
                }` },
                end({ s: (input) => ({ x: input.x, e: input.e, r: input.r, run: input.run }) }),
            ],
        },
        callee,
    });
    const done = await run(number, "main", { input: {} }, (asked) => ({ value: { run: asked.id } }));
    assert.deepEqual(done.output, { run: "go#1", r: { run: "s#1" }, x: { got: 7 }, e: "mine no" });
    assert.deepEqual(done.asked.map((one) => [one.op, one.args]), [
        ["flows.start", { flow: "callee", input: { a: 1 } }],
        ["flows.start", { flow: "callee", input: { b: 2 } }],
    ]);
    assert.ok(ran(done).includes("s#2>fine out"));
});

test("17: Respond answers now; the flow goes on, and a later failure fails the run alone", async () => {
    const number = await release({
        main: {
            type: "endpoint",
            start: {},
            blocks: [
                { id: "answer", type: "respond", in: { start: () => ({ status: 202, body: "soon" }) } },
                { id: "work", type: "script", in: { answer: null }, script: "async function f() { await sleep(1); throw new Error('later'); }" },
            ],
        },
    });
    const done = await run(number, "main", {});
    const respond = done.frames.find((frame) => frame.kind === Frame.RESPOND)!;
    assert.deepEqual(JSON.parse(respond.sections[0] as string), { status: 202, headers: [["Content-Type", "text/plain; charset=utf-8"]] });
    assert.deepEqual([done.state, done.answer, done.error!.block], ["failed", undefined, "work"]);
});

test("18: attempts of one block, each with its own path; the service's wish goes before the policy", async () => {
    const answers = [
        { value: { status: 503, headers: { "retry-after": "7" } } },
        { value: null },
        { error: { code: "timeout", message: "too long", retry: true } },
        { value: null },
        { value: { status: 201, headers: {}, body: "" } },
    ];
    const done = await outcome(
        [
            { id: "page", type: "http", in: { start: () => ({ url: "https://x.test/", method: "POST" }) }, gives: ["response"], retry: { times: 3, delay_ms: 100, factor: 3 } },
            end({ "page.out": (input) => ({ status: input.response.status }) }),
        ],
        {},
        () => answers.shift()!,
    );
    assert.deepEqual(done.asked.map((one) => [one.id, one.op, one.args.ms]), [
        ["page#1", "http.request", undefined],
        ["page~2#0", "wait", 7000],
        ["page~2#1", "http.request", undefined],
        ["page~3#0", "wait", 300],
        ["page~3#1", "http.request", undefined],
    ]);
    assert.equal(new Set(done.asked.filter((one) => one.op === "http.request").map((one) => one.key)).size, 1);
    assert.deepEqual(done.history.blocks[1].attempts, 3);
    assert.deepEqual(done.output, { status: 201 });
});

test("18: only errors that may be retried are; the last one leaves by `error`", async () => {
    const flow = (on?: string[]): TestBlock[] => [
        { id: "s", type: "script", in: { start: null }, retry: { times: 1, ...(on && { on }) }, script: "function f() { throw new Error('no'); }" },
        end({ "s.error": (input) => ({ message: input.error.message }) }),
    ];
    assert.equal((await outcome(flow())).asked.length, 0);
    const again = await outcome(flow(["script"]));
    assert.deepEqual(again.asked.map((one) => one.id), ["s~2#0"]);
    assert.match((again.output as Any).message, /no$/);
});

test("a block's time-out ends it, and what was started for it", async () => {
    const flow: TestBlock[] = [
        { id: "s", type: "script", in: { start: null }, timeout_ms: 50, gives: ["x"], script: "async function f() { await tcp.check('h', 1); return {x: 1}; }" },
        end({ "s.out": (input) => ({ x: input.x }), "s.error": (input) => ({ code: input.error.code }) }),
    ];
    const number = await release({ main: { blocks: flow } });
    const start = async (): Promise<[number, Asked[]]> => {
        const runNumber = nextRun();
        return [runNumber, asksOf(await enter(Frame.START, runNumber, JSON.stringify({ flow: "main", number, t: 1, seed: SEED, mode: "live", input: {} }), undefined, ""))];
    };
    const [late, asked] = await start();
    assert.deepEqual(asked.map((one) => [one.id, one.op]), [["s#1", "wait"], ["s#2", "tcp.check"]]);
    assert.deepEqual(finishedOf(await enter(Frame.RESULT, late, JSON.stringify({ id: "s#1", t: 51, value: null })))!.output, { code: "timeout" });
    const [early] = await start();
    const frames = await enter(Frame.RESULT, early, JSON.stringify({ id: "s#2", t: 2, value: {} }));
    assert.deepEqual(asksOf(frames).map((one) => [one.op, one.args]), [["wait.cancel", { id: "s#1" }]]);
    assert.deepEqual(finishedOf(frames)!.output, { x: 1 });
});

test("18: Wait is parked, by a duration or until a time by the activation's clock", async () => {
    const flow: TestBlock[] = [
        { id: "w", type: "wait", in: { start: (input) => ({ ms: input.ms, until: input.until }) } },
        end({ "w.out": () => ({ waited: true }), "w.error": (input) => ({ error: input.error }) }),
    ];
    const t = 1_800_000_000_000; // run's
    const waits = async (input: object): Promise<unknown> => {
        const done = await outcome(flow, input);
        assert.deepEqual(done.output, { waited: true });
        return done.asked.map(({ op, args }) => [op, args]);
    };
    assert.deepEqual(await waits({ ms: 90_000 }), [["wait", { ms: 90_000, park: true }]]);
    assert.deepEqual(await waits({ until: new Date(t + 5000).toISOString() }), [["wait", { ms: 5000, park: true }]]);
    assert.deepEqual(await waits({ until: "2020-01-01T00:00:00Z" }), [["wait", { ms: 0, park: true }]]);
    for (const [input, message] of [[{}, /"ms": a number/], [{ ms: -1 }, /"ms": a number/], [{ until: "soon" }, /"until": a time/], [{ until: "2099-01-01T00:00:00Z" }, /more than 366 days/]] as const)
        assert.match(((await outcome(flow, input)).output as Any).error.message, message);
});

test("23: a script's module level is its own; the clock stands still; random numbers come from seed and path", async () => {
    const script = `let count = 0; const born = Date.now();
        async function f() {
            const t = [Date.now(), new Date().getTime()];
            await null; t.push(Date.now());
            await sleep(1);
            return {x: [++count, born, ...t, Date.now()], r: [Math.random(), crypto.randomUUID()]};
        }`;
    const flow: TestBlock[] = [
        { id: "a", type: "script", in: { start: null }, names: [["x", "xa"], ["r", "ra"]], script },
        { id: "b", type: "script", in: { a: null }, names: [["x", "xb"], ["r", "rb"]], script },
        end({ b: (input) => ({ xa: input.xa, xb: input.xb, ra: input.ra, rb: input.rb }) }),
    ];
    const number = await release({ main: { blocks: flow } });
    const one = (await run(number, "main", { input: {} })).output as Any;
    const t = one.xa[1] as number;
    assert.deepEqual(one.xa, [1, t, t, t, t, t + 1]);
    assert.deepEqual(one.xb, [1, t + 1, t + 1, t + 1, t + 1, t + 2]);
    assert.notDeepEqual(one.ra, one.rb);
    assert.match(one.ra[1], /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const two = (await run(number, "main", { input: {} })).output as Any;
    assert.deepEqual(two.ra, one.ra);
    const three = (await run(number, "main", { input: {}, seed: SEED.replace("00", "01") })).output as Any;
    assert.notDeepEqual(three.ra, one.ra);
});

test("errors of scripts name their own line", async () => {
    const done = await outcome([
        { id: "s", type: "script", in: { start: null }, script: "async function f() {\n    await sleep(1);\n    const x = undefined;\n    return x.y;\n}" },
    ]);
    assert.match(done.error!.message, /^s\.ts:4:\d+: TypeError: /);
    const op = await outcome(
        [{ id: "s", type: "script", in: { start: null }, script: 'async function f() {\n    await mail.send("smtps://x", "a@x", "b@x", "s", "t");\n}' }],
        {},
        () => ({ error: { code: "mail_refused", message: "550 no", status: 550 } }),
    );
    assert.deepEqual({ ...op.error, at: undefined }, { block: "s", code: "mail_refused", message: "550 no", status: 550, at: undefined });
    assert.match((op.error as Any).at, /^s\.ts:2:\d+$/);
});

test("a thousand operations at once are the most", async () => {
    const done = await outcome([
        { id: "s", type: "script", in: { start: null }, gives: ["e"], script: `async function f() {
            const all = []; for (let i = 0; i < 1001; i++) all.push(tcp.check("h", i));
            return {e: (await Promise.allSettled(all)).filter((one) => one.status === "rejected").map((one) => one.reason.code)};
        }` },
        end({ s: (input) => ({ e: input.e }) }),
    ]);
    assert.deepEqual([done.output, done.asked.length], [{ e: ["limit"] }, 1000]);
});

test("a run that is ended by force is finished with what it had", async () => {
    const number = await release({ main: { blocks: [give("a", { start: null }, "x", "1"), { id: "s", type: "script", in: { a: null }, script: "async function f() { await sleep(5); }" }] } });
    const runNumber = nextRun();
    await enter(Frame.START, runNumber, JSON.stringify({ flow: "main", number, t: 1, seed: SEED, mode: "live", input: {} }), undefined, "");
    const done = finishedOf(await enter(Frame.CANCEL, runNumber, JSON.stringify({ code: "run_cpu", message: "too much" })))!;
    assert.deepEqual([done.state, done.error!.code, done.history.blocks.length], ["failed", "run_cpu", 2]);
    assert.deepEqual(await enter(Frame.RESULT, runNumber, JSON.stringify({ id: "s#1", t: 2, value: null })), []);
});

test("a run that is watched tells of its blocks as it goes; values at a glance, attempts counted", async () => {
    const long = { long: "x".repeat(10_000) };
    const number = await release({
        main: {
            blocks: [
                { ...failing("shaky", { start: () => ({ long: "x".repeat(10_000) }) }), retry: { times: 1, delay_ms: 1 } },
                end({ "shaky.error": (input) => ({ code: input.error.code }) }),
            ],
        },
    });
    const watched = nextRun();
    await enter(Frame.WATCH, watched);
    const frames = await enter(Frame.START, watched, JSON.stringify({ flow: "main", number, t: 5, seed: SEED, mode: "practice", input: {} }), undefined, "");
    for (const { id } of asksOf(frames)) frames.push(...(await enter(Frame.RESULT, watched, JSON.stringify({ id, t: 9, value: null }))));
    const told = frames.filter((one) => one.kind === Frame.EVENT).map((one) => JSON.parse(one.sections[0] as string) as Any);
    const glance = { $cut: JSON.stringify(long).slice(0, 400), length: 10_011 };
    assert.deepEqual(told[0], { e: "began", path: "shaky", name: "shaky", t: 5, input: glance });
    assert.ok(finishedOf(frames));
    const unwatched = await enter(Frame.START, nextRun(), JSON.stringify({ flow: "main", number, t: 5, seed: SEED, mode: "practice", input: {} }), undefined, "");
    assert.equal(unwatched.filter((one) => one.kind === Frame.EVENT).length, 0);
});
