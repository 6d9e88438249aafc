// One execution of a scope: a flow, or a turn of a loop (semantics.md, rules 1 to 6, 9 and 10).
//
//     const scope = new ScopeRun(run, flow.scope, "", names, owner, ended);
//     scope.start(t);          decides, queues what becomes runnable with the run; later ended(scope), once
//
// Each connection gets one state and each block is decided once. Nothing here waits: activations
// come back by leave() or fail(), each at most once.
//
// `t` is the time at which something became so. Live it is the time of the entry; after a resume, what the
// journal says: so a block sees the same clock both times (rule 23).

import { Activation } from "./activation.ts";
import { shown, type Fault } from "./fault.ts";
import type { Block, Edge, Scope } from "./plan.ts";
import type { Told } from "./history.ts";
import type { Run } from "./run.ts";
import { put, type Names } from "./values.ts";

const enum State {
    OPEN = 0,
    TAKEN = 1,
    NOT_TAKEN = 2,
    FAILED = 3,
}

/** What a way brought: values by name and, where a Join may have to choose, which block bound each. */
export interface Env {
    readonly names: Names;
    readonly by: Record<string, number> | undefined;
}

/** How a scope was left: by its End. */
export interface Ending {
    pin: "out" | "error";
    output: Names;
    /** The End's id. */
    block: string;
}

interface Uncaught {
    order: number;
    /** As the error pin would show it. */
    error: Names;
    fault: Fault;
}

export class ScopeRun {
    /** The latest time of anything in it. */
    t = 0;
    ending: Ending | undefined;
    /** Failures that nothing caught, in the document's order once the scope is over. */
    readonly uncaught: Uncaught[] = [];
    #open: number;
    #waiting: number[];
    #decided: boolean[];
    #failing: boolean[] = [];
    #edges: State[];
    /** What each block that ran handed on. */
    #envs: (Env | undefined)[];
    #times: number[] | undefined;
    #settling: { edge: Edge; state: State; t: number }[] = [];
    /** Part of a call that a script made: see Activation.begin. */
    fromScript: boolean;
    /** Where the history tells of its blocks. */
    told: Told;

    constructor(
        readonly run: Run,
        readonly plan: Scope,
        /** What stands before the ids of its blocks in their paths: "", "scan[3].", "page>". */
        readonly prefix: string,
        names: Names,
        /** The activation that it is a part of; undefined: the run itself. */
        readonly owner: Activation | undefined,
        readonly depth: number,
        readonly ended: (scope: ScopeRun) => void,
    ) {
        this.fromScript = owner !== undefined && owner.scope.fromScript;
        this.told = owner ? owner.scope.told : run.history.told;
        const n = plan.blocks.length;
        this.#open = n;
        this.#waiting = [];
        for (const count of plan.incoming) this.#waiting.push(count);
        this.#decided = new Array<boolean>(n).fill(false);
        this.#edges = new Array<State>(plan.edges.length).fill(State.OPEN);
        this.#envs = new Array<Env | undefined>(n);
        this.#envs[0] = { names, by: plan.hasJoin ? {} : undefined };
    }

    /** Its owner was given up: whatever still happens in it counts for nothing. */
    get dead(): boolean {
        return this.owner !== undefined && this.owner.dead;
    }

    start(t: number): void {
        const first = this.plan.blocks[0];
        this.#decided[0] = true;
        this.#leave(first, State.TAKEN, undefined, t);
        // What no connection reaches is skipped.
        for (const block of this.plan.blocks) if (block !== first && block.ins.length === 0) this.#pass(block, State.NOT_TAKEN, t);
        this.#follow();
    }

    /** The block ran and leaves by this pin; `bound` are the names it hands over. */
    leave(block: Block, came: Env, pin: string, bound: [string, unknown][], t: number): void {
        this.#envs[block.index] = bound.length > 0 ? this.#bind(block, came, bound) : came;
        this.#leave(block, State.TAKEN, pin, t);
        this.#follow();
    }

    /** The block ran and failed with nothing at its error pin. */
    fail(block: Block, fault: Fault, t: number): void {
        this.uncaught.push({ order: block.order, error: shown(fault, block.id), fault });
        this.#leave(block, State.FAILED, undefined, t);
        this.#follow();
    }

    #bind(block: Block, came: Env, bound: [string, unknown][]): Env {
        const names = { ...came.names };
        const by = came.by && { ...came.by };
        for (const pair of bound) {
            put(names, pair[0], pair[1]);
            if (by) put(by, pair[0], block.index);
        }
        return { names, by };
    }

    /** Done with this block. Its connections get the state; those of other pins than `pin` are not taken. */
    #leave(block: Block, state: State, pin: string | undefined, t: number): void {
        this.#open--;
        if (t > this.t) this.t = t;
        for (const edge of block.outs)
            this.#settling.push({ edge, state: pin === undefined || edge.pin === pin ? state : State.NOT_TAKEN, t });
    }

    /** Decided not to run. */
    #pass(block: Block, state: State, t: number): void {
        this.#decided[block.index] = true;
        this.#leave(block, state, undefined, t);
    }

    #follow(): void {
        const settling = this.#settling;
        for (let at = 0; at < settling.length; at++) this.#settle(settling[at].edge, settling[at].state, settling[at].t);
        settling.length = 0;
        if (this.#open > 0) return;
        this.uncaught.sort((a, b) => a.order - b.order);
        this.ended(this);
    }

    #settle(edge: Edge, state: State, t: number): void {
        const to = edge.to;
        this.#edges[edge.index] = state;
        const left = --this.#waiting[to.index];
        if (state === State.FAILED) this.#failing[to.index] = true;
        if (this.#decided[to.index]) {
            // Rule 7 keeps such flows from being published.
            if (state === State.TAKEN) throw new Error(`block ${this.prefix}${to.id} was reached twice`);
            return;
        }
        if (to.ins.length > 1 && this.run.journal) t = this.#latest(to.index, t);
        if (state === State.TAKEN && !to.isJoin) {
            this.#decided[to.index] = true;
            this.run.ready(new Activation(this, to, edge, this.#envs[edge.from.index]!, t));
        } else if (left === 0) this.#decideLast(to, t);
    }

    /** All connections are decided, and no ordinary block was reached by one. */
    #decideLast(block: Block, t: number): void {
        const taken = block.ins.filter((edge) => this.#edges[edge.index] === State.TAKEN);
        if (this.#failing[block.index]) this.#pass(block, State.FAILED, t);
        else if (taken.length === 0) this.#pass(block, State.NOT_TAKEN, t);
        else {
            this.#envs[block.index] = this.#merge(taken);
            this.#pass(block, State.TAKEN, t);
        }
    }

    /** Rule 10. Of two bindings of a name the one by the block that comes later replaced the other on its way. */
    #merge(taken: Edge[]): Env {
        const first = this.#envs[taken[0].from.index]!;
        const names = { ...first.names };
        const by = { ...first.by };
        for (let i = 1; i < taken.length; i++) {
            const env = this.#envs[taken[i].from.index]!;
            for (const name of Object.keys(env.names)) {
                const other = env.by![name] ?? -1;
                if (Object.hasOwn(names, name) && other <= (by[name] ?? -1)) continue;
                put(names, name, env.names[name]);
                put(by, name, other);
            }
        }
        return { names, by };
    }

    /** After a resume blocks come back in another order than they did live: what waited for several did so for the last. */
    #latest(index: number, t: number): number {
        this.#times ??= [];
        const before = this.#times[index] ?? 0;
        return (this.#times[index] = t > before ? t : before);
    }
}
