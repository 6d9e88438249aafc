// Proof (a) of docs/semantics.md: random graphs, all outcomes, random schedules, on the real scheduler. Of the graphs
// that rules 7 and 10 accept none runs a block twice, binds a name twice, stalls, or depends on which way is faster.
//
// GRAPHS=100000 takes longer. With build/release/tests/tools/check_graph (make test-tools) the compiler's own
// verdicts count, held against the rules as written here, and its plans are what runs.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { documentOf, interpret, planOf, randomGraph, randomOf, refusal, type Graph, type Outcomes, type Random, type Result, type Unordered } from "./graphs.ts";
import { addPlan, asksOf, enterNow, finishedOf, logged, nextRelease, nextRun, SEED } from "./worker.ts";
import { Frame } from "../src/host.ts";

declare const TOOLS: string;

const COUNT = Number(process.env.GRAPHS ?? 3000);
const OUTCOMES = 12;
const SCHEDULES = 3;

/** All, or as many as are worth it. */
function outcomesOf(graph: Graph, random: Random): Outcomes[] {
    const choices = graph.nodes.slice(1).flatMap((node) => (node.kind === "http" ? [[node.id, ["out", "refused", "lost"]]] : node.kind === "condition" ? [[node.id, ["true", "false"]]] : [])) as [string, string[]][];
    const all = choices.reduce((n, [, list]) => n * list.length, 1);
    const nth = (n: number): Outcomes => Object.fromEntries(choices.map(([id, list]) => {
        const pick = list[n % list.length];
        n = Math.floor(n / list.length);
        return [id, pick];
    })) as Outcomes;
    return all <= OUTCOMES ? Array.from({ length: all }, (_, i) => nth(i)) : Array.from({ length: OUTCOMES }, () => nth(random(all)));
}

/** One run of the real thing; operations are answered in an order of chance. */
function play(number: number, outcomes: Outcomes, random: Random): Result {
    const run = nextRun();
    const given: Record<string, string> = {};
    const conditions = Object.fromEntries(Object.entries(outcomes).map(([id, outcome]) => [id, outcome === "true"]));
    const input = { outcomes: conditions, x: "start" };
    let frames = enterNow(Frame.START, run, JSON.stringify({ flow: "random", number, t: 1, seed: SEED, mode: "live", input }), undefined, "");
    const open: { id: string; block: string }[] = [];
    for (let t = 2; ; t++) {
        for (const { id, args } of asksOf(frames)) {
            const url = new URL(args.url as string);
            const block = url.pathname.slice(1);
            assert.ok(!(block in given), `${block} ran twice`);
            given[block] = url.searchParams.get("given")!;
            open.push({ id, block });
        }
        const done = finishedOf(frames);
        if (done) {
            assert.equal(open.length, 0, "it ended with operations open");
            const shown = done.output as { output?: string } | undefined;
            for (const { path, pin, input: got } of done.history.blocks.filter(({ path }) => path !== "start")) {
                if (pin === "true" || pin === "false") given[path] = "";
                if ((got as { output?: string }).output !== undefined) given[path] = (got as { output: string }).output;
            }
            return { given, state: done.state, errors: (done.errors ?? []).map((error) => error.block), output: shown?.output };
        }
        assert.ok(open.length > 0, "it waits for nothing");
        const { id, block } = open.splice(random(open.length), 1)[0];
        const outcome = outcomes[block];
        const answer = outcome === "lost" ? { error: { code: "timeout", message: "lost" } } : { value: { status: outcome === "out" ? 200 : 500, headers: {}, body: block } };
        frames = enterNow(Frame.RESULT, run, JSON.stringify({ id, t, ...answer }));
    }
}

/** Conditions are not asked what they were given: that they ran is enough. */
function expected(graph: Graph, outcomes: Outcomes, unordered: Unordered): Result {
    const result = interpret(graph, outcomes, unordered);
    for (const node of graph.nodes) if (node.kind === "condition" && node.id in result.given) result.given[node.id] = "";
    return result;
}

/** The compiler's answer to each: a plan's text, or "CODE: sentence". */
function compiled(graphs: Graph[]): string[] | undefined {
    if (!existsSync(TOOLS)) return undefined;
    const input = graphs.map((graph) => JSON.stringify({ flow: documentOf(graph) })).join("\n") + "\n";
    const ran = spawnSync(TOOLS, ["--plan"], { input, encoding: "utf8", maxBuffer: 1 << 30 });
    assert.equal(ran.status, 0, ran.stderr);
    return ran.stdout.trim().split("\n");
}

/** Whether the compiler refuses it. On rule 7 both must agree; of names the compiler's check knows more (flow/branches.c). */
function judged(verdict: string, why: string | undefined, graph: Graph): boolean {
    const refused = !verdict.startsWith('"');
    const agrees = why?.startsWith("rule 7") ? refused : !refused || verdict.startsWith("bound_on_both_branches");
    assert.ok(agrees, `${why ?? "accepted"}, but the compiler says ${verdict.slice(0, 200)}\n${JSON.stringify(documentOf(graph))}`);
    return refused;
}

test(`${COUNT} random graphs: what the rules accept runs the same whatever is faster`, (t) => {
    const random = randomOf(Number(process.env.SEED ?? 1));
    const graphs = Array.from({ length: COUNT }, () => randomGraph(random));
    const verdicts = compiled(graphs);
    const number = nextRelease();
    let accepted = 0;
    let runs = 0;
    const unordered = { count: 0 };
    graphs.forEach((graph, i) => {
        const why = refusal(graph);
        const verdict = verdicts?.[i];
        if (verdict === undefined ? why : judged(verdict, why, graph)) return;
        accepted++;
        addPlan(number, "random", verdict ? (JSON.parse(verdict) as string) : `(function () { "use strict"; return ${planOf(graph)}; })`);
        for (const outcomes of outcomesOf(graph, random)) {
            const want = expected(graph, outcomes, unordered);
            for (let s = 0; s < SCHEDULES; s++) {
                runs++;
                assert.deepEqual(play(number, outcomes, random), want, `${JSON.stringify({ graph, outcomes })}\n${logged.slice(-3).join("\n")}`);
            }
        }
    });
    t.diagnostic(`${accepted} of ${COUNT} accepted, ${runs} runs, ${unordered.count} names of which no binding had replaced the other, ${verdicts ? "compiled in C" : "without the compiler"}`);
    assert.ok(accepted > COUNT / 5);
    if (verdicts) assert.equal(unordered.count, 0);
});

test("the proof sees what rules 7 and 10 are for", () => {
    const random = randomOf(7);
    let twice = 0;
    const unordered = { count: 0 };
    const kept = { count: 0 };
    for (let i = 0; i < 2000; i++) {
        const graph = randomGraph(random);
        for (const outcomes of outcomesOf(graph, random)) {
            if (!refusal(graph)) interpret(graph, outcomes, kept);
            if (!refusal(graph, { ten: true })) interpret(graph, outcomes, unordered);
            if (refusal(graph, { seven: true })) continue;
            try {
                interpret(graph, outcomes);
            } catch {
                twice++;
            }
        }
    }
    assert.ok(twice > 100, `${twice}`);
    assert.ok(unordered.count > 10 && kept.count === 0, `${unordered.count} without rule 10, ${kept.count} with it`);
});
