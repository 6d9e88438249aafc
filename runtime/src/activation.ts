// One execution of a block, or one attempt of it (semantics.md, rules 13, 18, 19, 22).
//
//     begin()  ->  its mapping  ->  its kind's run(this)  ->  succeed() or fail(), once
//
// After a resume an activation whose end is in the journal is answered with it; one that began gets the
// recorded input. A failure that the block's retry policy covers becomes the next attempt, an activation of its own.

import { faultOf, OperationError, shown, type Fault } from "./fault.ts";
import { cut, kept } from "./history.ts";
import { Bound } from "./library/bound.ts";
import type { Block, Edge, Map_ } from "./plan.ts";
import { mayRetry, retryDelay } from "./retry.ts";
import type { Recorded } from "./journal.ts";
import type { Run } from "./run.ts";
import type { Env, ScopeRun } from "./scope.ts";
import { checked, copy, json, put, type Names } from "./values.ts";

/** A failure with what came beside it: the answer of a service that said no. */
export interface Failure extends Fault {
    response?: unknown;
}

export class Activation {
    readonly run: Run;
    readonly path: string;
    /** What its Date shows: stands still between the results of its operations (rule 23). */
    clock: number;
    /** When its first attempt began. */
    since: number;
    /** Operations asked for so far. */
    asked = 0;
    /** Ended, or given up. */
    over = false;
    /** Its mapping is done: random numbers and the like start afresh, as they do where that is not evaluated again. */
    mapped = false;
    input: Names = {};
    /** Whether `input` is nobody else's. */
    ownsInput = false;
    /** Gives back what was started for it alone. */
    whenOver: (() => void) | undefined;
    readonly $: Bound;
    #inputJson = "{}";
    /** For its line in the history. */
    #repeated = "";

    constructor(
        readonly scope: ScopeRun,
        readonly block: Block,
        readonly edge: Edge,
        readonly env: Env,
        t: number,
        readonly attempt = 1,
    ) {
        this.run = scope.run;
        this.path = attempt === 1 ? scope.prefix + block.id : `${scope.prefix}${block.id}~${attempt}`;
        this.clock = this.since = t;
        this.$ = new Bound(this);
    }

    get dead(): boolean {
        return this.over || this.run.over || this.scope.dead;
    }

    begin(): void {
        if (this.dead) return;
        const journal = this.run.journal;
        journal?.alive.set(this.path, this);
        // What a script called ran among the script's own operations, and only their results, in their recorded
        // order, bring both to the same places again: all of it is run again from its inputs.
        if (journal && !this.scope.fromScript) {
            const end = journal.ends[this.path];
            if (end) return this.#answer(end);
            const begun = journal.begins[this.path];
            if (begun) {
                this.asked = begun.asked ?? 0;
                this.clock = begun.t;
                this.input = begun.input;
                this.ownsInput = true;
                return this.#execute();
            }
        }
        if (this.mapped) this.#execute();
        else this.#map();
    }

    #answer(end: Recorded): void {
        if (end.repeated) {
            this.#repeated = ',"repeated":true';
            this.#inputJson = kept(end.input ?? {});
        } else {
            this.clock = end.t;
            const begun = this.run.journal?.begins[this.path];
            if (begun) this.#inputJson = kept(begun.input);
        }
        if (this.block.type === "respond") this.run.responded = true;
        if (this.block.type === "end" && !end.error) this.scope.ending = { pin: end.pin === "error" ? "error" : "out", output: end.output ?? {}, block: this.block.id };
        if (end.error) this.#failed(end.error);
        else this.#leave(end.pin, end.output ?? {}, kept(end.output));
    }

    #map(): void {
        const { map, code } = this.edge;
        if (!map) return this.#execute();
        this.evaluate(map, code, this.env.names, (given) => {
            this.input = given;
            this.ownsInput = code !== undefined;
            this.#execute();
        });
    }

    /** What a mapping gives, now or later. Where it cannot be evaluated this activation fails. */
    evaluate(map: Map_, code: string[] | null | undefined, names: Names, took: (given: Names) => void): void {
        let given;
        try {
            given = map(code === undefined ? names : copied(names, code), this.$);
        } catch (error) {
            return this.#notMapped(error);
        }
        if (given instanceof Promise)
            given.then(
                (value) => this.run.enter(() => this.#take(value, took)),
                (error) => this.run.enter(() => this.#notMapped(error)),
            );
        else if (code === undefined) took(given);
        else this.#take(given, took);
    }

    #take(given: Names, took: (given: Names) => void): void {
        let clean;
        try {
            clean = checked(given) as Names;
        } catch (error) {
            this.$.at = "";
            return this.#notMapped(error);
        }
        took(clean);
    }

    #notMapped(error: unknown): void {
        const fault = faultOf(error, "mapping");
        this.fail({ ...fault, message: this.$.at ? `input "${this.$.at}": ${fault.message}` : fault.message });
    }

    #execute(): void {
        this.mapped = true;
        const run = this.run;
        if (run.durable) {
            const text = json(this.input);
            this.#inputJson = cut(text);
            if (!run.journal?.begins[this.path])
                run.record(
                    `{"r":"begin","path":"${this.path}","input":${text},${this.asked ? `"asked":${this.asked},` : ""}"t":${this.clock}}`,
                );
        } else this.#inputJson = kept(this.input);
        run.reporter?.began(this, this.#inputJson);
        this.block.kind(this);
    }

    /** Its input for code that may change it. */
    ownInput(): Names {
        const own = this.ownsInput ? this.input : (copy(this.input) as Names);
        this.ownsInput = false;
        return own;
    }

    /** Leaves by this pin. `output` must be clean (see values.ts). */
    succeed(pin: string, output: Names): void {
        if (this.dead) return;
        let text = "";
        if (this.run.durable) {
            text = json(output);
            this.#record(`"pin":"${pin}","output":${text}`);
            text = cut(text);
        } else text = output === this.input ? this.#inputJson : kept(output); // an End hands on what it got
        this.#leave(pin, output, text);
    }

    fail(failure: Failure): void {
        if (this.dead) return;
        if (this.run.durable) this.#record(`"pin":"error","error":${json(failure)}`);
        this.#failed(failure);
    }

    #record(what: string): void {
        if (!this.run.journal?.ends[this.path]) this.run.record(`{"r":"end","path":"${this.path}",${what},"t":${this.clock}}`);
    }

    #leave(pin: string, output: Names, text: string): void {
        this.#end();
        const bound: [string, unknown][] = [];
        for (const pair of this.block.names) if (Object.hasOwn(output, pair[0])) bound.push([pair[1], output[pair[0]]]);
        this.run.history.block(this, pin, this.#inputJson, `"output":${text}${this.#repeated}`);
        this.run.reporter?.ended(this, pin, "output", text);
        this.scope.leave(this.block, this.env, pin, bound, this.clock);
    }

    #failed(failure: Failure): void {
        this.#end();
        const retry = this.block.retry;
        if (retry && this.#repeated === "" && this.attempt <= retry.times && mayRetry(retry, failure)) return this.#again(retryDelay(retry, this.attempt, failure));
        this.scope.told.failed = true;
        const error = shown(failure, this.block.id);
        const text = kept(error);
        this.run.history.block(this, "error", this.#inputJson, `"error":${text}${responded(failure)}${this.#repeated}`);
        this.run.reporter?.ended(this, "error", "error", text);
        if (!this.block.catches("error")) return this.scope.fail(this.block, failure, this.clock);
        const bound: [string, unknown][] = [[this.block.nameOf("error"), error]];
        if (failure.response !== undefined) bound.push([this.block.nameOf("response"), failure.response]);
        this.scope.leave(this.block, this.env, "error", bound, this.clock);
    }

    #again(ms: number): void {
        const next = new Activation(this.scope, this.block, this.edge, this.env, this.clock, this.attempt + 1);
        next.since = this.since;
        next.mapped = this.mapped;
        next.input = this.input;
        next.#ask(`${next.path}#0`, "wait", { ms, park: true }, undefined, () => next.begin(), (fault) => next.fail(fault));
    }

    /**
     * An operation of this activation. One of the two is called, once: in an entry of its own, or at once where it
     * cannot be asked for; neither when the activation is given up before.
     */
    ask(op: string, args: Names, done: (value: unknown) => void, failed: (fault: Fault) => void, key?: string): string {
        const id = `${this.path}#${++this.asked}`;
        this.#ask(id, op, args, key, done, failed);
        return id;
    }

    #ask(id: string, op: string, args: Names, key: string | undefined, done: (value: unknown) => void, failed: (fault: Fault) => void): void {
        try {
            this.run.ask(this, id, op, args, key, done, failed);
        } catch (error) {
            const fault = OperationError.faultOf(error);
            if (!fault) throw error;
            failed(fault);
        }
    }

    #end(): void {
        this.over = true;
        this.whenOver?.();
    }
}

/** What the error pin binds beside the error. */
function responded(failure: Failure): string {
    return failure.response === undefined ? "" : `,"response":${kept(failure.response)}`;
}

/** What an expression reads is its own: it may sort it in place. */
function copied(names: Names, read: string[] | null): Names {
    const out: Names = { ...names };
    for (const name of read ?? Object.keys(names)) if (Object.hasOwn(out, name)) put(out, name, copy(out[name]));
    return out;
}
