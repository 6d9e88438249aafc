// An operation that only lets time pass, and may be ended early.

import type { Activation } from "./activation.ts";

/** Calls back once, unless what it gives is called before. */
export function wait(a: Activation, ms: number, done: () => void): () => void {
    const ignore = (): void => {};
    let open = true;
    const id = a.ask("wait", { ms }, () => {
        if (open) done();
        open = false;
    }, ignore);
    return () => {
        if (!open) return;
        open = false;
        a.ask("wait.cancel", { id }, ignore, ignore);
    };
}
