// Random graphs, and what docs/semantics.md says of them: rules 7 and 10 as a check, rules 2 to 6 as an
// interpreter that knows no time. Both are written for clarity only, and independently of the scheduler.

export type Kind = "http" | "condition" | "join" | "end";

export interface Node {
    id: string;
    kind: Kind;
    /** Names under which it hands over its response and its error. */
    response: string;
    error: string;
}

export interface Way {
    from: number;
    pin: string;
    to: number;
}

export interface Graph {
    /** In topological order; 0 is the Start, which hands over `outcomes` and `x`. */
    nodes: Node[];
    ways: Way[];
}

/** How each block ends: http out, error with and without an answer; condition. */
export type Outcomes = Record<string, "out" | "refused" | "lost" | "true" | "false">;

export type Random = (below: number) => number;

export function randomOf(seed: number): Random {
    let state = (seed * 2654435761 + 1) >>> 0;
    return (below) => {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        state >>>= 0;
        return state % below;
    };
}

const pinsOf = (kind: Kind): string[] => (kind === "http" ? ["out", "error"] : kind === "condition" ? ["true", "false"] : kind === "join" ? ["out"] : []);

export function randomGraph(random: Random): Graph {
    const count = 2 + random(8);
    const kinds: Kind[] = ["http", "http", "http", "condition", "join", "join", "end"];
    const nodes: Node[] = [{ id: "start", kind: "http", response: "", error: "" }];
    for (let i = 1; i <= count; i++) {
        const kind = i === count ? "end" : kinds[random(kinds.length)];
        nodes.push({ id: `b${i}`, kind, response: ["x", "y", `r${i}`][random(3)], error: random(4) === 0 ? "failure" : `e${i}` });
    }
    const ways: Way[] = [];
    for (let to = 1; to <= count; to++) {
        const n = 1 + random(nodes[to].kind === "join" ? 3 : random(3) === 0 ? 2 : 1);
        for (let k = 0; k < n; k++) {
            const from = Math.max(0, to - 1 - random(Math.min(to, 4)));
            if (nodes[from].kind === "end") continue;
            const pins = from === 0 ? ["out"] : pinsOf(nodes[from].kind);
            const pin = pins[random(pins.length)];
            if (!ways.some((way) => way.from === from && way.pin === pin && way.to === to)) ways.push({ from, pin, to });
        }
        if (!ways.some((way) => way.to === to)) ways.push({ from: 0, pin: "out", to });
    }
    return { nodes, ways };
}

/** The names a block binds when it leaves by a pin. */
function bindings(node: Node, index: number, pin: string): string[] {
    if (index === 0) return ["outcomes", "x"];
    if (node.kind !== "http") return [];
    return pin === "out" ? [node.response] : [node.response, node.error];
}

// ---- rules 7 and 10 ----

export interface Weakened {
    /** Treats all connections as exclusive. */
    seven?: boolean;
    ten?: boolean;
}

export function refusal({ nodes, ways }: Graph, weakened: Weakened = {}): string | undefined {
    const into = nodes.map((_, to) => ways.filter((way) => way.to === to));
    const known = new Map<string, boolean>();
    const exclude = (e: Way, f: Way): boolean => {
        if (e === f) return false;
        if (e.from === f.from) return e.pin !== f.pin;
        const [late, other] = e.from > f.from ? [e, f] : [f, e];
        const key = `${ways.indexOf(late)} ${ways.indexOf(other)}`;
        const before = known.get(key);
        if (before !== undefined) return before;
        const answer = into[late.from].length > 0 && into[late.from].every((way) => exclude(way, other));
        known.set(key, answer);
        return answer;
    };
    const pairs = <T>(list: T[]): [T, T][] => list.flatMap((a, i) => list.slice(i + 1).map((b): [T, T] => [a, b]));
    const ends = ways.filter((way) => nodes[way.to].kind === "end");
    for (const [a, b] of [...into.flatMap((list, to) => (nodes[to].kind === "join" ? [] : pairs(list))), ...pairs(ends)])
        if (!weakened.seven && !exclude(a, b)) return `rule 7: ${nodes[a.to].id}`;
    const reach = (way: Way): Map<string, Set<number>> => {
        const out = new Map<string, Set<number>>();
        const add = (name: string, block: number): void => void (out.get(name) ?? out.set(name, new Set()).get(name)!).add(block);
        for (const name of bindings(nodes[way.from], way.from, way.pin)) add(name, way.from);
        for (const before of into[way.from]) for (const [name, blocks] of reach(before)) for (const block of blocks) add(name, block);
        return out;
    };
    for (const [to, list] of into.entries())
        for (const [c, d] of nodes[to].kind === "join" ? pairs(list) : []) {
            if (weakened.ten || exclude(c, d)) continue;
            const [ofC, ofD] = [reach(c), reach(d)];
            for (const [name, blocks] of ofC) {
                const others = ofD.get(name) ?? new Set<number>();
                if ([...blocks].some((one) => !others.has(one)) && [...others].some((one) => !blocks.has(one))) return `rule 10: ${name} at ${nodes[to].id}`;
            }
        }
    return undefined;
}

// ---- rules 2 to 6, 9 and 10 ----

interface Binding {
    value: string;
    by: number;
    /** All that it replaced on its way. */
    over: Set<number>;
}

type Env = Map<string, Binding>;

/** How often a Join met two bindings of a name of which neither had replaced the other. */
export interface Unordered {
    count: number;
}

export interface Result {
    /** What each block that ran was given, by id. */
    given: Record<string, string>;
    state: "done" | "failed";
    errors: string[];
    output: string | undefined;
}

/** Throws where a block is reached twice. */
export function interpret({ nodes, ways }: Graph, outcomes: Outcomes, unordered: Unordered = { count: 0 }): Result {
    const state = new Map<Way, "taken" | "not taken" | "failed">();
    const envs: Env[] = [];
    const result: Result = { given: {}, state: "done", errors: [], output: undefined };
    nodes.forEach((node, index) => {
        const into = ways.filter((way) => way.to === index);
        const taken = into.filter((way) => state.get(way) === "taken");
        const anyFailed = into.some((way) => state.get(way) === "failed");
        const leave = (pin: string | undefined, how: "taken" | "not taken" | "failed"): void => {
            for (const way of ways) if (way.from === index) state.set(way, pin === undefined || way.pin === pin ? how : "not taken");
        };
        if (index === 0) {
            envs[0] = new Map([["outcomes", { value: "outcomes", by: 0, over: new Set<number>() }], ["x", { value: "start", by: 0, over: new Set<number>() }]]);
            return leave("out", "taken");
        }
        if (node.kind === "join") {
            if (anyFailed) return leave(undefined, "failed");
            if (taken.length === 0) return leave(undefined, "not taken");
            envs[index] = taken.map((way) => envs[way.from]).reduce((a, b) => merge(a, b, unordered));
            return leave(undefined, "taken");
        }
        if (taken.length > 1) throw new Error(`${node.id} is reached twice`);
        if (taken.length === 0) return leave(undefined, anyFailed ? "failed" : "not taken");
        const env = envs[taken[0].from];
        result.given[node.id] = shownEnv(env);
        envs[index] = env;
        if (node.kind === "end") {
            if (result.output !== undefined) throw new Error("two Ends are reached");
            result.output = shownEnv(env);
            return;
        }
        const outcome = outcomes[node.id];
        if (node.kind === "condition") return leave(outcome, "taken");
        const isError = outcome !== "out";
        if (isError && !ways.some((way) => way.from === index && way.pin === "error")) {
            result.errors.push(node.id);
            return leave(undefined, "failed");
        }
        let bound = outcome === "lost" ? env : bind(env, node.response, node.id, index);
        if (isError) bound = bind(bound, node.error, node.id, index);
        envs[index] = bound;
        leave(isError ? "error" : "out", "taken");
    });
    if (result.errors.length > 0) Object.assign(result, { state: "failed", output: undefined });
    return result;
}

function bind(env: Env, name: string, value: string, by: number): Env {
    const before = env.get(name);
    return new Map(env).set(name, { value, by, over: before ? new Set([...before.over, before.by]) : new Set() });
}

/** Neither replaced the other, as a way between them was left out. The sets of blocks of rule 10 let that through now and then. */
function later(a: Binding, b: Binding, unordered: Unordered): Binding {
    unordered.count++;
    return a.by > b.by ? a : b;
}

function merge(a: Env, b: Env, unordered: Unordered): Env {
    const out = new Map(a);
    for (const [name, binding] of b) {
        const other = out.get(name);
        if (!other) out.set(name, binding);
        else if (other.by !== binding.by) {
            const newer = binding.over.has(other.by) ? binding : other.over.has(binding.by) ? other : later(binding, other, unordered);
            out.set(name, { ...newer, over: new Set([...binding.over, ...other.over]) });
        } else out.set(name, { ...other, over: new Set([...binding.over, ...other.over]) });
    }
    return out;
}

const shownEnv = (env: Env): string => [...env].map(([name, { value }]) => `${name}=${value}`).sort().join(" ");

/** The expression that shows a real block's input the same way. */
export const SHOWN = '(Object.keys(input).map((n) => n + "=" + (n === "outcomes" ? n : typeof input[n] === "string" ? input[n] : input[n].body ?? input[n].block)).sort().join(" "))';

// ---- as documents ----

export function documentOf({ nodes, ways }: Graph): object {
    const blocks = nodes.slice(1).map((node) => ({
        id: node.id,
        type: node.kind,
        ...(node.kind === "http" && { outputs: { response: node.response, error: node.error } }),
    }));
    const connections = ways.map((way) => ({ from: `${nodes[way.from].id}.${way.pin}`, to: nodes[way.to].id, map: mapOf(nodes[way.to]) }));
    const any = { type: "object" };
    return {
        name: "random",
        type: "reusable",
        start: { inputs: { type: "object", properties: { outcomes: any, x: { type: "string" } }, required: ["outcomes", "x"] } },
        blocks,
        connections: connections.map(({ map, ...rest }) => (map ? { ...rest, map } : rest)),
    };
}

function mapOf(node: Node): object | undefined {
    if (node.kind === "http") return { url: { value: `http://x/${node.id}` }, query: { object: { given: { code: SHOWN } } } };
    if (node.kind === "condition") return { condition: { from: `outcomes.${node.id}` } };
    return node.kind === "end" ? { output: { code: SHOWN } } : undefined;
}

export function planOf({ nodes, ways }: Graph): string {
    const blocks = nodes.map((node, index) => {
        if (index === 0) return '{id: "start", type: "start"}';
        const maps: Record<Kind, string | undefined> = {
            http: `(input, $) => ({url: "http://x/${node.id}", query: {given: ${SHOWN}}}), code: null`,
            condition: `(input, $) => ({condition: input.outcomes.${node.id}})`,
            end: `(input, $) => ({output: ${SHOWN}}), code: null`,
            join: undefined,
        };
        const map = maps[node.kind];
        const ins = ways.filter((way) => way.to === index).map((way) => `{from: ${way.from}, pin: "${way.pin}"${map ? `, map: ${map}` : ""}}`);
        const names = node.kind === "http" ? `, names: [["response", "${node.response}"], ["error", "${node.error}"]]` : "";
        return `{id: "${node.id}", type: "${node.kind}", order: ${index}, ins: [${ins.join(", ")}]${names}}`;
    });
    return `{id: "random", name: "random", type: "reusable", start: {}, blocks: [${blocks.join(",\n")}]}`;
}
