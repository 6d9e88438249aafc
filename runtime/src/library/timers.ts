// Waiting. Each wait is an operation, so that a resumed run waits for the rest of it; one that is cleared
// is ended in the server too.

import type { Activation } from "../activation.ts";
import { OperationError, type Fault } from "../fault.ts";
import { wait } from "../wait.ts";

const MS_MAX = 2 ** 31 - 1;

type Callback = (...args: unknown[]) => void;

export interface Timers {
    sleep(ms: number): Promise<void>;
    setTimeout(callback: Callback, ms?: number, ...args: unknown[]): number;
    setInterval(callback: Callback, ms?: number, ...args: unknown[]): number;
    clear(id: unknown): void;
    /** Calls back once; gives what cancels it. */
    after(ms: number, callback: () => void, failed?: (fault: Fault) => void): () => void;
}

export function timersOf(a: Activation): Timers {
    const open = new Map<number, () => void>();
    let last = 0;
    const complain = (fault: Fault): void => a.run.log(a, "error", `a timer ended early: ${fault.message}`);
    const after: Timers["after"] = (ms, callback, failed = complain) =>
        wait(a, Number.isFinite(ms) && ms > 0 ? Math.min(Math.ceil(ms), MS_MAX) : 0, callback, failed);
    const call = (callback: Callback, args: unknown[]): void => {
        try {
            callback(...args);
        } catch (error) {
            a.run.log(a, "error", `a timer's function failed: ${String(error)}`);
        }
    };
    return {
        after,
        sleep: (ms) => new Promise((done, failed) => void after(ms, done, (fault) => failed(new OperationError(fault)))),
        setTimeout(callback, ms = 0, ...args) {
            const id = ++last;
            open.set(id, after(ms, () => {
                open.delete(id);
                call(callback, args);
            }));
            return id;
        },
        setInterval(callback, ms = 0, ...args) {
            const id = ++last;
            const next = (): void => {
                open.set(id, after(ms, () => {
                    next();
                    call(callback, args);
                }));
            };
            next();
            return id;
        },
        clear(id) {
            open.get(id as number)?.();
            open.delete(id as number);
        },
    };
}
