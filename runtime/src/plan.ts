// A compiled flow (docs/internals.md, section 3), made ready once so that runs only follow it.
//
//     addFlow(number, id, plan, units)     a FLOW frame
//     flowOf(head)                         what a START names
//     flowCalled(caller, id)               a call: flows of one release share number >> 16

import type { Bound } from "./library/bound.ts";
import { kindOf, type BlockKind } from "./blocks/kinds.ts";
import { lib, type Validator, type ValidatorUnit } from "./validation.ts";
import { json, type Names } from "./values.ts";

export type Map_ = (input: Names, $: Bound) => Names | Promise<Names>;
export type Script = (argument: unknown) => unknown;
export type ScriptUnit = ($: Bound) => Script;
export type Schema = Names;

export interface Retry {
    times: number;
    delay_ms?: number;
    factor?: number;
    max_delay_ms?: number;
    on?: string[];
}

interface PlanIn {
    from: number;
    pin: string;
    map?: Map_;
    code?: string[] | null;
}

interface PlanBlock {
    id: string;
    type: string;
    name?: string;
    order?: number;
    ins?: PlanIn[];
    names?: [string, string][];
    retry?: Retry;
    timeout_ms?: number;
    config?: Names;
    unit?: string;
    /** Of a loop: {while}, and the names that its expression reads. */
    while?: Map_;
    code?: string[] | null;
    blocks?: PlanBlock[];
}

export interface PlanStart {
    method?: string;
    path?: string;
    parameters?: Record<string, { type: "integer" | "string" }>;
    query?: Schema;
    body?: { type?: "json" | "form" | "multipart" | "text" | "bytes"; schema?: Schema };
    answer?: "end" | "at once";
    deduplicate?: Map_;
    needs?: string[];
    validators?: { body?: string; query?: string; inputs?: string };
    inputs?: Schema;
}

export interface Plan {
    id: string;
    name: string;
    type: "endpoint" | "cron" | "reusable";
    start: PlanStart;
    limits?: { cpu_ms?: number; memory_mb?: number };
    blocks: PlanBlock[];
}

/** What the worker allows a run by itself. */
const CPU_MS = 10_000;
const MEMORY_MB = 64;

/** A connection. */
export class Edge {
    constructor(
        readonly index: number,
        readonly from: Block,
        readonly to: Block,
        readonly pin: string,
        readonly map: Map_ | undefined,
        /** Names that the map's expressions read; null: all; undefined: it has none. */
        readonly code: string[] | null | undefined,
    ) {}
}

export class Block {
    readonly id: string;
    readonly type: string;
    readonly order: number;
    readonly kind: BlockKind;
    readonly isJoin: boolean;
    readonly names: [string, string][];
    /** Of a script: it gives one value that is no object, handed on as `result`. */
    readonly givesResult: boolean;
    readonly retry: Retry | undefined;
    readonly timeoutMs: number;
    readonly config: Names;
    readonly script: ScriptUnit | undefined;
    readonly inner: Scope | undefined;
    readonly while: Map_ | undefined;
    readonly whileCode: string[] | null | undefined;
    readonly ins: Edge[] = [];
    readonly outs: Edge[] = [];
    /** For the history: `,"name":"..."`. */
    readonly nameJson: string;

    constructor(
        readonly flow: Flow,
        readonly index: number,
        plan: PlanBlock,
    ) {
        this.id = plan.id;
        this.type = plan.type;
        this.order = plan.order ?? index;
        this.kind = kindOf(plan.type);
        this.isJoin = plan.type === "join";
        this.names = plan.names ?? [];
        const given = this.names.filter(([property]) => property !== "error");
        this.givesResult = given.length === 1 && given[0][0] === "result";
        this.retry = plan.retry;
        this.timeoutMs = plan.timeout_ms ?? 0;
        this.config = plan.config ?? {};
        this.script = plan.unit === undefined ? undefined : flow.unit<ScriptUnit>(plan.unit);
        this.inner = plan.blocks ? new Scope(flow, plan.blocks) : undefined;
        this.while = plan.while;
        this.whileCode = plan.code;
        this.nameJson = `,"name":${json(plan.name ?? plan.id)}`;
    }

    catches(pin: string): boolean {
        return this.outs.some((edge) => edge.pin === pin);
    }

    /** The name under which this block hands over a property of its output. */
    nameOf(property: string): string {
        return this.names.find(([from]) => from === property)?.[1] ?? property;
    }
}

/** A flow, or the inside of a loop: blocks in topological order. */
export class Scope {
    readonly blocks: Block[];
    readonly edges: Edge[] = [];
    /** How many connections come into each block. */
    readonly incoming: number[];
    readonly hasJoin: boolean;

    constructor(
        readonly flow: Flow,
        plan: PlanBlock[],
    ) {
        this.blocks = plan.map((block, index) => new Block(flow, index, block));
        for (const block of this.blocks)
            for (const one of plan[block.index].ins ?? []) {
                const edge = new Edge(this.edges.length, this.blocks[one.from], block, one.pin, one.map, one.code);
                this.edges.push(edge);
                edge.from.outs.push(edge);
                block.ins.push(edge);
            }
        this.incoming = this.blocks.map((block) => block.ins.length);
        this.hasJoin = this.blocks.some((block) => block.isJoin);
    }
}

export class Flow {
    readonly id: string;
    readonly plan: Plan;
    readonly scope: Scope;
    readonly isEndpoint: boolean;
    /** Names that an endpoint's Start gives because something reads them. */
    readonly needs: Set<string>;
    /** Only where they are not the worker's own. */
    readonly limits: { cpuMs: number; memoryMb: number } | undefined;
    readonly validators: { body?: Validator; query?: Validator; inputs?: Validator } = {};
    readonly #units: Map<string, unknown>;

    constructor(
        readonly number: number,
        plan: Plan,
        units: Map<string, unknown>,
    ) {
        this.id = plan.id;
        this.plan = plan;
        this.#units = units;
        this.isEndpoint = plan.type === "endpoint";
        this.needs = new Set(plan.start.needs ?? []);
        const { cpu_ms = CPU_MS, memory_mb = MEMORY_MB } = plan.limits ?? {};
        this.limits = cpu_ms === CPU_MS && memory_mb === MEMORY_MB ? undefined : { cpuMs: cpu_ms, memoryMb: memory_mb };
        this.scope = new Scope(this, plan.blocks);
        for (const [what, key] of Object.entries(plan.start.validators ?? {}))
            this.validators[what as keyof Flow["validators"]] = this.unit<ValidatorUnit>(key)(lib);
    }

    unit<T>(key: string): T {
        const unit = this.#units.get(key);
        if (typeof unit !== "function") throw new Error(`unit ${key} ${typeof unit === "string" ? unit : "is missing"}`);
        return unit as T;
    }
}

const flows = new Map<number, Flow | string>();
/** The newest of its release's, by the release and the id; and the newest of all, by the id. */
const named = new Map<string, Flow | string>();
const nameKey = (number: number, id: string): string => `${Math.floor(number / 65536)} ${id}`;

export function addFlow(number: number, id: string, plan: unknown, units: unknown[]): void {
    const byKey = new Map<string, unknown>();
    for (let i = 0; i + 1 < units.length; i += 2) byKey.set(units[i] as string, units[i + 1]);
    let flow: Flow | string;
    try {
        if (typeof plan !== "function") throw new Error(`its plan ${typeof plan === "string" ? plan : "is missing"}`);
        flow = new Flow(number, plan() as Plan, byKey);
    } catch (error) {
        flow = `flow ${id} cannot be run: ${(error as Error).message}`;
    }
    flows.set(number, flow);
    named.set(nameKey(number, id), flow);
    named.set(id, flow);
}

/** A text says why there is none. */
export function flowOf(head: { flow?: string; number?: number }): Flow | string {
    return (head.number === undefined ? named.get(head.flow ?? "") : flows.get(head.number)) ?? `flow ${head.flow ?? head.number} is not known to this worker`;
}

/** What a run of `caller` means by this id. */
export function flowCalled(caller: Flow, id: string): Flow | string {
    return named.get(nameKey(caller.number, id)) ?? `there is no flow "${id}" to call`;
}
