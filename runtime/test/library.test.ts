import assert from "node:assert/strict";
import { test } from "node:test";
import { release, type Any } from "./build.ts";
import { limits, run, type Answer, type Asked } from "./worker.ts";

/** What a script's body returns as `x`, and what it asked for. */
async function script(body: string, answer?: (asked: Asked) => Answer): Promise<{ x: Any; asked: Asked[]; logs: Any; error: Any }> {
    const number = await release({
        main: { blocks: [{ id: "s", type: "script", in: { start: null }, gives: ["x"], script: `async function f() { ${body} }` }, { id: "end", type: "end", in: { s: (input) => ({ x: input.x }) } }] },
    });
    const done = await run(number, "main", { input: {} }, answer);
    return { x: (done.output as Any)?.x, asked: done.asked, logs: done.history.logs, error: done.error };
}
const value = async (body: string): Promise<Any> => {
    const { x, error } = await script(body);
    assert.equal(error, undefined, JSON.stringify(error));
    return x;
};

test("each part of the library asks for its operation", async () => {
    const cases: [string, string, object][] = [
        ['mail.send("smtps://u@h", "a@x", "b@x, C <c@x>", "s", "<b>", true)', "mail.send", { server: "smtps://u@h", from: "a@x", to: "b@x, C <c@x>", subject: "s", html: "<b>" }],
        ['mail.send("smtps://u@h", "a@x", ["b@x"], "s", "t")', "mail.send", { server: "smtps://u@h", from: "a@x", to: ["b@x"], subject: "s", text: "t" }],
        ['mail.send({to: "b@x", attachments: [{name: "a", content: new Uint8Array([1])}]})', "mail.send", { to: "b@x", attachments: [{ name: "a", content: { $bytes: "AQ==" } }] }],
        ['dns.resolve("x.test", "MX", {server: "192.0.2.1:53", timeout: 500, tries: 1})', "dns.resolve", { name: "x.test", type: "MX", server: "192.0.2.1:53", timeout_ms: 500, tries: 1 }],
        ['dns.lookup("x.test")', "dns.lookup", { name: "x.test" }],
        ['dns.reverse("192.0.2.1")', "dns.reverse", { ip: "192.0.2.1" }],
        ['http.request({url: "https://x/", method: "PUT", timeout: 5})', "http.request", { url: "https://x/", method: "PUT", headers: {}, timeout_ms: 5 }],
        ['tcp.check("h", 25)', "tcp.check", { host: "h", port: 25 }],
        ['tls.certificate("h")', "tls.certificate", { host: "h", port: 443 }],
        ['secrets.getPassword("a")', "secrets.get", { name: "a", as: "password" }],
        ['secrets.getBasic("a")', "secrets.get", { name: "a", as: "basic" }],
        ['secrets.check("a", undefined)', "secrets.check", { name: "a", given: "" }],
        ['state.get("k")', "state.get", { key: "k" }],
        ['state.put("k", {a: 1}, {ttl: 5, ifVersion: 2})', "state.put", { key: "k", value: { a: 1 }, ttl_ms: 5, if_version: 2 }],
        ['state.delete("k")', "state.delete", { key: "k" }],
        ['state.list("p", {limit: 3})', "state.list", { prefix: "p", limit: 3 }],
        ['password.hash("p")', "password.hash", { password: "p" }],
        ['password.verify("p", "h")', "password.verify", { password: "p", hash: "h" }],
        ["sleep(1.2)", "wait", { ms: 2 }],
    ];
    for (const [call, op, args] of cases) {
        const { asked, x } = await script(`return {x: await ${call}};`, () => ({ value: op === "wait" ? null : { said: op } }));
        assert.deepEqual([asked[0].op, asked[0].args], [op, args], call);
        if (op !== "wait") assert.deepEqual(x, { said: op });
    }
});

test("an operation that fails throws an error with its code; what cannot be sent is refused before", async () => {
    const { x } = await script('try { await mail.send({}); } catch (e) { return {x: [e instanceof Error, e.name, e.code, e.status, e.retry, e.message]}; }', () => ({
        error: { code: "mail_refused", message: "550 no", status: 550, retry: false },
    }));
    assert.deepEqual(x, [true, "OperationError", "mail_refused", 550, false, "550 no"]);
    assert.match((await script("await state.put('k', () => 1); return {x: 1};")).error.message, /value is a function/);
});

test("a script may fail with a code of its own", async () => {
    const { error } = await script('throw new OperationError({code: "no_stock", message: "sold out", status: 409});');
    assert.deepEqual([error.code, error.message, error.status], ["no_stock", "sold out", 409]);
});

test("fetch", async () => {
    const ok = (): Answer => ({ value: { status: 201, headers: { "content-type": "application/json", "x-a": "1" }, body: '{"a":1}', url: "https://x/final", redirects: ["https://x/"] } });
    const { x, asked } = await script(
        `const r = await fetch("https://x/a b", {method: "post", headers: {"X-B": " 2 "}, body: new URLSearchParams({q: "1 2"})});
         return {x: [r.ok, r.status, r.headers.get("X-A"), r.url, r.redirected, r.bodyUsed, await r.json(), r.bodyUsed, r instanceof Response]};`,
        ok,
    );
    assert.deepEqual(asked[0].args, {
        method: "POST", url: "https://x/a%20b", body: "q=1+2", follow_redirects: true,
        headers: { "content-type": "application/x-www-form-urlencoded;charset=UTF-8", "x-b": "2" },
    });
    assert.deepEqual(x, [true, 201, "1", "https://x/final", true, false, { a: 1 }, true, true]);
    assert.deepEqual((await script('const r = await fetch("https://x/"); return {x: [[...await r.bytes()], await r.text().catch((e) => e.message)]};', () => ({ value: { status: 200, headers: {}, body: { $bytes: "/wA=" } } }))).x, [
        [255, 0],
        "the body was read already",
    ]);
    assert.match((await script('await fetch("https://x/", {headers: {a: "b\\r\\nc"}}); return {x: 1};')).error.message, /line break/);
    assert.match((await script('await fetch("not a url"); return {x: 1};')).error.message, /URL/i);
});

test("signals end a fetch; a timeout is a wait", async () => {
    const late = await script('return {x: await fetch("https://x/", {signal: AbortSignal.timeout(5)}).catch((e) => e.name)};', (asked) => ({ value: asked.op === "wait" ? null : { status: 200, headers: {} } }));
    assert.deepEqual([late.x, late.asked.map((one) => one.op)], ["TimeoutError", ["wait", "http.request"]]);
    assert.deepEqual(await value('const c = new AbortController(); c.abort(); return {x: [c.signal.aborted, await fetch("https://x/", {signal: c.signal}).catch((e) => e.name), c.signal instanceof AbortSignal]};'), [true, "AbortError", true]);
});

test("timers", async () => {
    const { x, asked } = await script(`const seen = [];
        const a = setTimeout(() => seen.push("never"), 5); clearTimeout(a);
        setTimeout((v) => seen.push(v), 1, "once");
        const i = setInterval(() => { seen.push("i"); if (seen.length > 3) clearInterval(i); }, 1);
        await sleep(3); await sleep(3); await sleep(3); await sleep(3);
        return {x: seen};`);
    assert.ok(!x.includes("never") && x.filter((one: string) => one === "once").length === 1 && x.filter((one: string) => one === "i").length >= 3, JSON.stringify(x));
    assert.equal(asked.some((one) => one.op === "wait.cancel" && one.args.id === "s#1"), true);
});

test("URL, text, base64, clones", async () => {
    assert.deepEqual(await value('const u = new URL("../b?x=1#h", "https://ex.test:8443/a/c"); u.searchParams.append("y", "é"); return {x: [u.href, u.host, String(u), new URL("https://bücher.test").hostname]};'), [
        "https://ex.test:8443/b?x=1&y=%C3%A9#h", "ex.test:8443", "https://ex.test:8443/b?x=1&y=%C3%A9#h", "xn--bcher-kva.test",
    ]);
    assert.deepEqual(await value('const b = new TextEncoder().encode("é€"); return {x: [[...b], new TextDecoder().decode(b), new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 65]))]};'), [[195, 169, 226, 130, 172], "é€", "A"]);
    assert.match((await script('new TextDecoder("utf-8", {fatal: true}).decode(new Uint8Array([255])); return {x: 1};')).error.message, /TypeError/);
    assert.deepEqual(await value('return {x: [btoa("hi\\xff"), atob("aGn/"), atob(" a G k = ")]};'), ["aGn/", "hi\xff", "hi"]);
    for (const bad of ['btoa("€")', 'atob("a")', 'atob("a=b=")', 'atob("!!!!")']) assert.notEqual((await script(`${bad}; return {x: 1};`)).error, undefined, bad);
    assert.deepEqual(
        await value('const a = {d: new Date(5), m: new Map([["k", {n: 1}]]), s: new Set([1]), b: new Uint8Array([7]), l: [1,,3]}; a.self = a; const c = structuredClone(a); return {x: [c !== a, c.self === c, c.d.getTime(), c.m.get("k").n, c.m.get("k") !== a.m.get("k"), c.s.has(1), c.b[0], 1 in c.l, c.l.length]};'),
        [true, true, 5, 1, true, true, 7, false, 3],
    );
});

test("digests, HMAC, random values", async () => {
    assert.deepEqual(
        await value(`const hex = (b) => [...new Uint8Array(b)].map((n) => n.toString(16).padStart(2, "0")).join("");
            const text = (t) => new TextEncoder().encode(t);
            const key = await crypto.subtle.importKey("raw", text("key"), {name: "HMAC", hash: "SHA-256"}, false, ["sign", "verify"]);
            const mac = await crypto.subtle.sign("HMAC", key, text("The quick brown fox jumps over the lazy dog"));
            return {x: [hex(await crypto.subtle.digest("SHA-256", text("abc"))), hex(mac), await crypto.subtle.verify("HMAC", key, mac, text("The quick brown fox jumps over the lazy dog")), await crypto.subtle.verify("HMAC", key, mac.slice(1), text("x"))]};`),
        ["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8", true, false],
    );
    const [a, b, bytes, numbers] = await value('const n = Array.from({length: 1000}, () => Math.random()); return {x: [crypto.randomUUID(), crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(4))], [Math.min(...n) >= 0, Math.max(...n) < 1, n.reduce((s, v) => s + v) / 1000]]};');
    assert.notEqual(a, b);
    assert.equal(bytes.length, 4);
    assert.ok(numbers[0] && numbers[1] && Math.abs(numbers[2] - 0.5) < 0.05);
});

test("html escapes what is put in, but not html", async () => {
    assert.equal(await value("const list = ['<a>', '\"&\\''].map((t) => html`<li>${t}</li>`); return {x: html`<ul class=\"${'\"'}\">${list}${null}${0}</ul>`};"), '<ul class="&quot;"><li>&lt;a&gt;</li><li>&quot;&amp;&#39;</li>0</ul>');
    assert.equal(await value("return {x: html.escape('<')};"), "&lt;");
});

test("log and console are lines of the run, at most a thousand", async () => {
    const { logs } = await script('log.warn("a", {b: 1}); console.log(new TypeError("t"), undefined); for (let i = 0; i < 1500; i++) console.error(i); return {x: 1};');
    assert.deepEqual(logs.slice(0, 2).map((one: Any) => [one.path, one.level, one.text]), [["s", "warn", 'a {"b":1}'], ["s", "info", "TypeError: t undefined"]]);
    assert.equal(logs.length, 1000);
});

test("secrets and settings of a mapping are a placeholder and a value", async () => {
    const number = await release({ main: { blocks: [{ id: "end", type: "end", in: { start: (_input, $) => ({ s: $.secret("token"), v: $.setting("site") }) } }] } });
    assert.deepEqual((await run(number, "main", { input: {}, nonce: "0badc0de", settings: { site: "x" } })).output, { s: "«secret:token:0badc0de»", v: "x" });
});

test("limits of a flow are told to the worker, where they are not its own", async () => {
    const number = await release({ main: { limits: { run_ms: 1, cpu_ms: 20_000, memory_mb: 32 }, blocks: [{ id: "end", type: "end", in: { start: null } }] } });
    limits.length = 0;
    await run(number, "main", { input: {} });
    assert.deepEqual(limits.map(([, ...rest]) => rest), [[20_000, 32]]);
});

test("HTTP Request: bodies, queries, secrets, JSON both ways", async () => {
    const http = async (map: string, config: object, answer: Answer): Promise<{ args: Any; output: Any }> => {
        const number = await release({
            main: { blocks: [{ id: "h", type: "http", in: { start: eval(`() => (${map})`) }, code: [], config, timeout_ms: 4000, gives: ["response"] }, { id: "end", type: "end", in: { "h.out": (input) => ({ r: input.response }), "h.error": (input) => ({ e: input.error, r: input.response }) } }] },
        });
        const done = await run(number, "main", { input: {} }, () => answer);
        return { args: done.asked[0].args, output: done.output };
    };
    const json = await http('{method: "post", url: "https://x/y?a=1#f", query: {b: [1, 2], c: null, d: "é"}, headers: {A: 1}, body: {k: 1}}', { auth: "tok", counts_as: "page", follow_redirects: false }, { value: { status: 201, headers: { "content-type": "application/json; charset=utf-8" }, body: '{"id": 1}' } });
    assert.deepEqual(json.args, {
        method: "POST", url: "https://x/y?a=1&b=1&b=2&d=%C3%A9#f", headers: { A: "1", "Content-Type": "application/json" }, body: '{"k":1}', timeout_ms: 4000, follow_redirects: false, auth: "tok", counts_as: "page",
    });
    assert.deepEqual(json.output.r.body, { id: 1 });
    assert.deepEqual((await http('{method: "POST", url: "https://x/", body: {a: 1, b: "x y"}}', { body_type: "form" }, { value: { status: 200, headers: {} } })).args.body, "a=1&b=x+y");
    assert.deepEqual((await http('{method: "POST", url: "https://x/", body: "t", headers: {"content-type": "text/csv"}}', {}, { value: { status: 200, headers: {} } })).args.headers, { "content-type": "text/csv" });
    assert.deepEqual((await http('{url: "https://u:p@x.test/z"}', {}, { value: { status: 404, headers: {}, body: "gone" } })).output, { e: { block: "h", code: "http_status", message: "x.test answered 404", status: 404, retry: false }, r: { status: 404, headers: {}, body: "gone" } });
    assert.equal((await http('{url: "https://x/"}', { any_status: true }, { value: { status: 500, headers: {} } })).output.r.status, 500);
    assert.equal((await http('{url: "https://x/"}', {}, { value: { status: 200, headers: { "content-type": "application/json" }, body: "<html>" } })).output.r.body, "<html>");
});
