import assert from "node:assert/strict";
import { test } from "node:test";
import { release, type Any, type TestBlock, type TestFlow } from "./build.ts";
import { asksOf, run, type Asked } from "./worker.ts";

/** What a script's one operation is asked for. */
async function asked(script: string): Promise<Asked["args"]> {
    const blocks: TestBlock[] = [{ id: "s", type: "script", in: { start: null }, script: `async function f() { ${script} }` }];
    const done = await run(await release({ main: { blocks } }), "main", { input: {} });
    assert.equal(done.state, "done", done.error?.message);
    return done.asked[0].args;
}

test("mail.send takes its options by the names that scripts use", async () => {
    assert.deepEqual(await asked('await mail.send({server: "smtps://x", to: ["a@b"], messageId: "<1@b>", replyTo: "c@d", timeout: 5500});'), {
        server: "smtps://x", to: ["a@b"], message_id: "<1@b>", reply_to: "c@d", timeout_ms: 5500,
    });
    assert.deepEqual(await asked('await mail.send("smtps://x", "a@b", "c@d", "s", "<p>", true);'), {
        server: "smtps://x", from: "a@b", to: "c@d", subject: "s", html: "<p>",
    });
});

test("http.request makes a body and a query of values", async () => {
    assert.deepEqual(await asked('await http.request({url: "https://x.test/", query: {a: [1, "b c"]}, timeout: 5000, followRedirects: false});'), {
        method: "GET", url: "https://x.test/?a=1&a=b+c", headers: {}, timeout_ms: 5000, follow_redirects: false,
    });
    const posted = await asked('await http.request({url: "https://x.test/", method: "post", body: {a: 1}, countsAs: "chat", sample: {status: 201}});');
    assert.deepEqual(posted, {
        method: "POST", url: "https://x.test/", headers: { "Content-Type": "application/json" }, body: '{"a":1}', counts_as: "chat", sample: { status: 201 },
    });
    assert.equal((await asked('await http.request({url: "https://x.test/", method: "POST", body: {a: 1}, bodyType: "form"});')).body, "a=1");
});

test("an option that there is not is told, not ignored", async () => {
    for (const call of ["mail.send({reply_to: 1})", "http.request({url: 'x', timeout_ms: 1})"]) {
        const blocks: TestBlock[] = [{ id: "s", type: "script", in: { start: null }, script: `async function f() { await ${call}; }` }];
        const done = await run(await release({ main: { blocks } }), "main", { input: {} });
        assert.equal(done.error?.code, "invalid");
        assert.match(done.error!.message, /there is no option "(reply_to|timeout_ms)"/);
    }
});

test("what an error says of trying again passes a called flow's end", async () => {
    const called: TestFlow = {
        type: "reusable",
        blocks: [
            { id: "page", type: "http", in: { start: () => ({ url: "https://x.test/", method: "POST" }) }, gives: ["response"] },
            { id: "sent", type: "end", in: { page: null } },
            { id: "failed", type: "end", in: { "page.error": ({ error }: Any) => ({ message: error.message, code: error.code, cause: error }) }, config: { pin: "error" } },
        ],
    };
    const main: TestFlow = { blocks: [{ id: "send", type: "call", in: { start: null }, config: { flow: "called" }, retry: { times: 1, delay_ms: 10 } }] };
    const number = await release({ main, called });
    const busy = (o: Asked): object => (o.op === "wait" ? { value: null } : { value: { status: 429, headers: { "ratelimit-reset": "7" }, body: "" } });
    const done = await run(number, "main", { input: {} }, busy);
    assert.deepEqual(asksOf(done.frames).map((o) => [o.op, o.args.ms]), [["http.request", undefined], ["wait", 7000], ["http.request", undefined]]);
    assert.deepEqual([done.error!.code, (done.error as Any).status], ["http_status", 429]);
});
