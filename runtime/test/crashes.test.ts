// Proof (b) of docs/semantics.md: random flows, crashes after every commit. No operation with a `done` is repeated, what
// is asked for again is the same, no idempotency key is used for two requests.
//
// FLOWS=1000 takes longer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { addFlow, nextRelease, unitOf } from "./worker.ts";
import { Life, Power, World } from "./crashes.ts";
import { randomOf, type Random } from "./graphs.ts";

const COUNT = Number(process.env.FLOWS ?? 80);
const pick = <T>(random: Random, list: T[]): T => list[random(list.length)];

// ---- random scripts: everything seen so far goes into what is asked for next ----

function operation(random: Random): string {
    return pick(random, [
        "tcp.check(JSON.stringify(seen), 1)",
        "sleep(random(9))",
        'mail.send({to: "a@x", text: JSON.stringify(seen) + Math.random() + Date.now()})',
        'http.request({method: "POST", url: "http://x/", body: JSON.stringify(seen) + crypto.randomUUID()})',
        'state.put("k", [...seen, new Date()])',
        'flows.start("sub", {seen, deep: 9})',
        'fetch("http://x/" + seen.length).then((r) => r.text())',
    ]);
}

function statement(random: Random, depth: number): string {
    const one = (): string => `${operation(random)}.catch((e) => e.message)`;
    return pick(random, [
        `seen.push(await ${operation(random)});`,
        `seen.push(await ${one()});`,
        `seen.push(await Promise.all([${one()}, ${one()}, ${one()}]));`,
        `seen.push(await Promise.race([${one()}, ${one()}]));`,
        `const p = ${one()}; seen.push(await ${one()}); await null; seen.push(await p);`,
        `const order = []; await Promise.all([${one()}.then(() => order.push(1)), hop(${random(5)}).then(() => ${one()}).then(() => order.push(2))]); seen.push(order);`,
        `void ${one()};`,
        `seen.push(Math.random(), Date.now());`,
        `if (seen.length % 2) seen.push(await ${one()});`,
        `const timer = setTimeout(() => seen.push("late"), 5); seen.push(await ${one()}); clearTimeout(timer);`,
        ...(depth < 1 ? [`seen.push(await flows.call("sub", {seen, deep: deep + 1}).catch((e) => e.message));`, `seen.push(await Promise.race([flows.call("sub", {seen, deep: deep + 1}).catch((e) => e.code), ${one()}]));`] : []),
    ]);
}

function scriptOf(random: Random, depth: number): string {
    const body = Array.from({ length: 1 + random(4) }, () => `{ ${statement(random, depth)} }`).join("\n");
    return unitOf(`async function hop(n) { for (let i = 0; i < n; i++) await null; }
        async function f({seen, deep = 0}) {
            const random = (n) => Math.floor(Math.random() * n);
            ${body}
            ${random(4) === 0 ? 'if (Math.random() < 0.3) throw new Error("broke after " + JSON.stringify(seen));' : ""}
            return {seen};
        }`, "f");
}

// ---- random flows: a chain of steps, some of them side by side ----

interface Flow {
    plan: string;
    units: Record<string, string>;
}

const SEEN = "{seen: Object.keys(input).sort().map((n) => [n, input[n]]), deep: input.deep}";

function flowOf(random: Random, id: string, depth: number): Flow {
    const units: Record<string, string> = {};
    const blocks: string[] = ['{id: "start", type: "start"}'];
    const add = (block: string): number => blocks.push(block) - 1;
    const retry = (): string => (random(2) === 0 ? ', retry: {times: 2, delay_ms: 5, on: ["timeout", "http_status", "script", "failed"]}' : "");
    const work = (from: string, list: string[] = blocks): string => {
        const name = `s${list.length}${list === blocks ? "" : "i"}`;
        const mapping = random(4) === 0 ? `async (input, $) => ({...${SEEN}, extra: (await $.tcp.check("m" + $.Math.random(), 2).catch((e) => e.message))})` : `(input, $) => (${SEEN})`;
        const out = `names: [["seen", "seen"]], `;
        if (random(3) === 0) return `{id: "${name}", type: "http", ${from.replace("MAP", `(input, $) => ({url: "http://x/", method: "${pick(random, ["GET", "POST"])}", body: JSON.stringify(${SEEN}) + $.Math.random()})`)}, names: [["response", "r${list.length}"]]${retry()}}`;
        if (random(4) === 0 && depth < 1) return `{id: "${name}", type: "call", ${from.replace("MAP", mapping)}, ${out}config: {flow: "sub", mode: "${random(4) === 0 ? "start" : "wait"}"}${retry()}}`;
        units[`${name}.ts`] = scriptOf(random, depth);
        return `{id: "${name}", type: "script", ${from.replace("MAP", mapping)}, ${out}unit: "${name}.ts"${retry()}${random(5) === 0 ? ", timeout_ms: 7" : ""}}`;
    };
    const from = (index: number, pin = "out"): string => `ins: [{from: ${index}, pin: "${pin}", map: MAP, code: null}]`;
    let last = 0;
    const steps = 1 + random(3);
    for (let i = 0; i < steps; i++) {
        const kind = random(4);
        if (kind === 0) {
            const [a, b] = [add(work(from(last))), add(work(from(last)))];
            last = add(`{id: "join${blocks.length}", type: "join", ins: [{from: ${a}, pin: "out"}, {from: ${b}, pin: "out"}]}`);
        } else if (kind === 1) {
            const inner: string[] = ['{id: "each", type: "turn"}'];
            inner.push(work('ins: [{from: 0, pin: "each", map: MAP, code: null}]', inner));
            inner.push(`{id: "e", type: "end", ins: [{from: 1, pin: "out", map: (input) => ({value: Object.keys(input).sort().map((n) => [n, input[n]])}), code: null}]}`);
            last = add(`{id: "loop${blocks.length}", type: "loop", ${from(last).replace("MAP", "() => ({list: [1, 2, 3]})")}, names: [["item", "item"], ["index", "index"], ["results", "results"], ["failures", "failures"]], config: {at_once: ${1 + random(2)}, on_failure: "${pick(random, ["stop", "collect"])}"}, blocks: [${inner.join(", ")}]}`);
            last = add(`{id: "after${blocks.length}", type: "join", ins: [{from: ${last}, pin: "done"}, {from: ${last}, pin: "error"}]}`);
        } else last = add(work(from(last)));
    }
    add(`{id: "end", type: "end", ins: [{from: ${last}, pin: "out", map: (input) => ({seen: ${SEEN}.seen}), code: null}]}`);
    return { plan: `{id: "${id}", name: "${id}", type: "reusable", start: {}, blocks: [${blocks.join(",\n")}]}`, units };
}

/** From acceptance to the end, whatever happens in between: the power goes after these commits, one a life. */
async function play(number: number, seed: number, crashes: number[]): Promise<{ commits: number; world: World; state: string }> {
    const random = randomOf(seed);
    const world = new World();
    let life = new Life(number, world, random, [], crashes[0] ?? 0);
    for (let i = 1; ; i++)
        try {
            const { state } = await life.live({ seen: [0], deep: 0 });
            return { commits: life.commits, world, state };
        } catch (error) {
            if (!(error instanceof Power)) throw error;
            await life.die();
            life = new Life(number, world, random, life.journal, crashes[i] ?? 0);
        }
}

test(`${COUNT} random flows, the power lost after every commit: nothing repeated, nothing different`, async (t) => {
    const seed = Number(process.env.SEED ?? 1);
    const random = randomOf(seed + 99);
    const totals = { crashes: 0, asked: 0, replayed: 0, failed: 0 };
    for (let i = 0; i < COUNT; i++) {
        const number = nextRelease();
        const [main, sub] = [flowOf(random, "main", 0), flowOf(random, "sub", 1)];
        await addFlow(number, "main", main.plan, main.units);
        await addFlow(number + 1, "sub", sub.plan, sub.units);
        const { commits, state } = await play(number, seed + i, []);
        totals.failed += state === "failed" ? 1 : 0;
        for (let k = 1; k <= commits; k++)
            try {
                // A second crash soon after the first, too.
                const { world } = await play(number, seed + i, [k, 1 + random(4)]);
                totals.crashes += 2;
                totals.asked += world.asked;
                totals.replayed += world.replayed;
            } catch (error) {
                throw new Error(`flow ${i}, crash after commit ${k}: ${(error as Error).message}\n${main.plan}\n${Object.values(main.units).join("\n")}\n-- sub\n${sub.plan}\n${Object.values(sub.units).join("\n")}`);
            }
    }
    t.diagnostic(`${totals.crashes} crashes, ${totals.asked} operations asked for, ${totals.replayed} results replayed, ${totals.failed} flows failed by themselves`);
    assert.ok(totals.replayed > COUNT && totals.failed < COUNT);
});
