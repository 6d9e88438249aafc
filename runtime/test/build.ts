// Plans for tests, written as objects with functions in them.

import { addFlow, nextRelease, unitOf } from "./worker.ts";

/** The text of a value, functions included. */
export function source(value: unknown): string {
    if (typeof value === "function") return `(${value.toString()})`;
    if (Array.isArray(value)) return `[${value.map(source).join(", ")}]`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "undefined";
    return `{${Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${source(item)}`).join(", ")}}`;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Any = any;
export type Map_ = (input: Any, $: Any) => unknown;

export interface TestBlock {
    id: string;
    type: string;
    /** "block" or "block.pin" (out), each with its mapping. */
    in?: Record<string, Map_ | null>;
    code?: string[] | null;
    while?: Map_;
    /** Names that it hands over, as they are. */
    gives?: string[];
    names?: [string, string][];
    script?: string;
    config?: object;
    retry?: object;
    timeout_ms?: number;
    order?: number;
    blocks?: TestBlock[];
}

export interface TestFlow {
    type?: "endpoint" | "cron" | "reusable";
    start?: object;
    limits?: object;
    blocks: TestBlock[];
}

function blocksOf(blocks: TestBlock[], first: string, units: Record<string, string>): object[] {
    const index = new Map<string, number>([["start", 0]]);
    blocks.forEach((block, i) => index.set(block.id, i + 1));
    return [
        { id: first, type: first },
        ...blocks.map((block, i) => {
            if (block.script) units[`${block.id}.ts`] = unitOf(block.script, /function\s*\*?\s*(\w+)/.exec(block.script)![1]);
            return {
                id: block.id,
                type: block.type,
                order: block.order ?? i + 1,
                ins: Object.entries(block.in ?? {}).map(([from, map]) => {
                    const [id, pin = "out"] = from.split(".");
                    return { from: index.get(id), pin, ...(map && { map }), ...(block.code !== undefined && { code: block.code }) };
                }),
                names: block.names ?? (block.gives ?? []).map((name) => [name, name]),
                config: block.config,
                retry: block.retry,
                timeout_ms: block.timeout_ms,
                ...(block.while && { while: block.while, code: block.code }),
                ...(block.script && { unit: `${block.id}.ts` }),
                ...(block.blocks && { blocks: blocksOf(block.blocks, "turn", units) }),
            };
        }),
    ];
}

/** Adds flows as one release; gives the number of the first. */
export async function release(flows: Record<string, TestFlow>): Promise<number> {
    const base = nextRelease();
    let number = base;
    for (const [id, flow] of Object.entries(flows)) {
        const units: Record<string, string> = {};
        const plan = {
            id,
            name: id,
            type: flow.type ?? "reusable",
            start: flow.start ?? {},
            limits: flow.limits,
            blocks: blocksOf(flow.blocks, "start", units),
        };
        await addFlow(number++, id, source(plan), units);
    }
    return base;
}
