import type { Activation } from "../activation.ts";
import type { Fault } from "../fault.ts";
import { LaterTurns } from "../history.ts";
import { ScopeRun } from "../scope.ts";
import { timed } from "../timeout.ts";
import { put, type Names } from "../values.ts";

function turn(a: Activation, index: number, names: Names, later: LaterTurns, ended: (scope: ScopeRun) => void): void {
    const scope = new ScopeRun(a.run, a.block.inner!, `${a.path}[${index}].`, names, a, a.scope.depth, (over) => {
        later.end(over.told);
        ended(over);
    });
    scope.told = later.begin(index);
    scope.start(a.clock);
}

/** Turns start in the list's order, at most `at_once` open; results have that order too (semantics.md, rule 14). */
class Turns {
    readonly results: unknown[];
    readonly failures: { index: number; error: Fault }[] = [];
    readonly atOnce: number;
    readonly collects: boolean;
    next = 0;
    open = 0;
    readonly #later: LaterTurns;
    #starting = false;

    constructor(
        readonly a: Activation,
        readonly list: unknown[],
    ) {
        this.#later = new LaterTurns(a.run.history, a.scope.told);
        this.results = new Array<unknown>(list.length).fill(null);
        const { at_once, on_failure } = a.block.config;
        this.atOnce = typeof at_once === "number" && at_once >= 1 ? at_once : 1;
        this.collects = on_failure === "collect";
    }

    get mayStart(): boolean {
        return this.next < this.list.length && this.open < this.atOnce && (this.collects || this.failures.length === 0);
    }

    go(): void {
        // A turn in which nothing waits is over before start() returns, and comes back here.
        if (this.#starting) return;
        this.#starting = true;
        while (this.mayStart) this.#start(this.next++);
        this.#starting = false;
        if (this.open === 0) this.#end();
    }

    #start(index: number): void {
        this.open++;
        const { a } = this;
        const names: Names = { ...a.env.names };
        put(names, a.block.nameOf("item"), this.list[index]);
        put(names, a.block.nameOf("index"), index);
        turn(a, index, names, this.#later, (scope) => this.#ended(index, scope));
    }

    #ended(index: number, scope: ScopeRun): void {
        const { a } = this;
        if (a.dead) return;
        this.open--;
        if (scope.t > a.clock) a.clock = scope.t;
        if (scope.uncaught.length > 0) this.failures.push({ index, error: scope.uncaught[0].fault });
        else this.results[index] = scope.ending?.output.value ?? null;
        this.go();
    }

    #end(): void {
        this.#later.close();
        this.failures.sort((x, y) => x.index - y.index);
        const first = this.failures[0];
        if (first === undefined || this.collects) this.a.succeed("done", { results: this.results, failures: this.failures });
        else this.a.fail({ ...first.error, message: `turn ${first.index}: ${first.error.message}`, index: first.index });
    }
}

/** One turn after another, as long as the expression over `index` and `last` holds. */
class While {
    readonly results: unknown[] = [];
    #last: unknown = null;
    #going = false;
    #next = false;

    readonly #later: LaterTurns;

    constructor(readonly a: Activation) {
        this.#later = new LaterTurns(a.run.history, a.scope.told);
    }

    /** A turn in which nothing waits is over before the scope's start() returns, and comes back here. */
    go(): void {
        this.#next = true;
        if (this.#going) return;
        this.#going = true;
        while (this.#next) {
            this.#next = false;
            this.#ask();
        }
        this.#going = false;
    }

    #ask(): void {
        const { a } = this;
        const names: Names = { ...a.env.names };
        put(names, a.block.nameOf("index"), this.results.length);
        put(names, a.block.nameOf("last"), this.#last);
        a.evaluate(a.block.while!, a.block.whileCode, names, (given) => this.#answered(given.while, names));
    }

    #answered(holds: unknown, names: Names): void {
        const { a } = this;
        const index = this.results.length;
        const most = a.block.config.at_most ?? 100;
        if (a.dead) return;
        if (holds !== true || index >= (most as number)) this.#later.close();
        if (typeof holds !== "boolean") return a.fail({ code: "mapping", message: `\`while\` must give true or false, before turn ${index} it gave neither` });
        if (!holds) return a.succeed("done", { results: this.results });
        if (index >= (most as number)) return a.fail({ code: "too_many_turns", message: `it still wanted to go on after ${String(most)} turns, which are all it may take` });
        turn(a, index, names, this.#later, (scope) => this.#ended(scope));
    }

    #ended(scope: ScopeRun): void {
        const { a } = this;
        const index = this.results.length;
        if (a.dead) return;
        if (scope.t > a.clock) a.clock = scope.t;
        if (scope.uncaught.length > 0) {
            const { fault } = scope.uncaught[0];
            this.#later.close();
            return a.fail({ ...fault, message: `turn ${index}: ${fault.message}`, index });
        }
        this.results.push((this.#last = scope.ending?.output.value ?? null));
        this.go();
    }
}

export function loop(a: Activation): void {
    if (a.block.while) return timed(a, () => new While(a).go());
    const list = a.input.list;
    if (Array.isArray(list)) timed(a, () => new Turns(a, list).go());
    else a.fail({ code: "mapping", message: `input "list": a list is needed, this is ${list === undefined || list === null ? "nothing" : `a ${typeof list}`}` });
}
