// What the runs page will show of a run (docs/internals.md, section 6), written as text while it runs.

import type { Activation } from "./activation.ts";
import { briefJson, json } from "./values.ts";

const VALUE_MAX = 4000;
/** Past this the rest of a run is only counted. */
const TOTAL_MAX = 1_000_000;
const LOGS_MAX = 1000;
const LOG_TEXT_MAX = 4000;
/** Of all lines together. With the blocks, in UTF-8, this stays below what the server takes of a worker: RUN_HISTORY_MAX. */
const LOGS_TOTAL_MAX = 500_000;

/** What is kept of a value. */
export function kept(value: unknown): string {
    return cut(briefJson(value, VALUE_MAX));
}

/** A JSON text, or its beginning where it is long. */
export function cut(text: string): string {
    return text.length > VALUE_MAX ? `{"$cut":${json(text.slice(0, VALUE_MAX))},"length":${text.length}}` : text;
}

/** Turns of a loop that are told whatever becomes of them: so many at its beginning, and at its end. */
const TURNS_KEPT = 100;

/** What is told of a run, or of a turn of which it is not known yet whether that is kept. */
export class Told {
    /** Blocks, each after a comma. */
    text = "";
    blocks = 0;
    failed = false;
}

/** The turns of a loop after its first: kept are those in which a block failed, and the last. */
export class LaterTurns {
    /** The last that ended well: a ring, from `#oldest` on. */
    #last: Told[] = [];
    #oldest = 0;
    readonly #open = new Set<Told>();

    constructor(
        readonly history: History,
        readonly into: Told,
    ) {
        history.loops.add(this);
    }

    begin(index: number): Told {
        const told = index < TURNS_KEPT ? this.into : new Told();
        if (told !== this.into) this.#open.add(told);
        return told;
    }

    end(told: Told): void {
        if (!this.#open.delete(told)) return;
        if (told.failed) return this.#keep(told);
        if (this.#last.length < TURNS_KEPT) return void this.#last.push(told);
        this.history.omitted += this.#last[this.#oldest].blocks;
        this.#last[this.#oldest] = told;
        this.#oldest = (this.#oldest + 1) % TURNS_KEPT;
    }

    /** The loop is over, or the run with it. */
    close(): void {
        for (let i = 0; i < this.#last.length; i++) this.#keep(this.#last[(this.#oldest + i) % this.#last.length]);
        for (const told of this.#open) this.#keep(told);
        this.#last = [];
        this.#open.clear();
        this.history.loops.delete(this);
    }

    #keep(told: Told): void {
        this.into.failed ||= told.failed;
        if (this.into.text.length + told.text.length > TOTAL_MAX) return void (this.history.omitted += told.blocks);
        this.into.text += told.text;
        this.into.blocks += told.blocks;
    }
}

export class History {
    readonly told = new Told();
    /** Blocks that are not told. */
    omitted = 0;
    /** Some were left out because all was too long, and not only turns in the middle of a loop. */
    #full = false;
    /** Under way. */
    readonly loops = new Set<LaterTurns>();
    #logs = "";
    #logCount = 0;
    #logsFull = false;
    #lastTime = -1;
    #lastTimeText = "";

    start(names: string, t: number): void {
        this.told.text = `,{"path":"start","name":"Start","pin":"out","t":${this.#time(t)},"ms":0,"output":${names}}`;
    }

    /** outcome: `"output":...` or `"error":...`. */
    block(a: Activation, pin: string, input: string, outcome: string): void {
        const told = a.scope.told;
        if (told.text.length > TOTAL_MAX) {
            this.omitted++;
            this.#full = true;
            return;
        }
        const attempts = a.attempt > 1 ? `,"attempts":${a.attempt}` : "";
        const ms = a.clock - a.since;
        // The path of the block, whichever attempt it was.
        told.blocks++;
        told.text += `,{"path":"${a.scope.prefix}${a.block.id}"${a.block.nameJson},"pin":"${pin}","t":${this.#time(a.since)},"ms":${ms === 0 ? "0" : ms},"input":${input},${outcome}${attempts}}`;
    }

    /** Most of a short run happens at one time: its text is made once. */
    #time(t: number): string {
        if (t !== this.#lastTime) {
            this.#lastTime = t;
            this.#lastTimeText = String(t);
        }
        return this.#lastTimeText;
    }

    /** The LOG frame's JSON; undefined when there are too many. */
    log(path: string, level: string, text: string, t: number): string | undefined {
        if (this.#logsFull) return undefined;
        this.#logsFull = ++this.#logCount === LOGS_MAX || this.#logs.length > LOGS_TOTAL_MAX;
        const shown = this.#logsFull ? "more lines follow that are not kept" : text.slice(0, LOG_TEXT_MAX);
        const line = `{"path":"${path}","level":"${level}","text":${json(shown)},"t":${t}}`;
        this.#logs += this.#logs === "" ? line : `,${line}`;
        return line;
    }

    text(): string {
        for (const loop of [...this.loops].reverse()) loop.close(); // what is inside of others goes into these
        const omitted = this.omitted ? `,"omitted":${this.omitted}` : "";
        const full = this.#full ? ',"full":true' : "";
        return `{"blocks":[${this.told.text.slice(1)}],"logs":[${this.#logs}]${omitted}${full}}`;
    }
}
