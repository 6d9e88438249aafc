// What a resumed run is told of its past (docs/internals.md, section 4, START).
//
// Recorded ends and begins are looked up by path. Results come as RESULT frames right after the START, in
// the order in which they were recorded, so nothing here delivers them: an operation whose result is on its
// way is only not asked for again.

import type { Activation } from "./activation.ts";
import type { Failure } from "./activation.ts";
import { parse, type Names } from "./values.ts";

export interface Recorded {
    pin: string;
    output?: Names;
    error?: Failure;
    t: number;
    /** Of an earlier run that this one repeats from some block on: what it had got, and that no attempt follows. */
    repeated?: boolean;
    input?: Names;
}

export interface Begun {
    input: Names;
    asked?: number;
    t: number;
}

export class Journal {
    readonly ends: Record<string, Recorded>;
    readonly begins: Record<string, Begun>;
    /** Operations whose results are on their way. */
    readonly coming: Set<string>;
    /** Activations of this run so far, by path. */
    readonly alive = new Map<string, Activation>();

    constructor(text: string) {
        const given = parse(text) as { ends?: Record<string, Recorded>; begins?: Record<string, Begun>; dones?: { id: string }[] };
        this.ends = given.ends ?? {};
        this.begins = given.begins ?? {};
        this.coming = new Set((given.dones ?? []).map((done) => done.id));
    }

    /**
     * A recorded result that nobody waits for. Its asker has ended, or asked for it in the mapping of what has
     * begun; else the flow does not do what it did: then the activation to fail, or true where there is none.
     */
    mismatch(id: string): Activation | boolean {
        const at = id.lastIndexOf("#");
        const path = id.slice(0, at);
        if (this.ends[path] || Number(id.slice(at + 1)) <= (this.begins[path]?.asked ?? 0)) return false;
        const asker = this.alive.get(path);
        return asker ? !asker.dead && asker : true;
    }
}
