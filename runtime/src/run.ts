// A run in this worker, from START to FINISH.
//
// Whatever happens to it comes in through enter(): a frame, or the end of something that was awaited.
// Activations that became runnable wait in a queue, so that a long flow is no deep stack. A fault in
// Flowlet itself ends this run alone.

import type { Activation } from "./activation.ts";
import { answerOf, failedAnswer, type Answer } from "./answer.ts";
import { endFault } from "./blocks/end.ts";
import { faultOf, OperationError, refuse, shown, type Fault } from "./fault.ts";
import { History, kept } from "./history.ts";
import { Reporter } from "./report.ts";
import { Frame, host } from "./host.ts";
import type { Journal } from "./journal.ts";
import type { Flow } from "./plan.ts";
import { entry } from "./library/clock.ts";
import { ScopeRun } from "./scope.ts";
import { json, parse, type Names } from "./values.ts";

/** The parts of a START's head that are not the request (docs/internals.md, section 4). */
export interface Head {
    /** The flow's, as in its FLOW frame; without it `flow`, an id, has the newest. */
    number?: number;
    flow?: string;
    t: number;
    /** Where random numbers may be drawn. */
    seed?: string;
    durable?: boolean;
    settings?: Names;
    nonce?: string;
    /** Of durable runs: what links to their Waits are made of. */
    links?: { at: string; key: string };
    input?: Names;
    [more: string]: unknown;
}

/** Operations under way at once, and the length of their names: what the server takes. */
const OPEN_MAX = 1000;
const ID_MAX = 1000;
/** Of UTF-8 there may be three times as many bytes; frames take 16 MB. */
const ASK_MAX = 5_000_000;

interface Waiting {
    asker: Activation;
    done: (value: unknown) => void;
    failed: (fault: Fault) => void;
}

export class Run {
    readonly history = new History();
    readonly durable: boolean;
    readonly settings: Names;
    readonly nonce: string;
    /** FINISH was sent, or it was canceled. */
    over = false;
    /** Somebody watches it: it tells as it goes. */
    reporter: Reporter | undefined;
    /** A Respond block has answered. */
    responded = false;
    /** Runnable; and an empty one, so that what has begun is let go while more comes. */
    #queue: Activation[] = [];
    #next: Activation[] = [];
    #entered = false;
    #waiting = new Map<string, Waiting>();
    /** What was entered last. */
    #last: Activation | undefined;

    constructor(
        readonly number: number,
        readonly flow: Flow,
        readonly head: Head,
        /** Only when it is resumed. */
        readonly journal: Journal | undefined,
        readonly gone: () => void,
    ) {
        this.durable = head.durable === true;
        this.settings = head.settings ?? {};
        this.nonce = head.nonce ?? "";
    }

    start(names: Names): void {
        const { rawBody: _, ...shown } = names;
        this.history.start(kept(shown), this.head.t);
        this.enter(() => new ScopeRun(this, this.flow.scope, "", names, undefined, 0, (scope) => this.#finish(scope)).start(this.head.t));
    }

    /** Does `what` and everything that becomes possible by it. */
    enter(what: () => void): void {
        if (this.over) return;
        if (this.#entered) return what();
        this.#entered = true;
        try {
            what();
            while (this.#queue.length > 0 && !this.over) {
                const queue = this.#queue;
                this.#queue = this.#next;
                for (let at = 0; at < queue.length && !this.over; at++) (this.#last = queue[at]).begin();
                queue.length = 0;
                this.#next = queue;
            }
        } catch (error) {
            this.crash(error);
        } finally {
            this.#entered = false;
        }
    }

    ready(activation: Activation): void {
        this.#queue.push(activation);
    }

    ask(asker: Activation, id: string, op: string, args: Names, key: string | undefined, done: Waiting["done"], failed: Waiting["failed"]): void {
        if (this.over) return;
        if (id.length > ID_MAX) throw refuse("too_deep", "calls and loops are nested too deep: their names together are too long");
        if (this.#waiting.size >= OPEN_MAX) throw refuse("limit", `more than ${OPEN_MAX} operations at once: await some before asking for more`);
        const waiting = { asker, done, failed };
        if (this.journal?.coming.has(id)) return void this.#waiting.set(id, waiting);
        const keyed = key === undefined ? "" : `,"key":${json(key)}`;
        const text = `{"id":"${id}","op":"${op}","args":${json(args)}${keyed}}`;
        if (text.length > ASK_MAX) throw refuse("too_large", `${op}: its arguments are larger than ${ASK_MAX} characters`);
        host.send(Frame.ASK, this.number, text);
        this.#waiting.set(id, waiting);
    }

    /** A RESULT frame. */
    result(text: string): void {
        const { id, t, value, error } = parse(text) as { id: string; t: number; value?: unknown; error?: Fault };
        entry.t = t;
        const waiting = this.#waiting.get(id);
        if (!waiting) {
            const differs = this.journal?.coming.has(id) && this.journal.mismatch(id);
            if (differs) this.enter(() => this.#mismatch(differs, id, t));
            return;
        }
        this.#waiting.delete(id);
        if (waiting.asker.dead) return;
        this.#last = waiting.asker;
        this.#last.clock = t;
        this.enter(() => (error ? waiting.failed(error) : waiting.done(value)));
    }

    #mismatch(who: Activation | true, id: string, t: number): void {
        const fault = { code: "journal_mismatch", message: `before the restart this run asked for ${id}, now it did not: it is not deterministic` };
        if (who === true) return this.#fail([shown(fault, id.slice(0, id.indexOf("#")))]);
        who.clock = t;
        who.fail(fault);
    }

    record(text: string): void {
        if (text.length > ASK_MAX) throw refuse("too_large", `a value of this durable run is larger than ${ASK_MAX} characters: the journal cannot keep it`);
        host.send(Frame.RECORD, this.number, text);
    }

    log(activation: Activation, level: string, text: string): void {
        if (this.over) return;
        const line = this.history.log(activation.path, level, text, activation.clock);
        if (line) host.send(Frame.LOG, this.number, line);
    }

    watch(): void {
        this.reporter ??= new Reporter(this.number);
    }

    /** The answer before the end, once. */
    respond(answer: Answer): void {
        this.responded = true;
        host.send(Frame.RESPOND, this.number, answer.head, answer.body);
    }

    /** By force: nothing of it goes on, and no error pin catches it (semantics.md, rule 18). */
    end(fault: Fault): void {
        if (!this.over) this.#fail([shown(fault, this.#where(fault.code === "run_time"))]);
    }

    /** The blocks that were under way, for a message. */
    #where(waits: boolean): string {
        const blocks = waits ? [...this.#waiting.values()].map((one) => one.asker) : this.#last ? [this.#last] : [];
        return [...new Set(blocks.map((one) => one.path))].slice(0, 3).join(", ");
    }

    cancel(): void {
        this.over = true;
        this.gone();
    }

    #finish(scope: ScopeRun): void {
        const ending = scope.ending;
        if (scope.uncaught.length > 0) return this.#fail(scope.uncaught.map((one) => one.error));
        if (ending?.pin === "error") return this.#fail([shown(endFault(ending), ending.block)]);
        if (!this.flow.isEndpoint || this.responded) return this.#send("done", undefined, `"output":${json(ending?.output ?? {})}`);
        try {
            this.#send("done", answerOf(ending?.output));
        } catch (error) {
            // The End gave what is no answer.
            this.#fail([shown(faultOf(error, "mapping"), ending!.block)]);
        }
    }

    /** The first error is the one that is reported. */
    #fail(errors: Names[]): void {
        const answer = this.flow.isEndpoint && !this.responded ? failedAnswer(this.number) : undefined;
        this.#send("failed", answer, `"error":${json(errors[0])},"errors":${json(errors)}`);
    }

    /** Before it began: the request does not fit. That is the caller's failure, not the run's. */
    refuse(answer: Answer): void {
        this.#send("done", answer);
    }

    /** An input that does not fit; a fault of Flowlet's own, or of a release that should never have been published. */
    crash(error: unknown): void {
        if (this.over) return;
        const known = OperationError.faultOf(error);
        if (known) return this.#fail([{ code: known.code, message: known.message }]);
        const message = error instanceof Error ? error.message : String(error);
        host.log("error", `run ${this.number} of flow ${this.flow.id}: ${message}\n${(error as Error)?.stack ?? ""}`);
        this.#fail([{ code: "internal", message }]);
    }

    #send(state: "done" | "failed", answer: Answer | undefined, more = ""): void {
        const head = `{"state":"${state}"${answer ? `,"answer":${answer.head}` : ""}${more && "," + more}}`;
        host.send(Frame.FINISH, this.number, head, answer?.body, this.history.text());
        this.over = true;
        this.gone();
    }
}
