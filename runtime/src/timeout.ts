// A block's own time limit, for those whose operations have none: script, loop, call.

import type { Activation } from "./activation.ts";
import { wait } from "./wait.ts";

/** The limit is an operation like any other, so that a resumed run runs out of time at the same place. */
export function timed(a: Activation, run: () => void): void {
    const ms = a.block.timeoutMs;
    if (ms > 0) {
        const late = { code: "timeout", message: `took longer than ${ms} ms`, retry: true };
        // What is around a Wait does not keep the run from being parked; it counts as no run time either.
        const park = a.block.type === "script" ? undefined : true;
        a.whenOver = wait(a, ms, () => a.fail(late), (fault) => a.fail(fault), park);
    }
    if (!a.over) run();
}
