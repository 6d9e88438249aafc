// What a run tells of its blocks while somebody watches it (docs/internals.md, section 4, EVENT). History has all of it at
// the end; this is a glance of each value, as it goes.

import type { Activation } from "./activation.ts";
import { Frame, host } from "./host.ts";
import { json } from "./values.ts";

/** Characters of a value's JSON. */
const GLANCE_MAX = 400;
/** Of one run: whoever watches more than this reads its record. */
const EVENTS_MAX = 10_000;

export class Reporter {
    #left = EVENTS_MAX;

    constructor(readonly run: number) {}

    /** input: as the history keeps it. */
    began(a: Activation, input: string): void {
        const attempt = a.attempt > 1 ? `,"attempt":${a.attempt}` : "";
        this.#send(`{"e":"began","path":${this.#path(a)}${a.block.nameJson},"t":${a.clock}${attempt},"input":${glance(input)}}`);
    }

    /** key: "output" or "error"; value: as the history keeps it. */
    ended(a: Activation, pin: string, key: string, value: string): void {
        const ms = a.clock - a.since;
        this.#send(`{"e":"ended","path":${this.#path(a)}${a.block.nameJson},"t":${a.clock},"pin":${json(pin)},"ms":${ms},"attempts":${a.attempt},"${key}":${glance(value)}}`);
    }

    #path(a: Activation): string {
        return json(a.scope.prefix + a.block.id);
    }

    #send(text: string): void {
        if (this.#left === 0) return;
        host.send(Frame.EVENT, this.run, --this.#left === 0 ? '{"e":"many"}' : text);
    }
}

/** The beginning of a value's JSON, which the history may have cut already. */
function glance(text: string): string {
    if (text.length <= GLANCE_MAX) return text;
    const { $cut, length } = text.startsWith('{"$cut":"') ? (JSON.parse(text) as { $cut: string; length?: unknown }) : { $cut: text };
    return `{"$cut":${json($cut.slice(0, GLANCE_MAX))},"length":${Number.isInteger(length) ? length : text.length}}`;
}
