import assert from "node:assert/strict";
import { test } from "node:test";
import { addFlow, nextRelease, run, unitOf } from "./worker.ts";

const plan = `{
    id: "hello", name: "Hello", type: "endpoint",
    start: {method: "GET", path: "/hello", needs: ["query"]},
    blocks: [
        {id: "start", type: "start"},
        {id: "known", type: "condition", ins: [{from: 0, pin: "out", map: (input, $) => ({condition: input.query.name !== undefined}), code: ["query"]}]},
        {id: "greet", type: "script", ins: [{from: 1, pin: "true", map: (input, $) => ({name: input.query.name})}], names: [["message", "message"]], unit: "greet.ts"},
        {id: "ask", type: "end", ins: [{from: 1, pin: "false", map: (input, $) => ({status: 400, body: "who?"})}]},
        {id: "answer", type: "end", ins: [{from: 2, pin: "out", map: (input, $) => ({body: {message: input.message}})}]},
    ],
}`;
const units = { "greet.ts": unitOf("async function greet({name}) { return {message: `Hello ${name}`}; }", "greet") };

test("an endpoint answers what its End got", async () => {
    const number = nextRelease();
    await addFlow(number, "hello", plan, units);
    const done = await run(number, "hello", { method: "GET", query: "name=World" });
    assert.equal(done.state, "done");
    assert.deepEqual(done.answer, { status: 200, headers: [["Content-Type", "application/json"]] });
    assert.equal(done.body, '{"message":"Hello World"}');
    assert.deepEqual(
        done.history.blocks.map(({ path, pin }) => `${path} ${pin}`),
        ["start out", "known true", "greet out", "answer out"],
    );
    const other = await run(number, "hello", { method: "GET", query: "" });
    assert.deepEqual([other.answer!.status, other.body], [400, "who?"]);
});
