// An operation that only lets time pass, and may be ended early.

import type { Activation } from "./activation.ts";
import type { Fault } from "./fault.ts";

/** Calls one of the two back, once, unless what it gives is called before. */
export function wait(a: Activation, ms: number, done: () => void, failed: (fault: Fault) => void, park?: boolean): () => void {
    const ignore = (): void => {};
    let open = true;
    const unlessEnded = (then: () => void): void => {
        if (open) then();
        open = false;
    };
    const id = a.ask("wait", { ms, park }, () => unlessEnded(done), (fault) => unlessEnded(() => failed(fault)));
    return () => {
        if (!open) return;
        open = false;
        a.ask("wait.cancel", { id }, ignore, ignore);
    };
}
