// What the runs page will show of a run (docs/internals.md, section 6), written as text while it runs.

import type { Activation } from "./activation.ts";
import { json } from "./values.ts";

const VALUE_MAX = 4000;
/** Past this the rest of a run is only counted. */
const TOTAL_MAX = 1_000_000;
const LOGS_MAX = 1000;
const LOG_TEXT_MAX = 4000;
/** Of all lines together. With the blocks, in UTF-8, this stays below what the server takes of a worker: RUN_HISTORY_MAX. */
const LOGS_TOTAL_MAX = 500_000;

/** The JSON text of a value, or of its beginning where it is long. */
export function cut(text: string): string {
    return text.length > VALUE_MAX ? `{"$cut":${json(text.slice(0, VALUE_MAX))},"length":${text.length}}` : text;
}

export class History {
    #blocks = "";
    #logs = "";
    #logCount = 0;
    #logsFull = false;
    #omitted = 0;
    #lastTime = -1;
    #lastTimeText = "";

    start(names: string, t: number): void {
        this.#blocks = `{"path":"start","name":"Start","pin":"out","t":${this.#time(t)},"ms":0,"output":${names}}`;
    }

    /** outcome: `"output":...` or `"error":...`. */
    block(a: Activation, pin: string, input: string, outcome: string): void {
        if (this.#blocks.length > TOTAL_MAX) {
            this.#omitted++;
            return;
        }
        const comma = this.#blocks === "" ? "" : ",";
        const attempts = a.attempt > 1 ? `,"attempts":${a.attempt}` : "";
        const ms = a.clock - a.since;
        // The path of the block, whichever attempt it was.
        this.#blocks += `${comma}{"path":"${a.scope.prefix}${a.block.id}"${a.block.nameJson},"pin":"${pin}","t":${this.#time(a.since)},"ms":${ms === 0 ? "0" : ms},"input":${input},${outcome}${attempts}}`;
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
        const omitted = this.#omitted ? `,"omitted":${this.#omitted}` : "";
        return `{"blocks":[${this.#blocks}],"logs":[${this.#logs}]${omitted}}`;
    }
}
