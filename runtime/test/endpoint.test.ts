import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";
import { release, type Any, type TestFlow } from "./build.ts";
import { Frame } from "../src/host.ts";
import { bodyText, buffer, enter, nextRelease, nextRun, realm, run, SEED, addFlow, type Outcome } from "./worker.ts";
import { source } from "./build.ts";

declare const BUNDLES: string;

const bytes = (text: string): ArrayBuffer => buffer(Buffer.from(text));
const NAMES = ["query", "requestBody", "rawBody", "headers", "cookies", "method", "client"];

/** Answers with everything that it was given. */
async function echo(start: Any, head: object, body?: ArrayBuffer): Promise<Outcome & { got: Any }> {
    const number = await release({
        main: { type: "endpoint", start: { needs: NAMES, ...start }, blocks: [{ id: "end", type: "end", in: { start: (input) => ({ body: { ...input } }) }, code: null }] },
    });
    const done = await run(number, "main", { method: "POST", ...head }, undefined, body);
    return { ...done, got: done.body ? JSON.parse(done.body) : undefined };
}

// Validators come from the toolbox, as in a release.
const toolbox = vm.runInContext(readFileSync(`${BUNDLES}/toolbox.js`, "utf8"), vm.createContext({}));
function validator(schema: object): string {
    let answer = "";
    toolbox({ send: (_kind: number, _run: number, text: string) => void (answer = text) }).frame(Frame.JOB, 0, JSON.stringify({ items: [{ kind: "schema", key: "k", schema }] }));
    return JSON.parse(answer).items[0].js;
}

/** As `echo`, with schemas that are checked. */
async function checked(start: Any, head: object, body?: ArrayBuffer): Promise<Outcome & { got: Any }> {
    const number = nextRelease();
    const units: Record<string, string> = {};
    const validators: Record<string, string> = {};
    if (start.query) units[(validators.query = "q")] = validator(start.query);
    if (start.body?.schema) units[(validators.body = "b")] = validator(start.body.schema);
    const plan = {
        id: "main", name: "main", type: "endpoint", start: { needs: ["query", "requestBody"], validators, ...start },
        blocks: [{ id: "start", type: "start" }, { id: "end", type: "end", ins: [{ from: 0, pin: "out", map: (input: Any) => ({ body: { ...input } }), code: null }] }],
    };
    await addFlow(number, "main", source(plan), units);
    const done = await run(number, "main", { method: "POST", ...head }, undefined, body);
    return { ...done, got: done.body ? JSON.parse(done.body) : undefined };
}

test("the Start's names", async () => {
    const { got } = await echo({}, {
        query: "a=1&b=%C3%A9+x", client: "192.0.2.7", type: "application/json",
        headers: [["X-One", "1"], ["x-one", "2"], ["Cookie", "a=b; c=\"d%20e\"; a=z; nothing"]],
    }, bytes('{"k": [1]}'));
    assert.deepEqual(got, {
        query: { a: "1", b: "é x" },
        requestBody: { k: [1] },
        rawBody: { $bytes: Buffer.from('{"k": [1]}').toString("base64") },
        headers: { "x-one": "1, 2", cookie: "a=b; c=\"d%20e\"; a=z; nothing" },
        cookies: { a: "b", c: "d e" },
        method: "POST",
        client: "192.0.2.7",
    });
});

test("path parameters have types", async () => {
    const start = { parameters: { id: { type: "integer" }, name: { type: "string" } }, needs: [] };
    assert.deepEqual((await echo(start, { path: { id: "-5", name: "a%2Fb" } })).got, { id: -5, name: "a/b" });
    for (const path of [{ id: "x", name: "a" }, { id: "1.5", name: "a" }, { id: "", name: "a" }, { id: "1", name: "%E0%A4" }])
        assert.equal((await echo(start, { path })).answer!.status, 400);
    const bad = await echo(start, { path: { id: "x", name: "%" } });
    assert.deepEqual(bad.got.errors.map((one: Any) => one.pointer), ["/path/id", "/path/name"]);
});

test("texts become what their schema says, and nothing else", async () => {
    const query = {
        type: "object",
        properties: { n: { type: "number" }, i: { type: "integer" }, b: { type: "boolean" }, s: { type: "string" }, list: { type: "array", items: { type: "integer" } } },
        required: ["n"],
    };
    const good = await checked({ query }, { query: "n=1.5&i=3&b=true&s=7&list=1&list=2&more=9" });
    assert.deepEqual(good.got.query, { n: 1.5, i: 3, b: true, s: "7", list: [1, 2], more: "9" });
    assert.deepEqual((await checked({ query }, { query: "n=1&list=4" })).got.query, { n: 1, list: [4] });
    const bad = await checked({ query }, { query: "i=1.5&b=yes&list=x" });
    assert.equal(bad.answer!.status, 400);
    assert.deepEqual(bad.answer!.headers, [["Content-Type", "application/problem+json"]]);
    assert.deepEqual(bad.got.errors, [
        { pointer: "/query/n", message: "is required" },
        { pointer: "/query/i", message: "must be a whole number" },
        { pointer: "/query/b", message: "must be true or false" },
        { pointer: "/query/list/0", message: "must be a whole number" },
    ]);
    const twice = await checked({ query }, { query: "n=1&n=2&s=a&s=b" });
    assert.deepEqual(twice.got.errors.map((one: Any) => one.pointer), ["/query/n", "/query/s"]);
});

test("a JSON body is validated as it is, with all violations and their pointers", async () => {
    const schema = { type: "object", properties: { a: { type: "integer" }, "b/c": { enum: ["x"] }, d: { type: "object", additionalProperties: false } }, required: ["a", "z"] };
    const bad = await checked({ body: { type: "json", schema } }, { type: "application/json" }, bytes('{"a": "1", "b/c": "y", "d": {"e": 1}}'));
    assert.deepEqual([bad.answer!.status, bad.state], [400, "done"]);
    assert.deepEqual(bad.got.errors, [
        { pointer: "/z", message: "is required" },
        { pointer: "/a", message: "must be a whole number" },
        { pointer: "/b~1c", message: 'must be "x"' },
        { pointer: "/d/e", message: "is not known here" },
    ]);
    assert.equal((await checked({ body: { type: "json", schema } }, {})).answer!.status, 400);
    assert.deepEqual((await checked({ body: { type: "json", schema } }, { type: "application/vnd.x+json; charset=utf-8" }, bytes('{"a": 1, "z": 0}'))).got.requestBody, { a: 1, z: 0 });
});

test("forms, multipart with files, text, bytes", async () => {
    const form = { type: "form", schema: { type: "object", properties: { n: { type: "integer" }, tags: { type: "array", items: { type: "string" } } }, required: ["n"] } };
    assert.deepEqual((await checked({ body: form }, { type: "application/x-www-form-urlencoded" }, bytes("n=5&tags=a&tags=b"))).got.requestBody, { n: 5, tags: ["a", "b"] });
    assert.deepEqual((await checked({ body: form }, { type: "application/x-www-form-urlencoded" }, bytes("n=5&n=6"))).got.errors, [{ pointer: "/n", message: "is given more than once" }]);
    const multipart = '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--B\r\nContent-Disposition: form-data; name="f"; filename="x.png"\r\nContent-Type: image/png\r\n\r\nPNG\r\n--B--\r\n';
    assert.deepEqual((await echo({ needs: ["requestBody"], body: { type: "multipart" } }, { type: "multipart/form-data; boundary=B" }, bytes(multipart))).got.requestBody, {
        a: "1",
        f: { name: "x.png", type: "image/png", size: 3, content: { $bytes: "UE5H" } },
    });
    assert.equal((await echo({ needs: ["requestBody"], body: { type: "multipart" } }, { type: "multipart/form-data" }, bytes(multipart))).answer!.status, 400);
    assert.equal((await echo({ needs: ["requestBody"], body: { type: "text" } }, { type: "whatever" }, bytes("é"))).got.requestBody, "é");
    assert.deepEqual((await echo({ needs: ["requestBody"], body: { type: "bytes" } }, { type: "image/png" }, bytes("P"))).got.requestBody, { $bytes: "UA==" });
});

test("without a type in the flow the request says what its body is", async () => {
    const start = { needs: ["requestBody"] };
    assert.deepEqual((await echo(start, { type: "application/json" }, bytes("[1]"))).got.requestBody, [1]);
    assert.deepEqual((await echo(start, { type: "application/x-www-form-urlencoded" }, bytes("a=b"))).got.requestBody, { a: "b" });
    assert.equal((await echo(start, { type: "text/plain" }, bytes("x"))).got.requestBody, "x");
    assert.deepEqual((await echo(start, {}, bytes("x"))).got.requestBody, { $bytes: "eA==" });
    assert.equal("requestBody" in (await echo(start, {})).got, false);
});

test("what is no body of the kind is refused", async () => {
    const json = { needs: ["requestBody"], body: { type: "json" } };
    assert.equal((await echo(json, { type: "application/x-www-form-urlencoded" }, bytes("a=b"))).answer!.status, 415);
    for (const body of ["{", '{"a": 1', "[".repeat(200) + "]".repeat(200), '{"a\\u0000": 1}']) assert.equal((await echo(json, { type: "application/json" }, bytes(body))).answer!.status, 400, body);
});

test("names from outside set no prototype", async () => {
    const { got } = await echo({ needs: ["query", "headers", "cookies"] }, { query: "__proto__=1&constructor=2", headers: [["__proto__", "x"], ["cookie", "__proto__=3"]] });
    assert.deepEqual(Object.keys(got.query), ["__proto__", "constructor"]);
    assert.deepEqual([Object.keys(got.headers), Object.keys(got.cookies)], [["__proto__", "cookie"], ["__proto__"]]);
});

test("bodies of answers", async () => {
    const answer = async (map: string): Promise<[number, string | undefined, string | undefined]> => {
        const flow: TestFlow = { type: "endpoint", blocks: [{ id: "end", type: "end", in: { start: eval(`() => (${map})`) }, code: [] }] };
        const done = await run(await release({ main: flow }), "main", { method: "GET" });
        return [done.answer!.status, done.answer!.headers.find(([name]) => name.toLowerCase() === "content-type")?.[1], done.body];
    };
    assert.deepEqual(await answer("{body: {a: 1}}"), [200, "application/json", '{"a":1}']);
    assert.deepEqual(await answer("{body: [1], status: 201}"), [201, "application/json", "[1]"]);
    assert.deepEqual(await answer('{body: "<!DOCTYPE html><p>"}'), [200, "text/html; charset=utf-8", "<!DOCTYPE html><p>"]);
    assert.deepEqual(await answer('{body: "plain"}'), [200, "text/plain; charset=utf-8", "plain"]);
    assert.deepEqual(await answer('{body: "<x>", headers: {"content-type": "text/xml"}, status: "404"}'), [404, "text/xml", "<x>"]);
    assert.deepEqual(await answer("{status: 204}"), [204, undefined, undefined]);
    assert.deepEqual(await answer("{body: false}"), [200, "application/json", "false"]);
    assert.deepEqual(await answer("{body: \"\\ud800\"}").then(([status]) => status), 200);
    for (const bad of ['{headers: {"x": "a\\r\\nSet-Cookie: b"}}', '{headers: {"a b": "x"}}', '{headers: {"Content-Length": "5"}}', "{status: 99}", '{status: "abc"}', '{headers: "x"}', '{headers: {a: {}}}'])
        assert.deepEqual((await answer(bad))[0], 500, bad);
});

test("no End: 204; several values of a header; an uncaught failure tells nothing but the run's id", async () => {
    const flow = (blocks: TestFlow["blocks"]): TestFlow => ({ type: "endpoint", blocks });
    const none = await run(await release({ main: flow([{ id: "a", type: "condition", in: { start: () => ({ condition: true }) } }]) }), "main", { method: "GET" });
    assert.deepEqual([none.answer!.status, none.body], [204, undefined]);
    const cookies = await run(await release({ main: flow([{ id: "e", type: "end", in: { start: () => ({ headers: { "Set-Cookie": ["a=1", "b=2"] } }) } }]) }), "main", { method: "GET" });
    assert.deepEqual(cookies.answer!.headers, [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]]);
    const failed = await run(await release({ main: flow([{ id: "s", type: "script", in: { start: null }, script: 'function f() { throw new Error("the password is hunter2"); }' }]) }), "main", { method: "GET" });
    assert.deepEqual([failed.state, failed.answer!.status], ["failed", 500]);
    assert.equal(failed.body!.includes("hunter2"), false);
    assert.match(JSON.parse(failed.body!).run, /^[0-9a-f]{14}$/);
    assert.match(failed.error!.message, /hunter2/);
});

test("PREPARE gives the input that a later START takes, and what tells a repeated delivery", async () => {
    const number = await release({
        main: {
            type: "endpoint",
            start: { needs: ["requestBody", "rawBody"], parameters: { id: { type: "integer" } }, deduplicate: (input: Any) => ({ deduplicate: input.requestBody.event.id }) },
            blocks: [{ id: "end", type: "end", in: { start: (input) => ({ body: { ...input } }) }, code: null }],
        },
    });
    const head = { flow: "main", number, t: 1, seed: SEED, mode: "live", durable: true };
    const prepare = async (path: object, body: string) => {
        const [frame] = await enter(Frame.PREPARE, nextRun(), JSON.stringify({ ...head, path, type: "application/json" }), bytes(body));
        assert.equal(frame.kind, Frame.PREPARED);
        return { ...JSON.parse(frame.sections[0] as string), body: bodyText(frame.sections[1]) };
    };
    const prepared = await prepare({ id: "5" }, '{"event": {"id": "E1"}}');
    assert.equal(prepared.deduplicate, "E1");
    assert.deepEqual(prepared.input.id, 5);
    const done = await run(number, "main", { ...head, input: prepared.input });
    assert.deepEqual(JSON.parse(done.body!), prepared.input);
    assert.equal("deduplicate" in (await prepare({ id: "5" }, "{}")), false);
    const refused = await prepare({ id: "x" }, "{}");
    assert.deepEqual([refused.answer.status, JSON.parse(refused.body).errors[0].pointer], [400, "/path/id"]);
});

test("a flow whose code cannot be used fails its runs, and only those", async () => {
    const number = nextRelease();
    await enter(Frame.FLOW, number, "broken", "SyntaxError: no", "u.ts", "SyntaxError: no");
    const frames = await enter(Frame.START, nextRun(), JSON.stringify({ flow: "broken", number, t: 1, seed: SEED, mode: "live", input: {} }), undefined, "");
    assert.match(JSON.parse(frames[0].sections[0] as string).error.message, /its plan SyntaxError: no/);
    assert.equal(realm !== undefined, true);
});
