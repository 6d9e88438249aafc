// AbortController and AbortSignal, as fetch takes them.

import type { Timers } from "./timers.ts";

type Listener = ((event: { type: "abort"; target: Signal }) => void) | { handleEvent(event: unknown): void };

export class DOMException extends Error {
    constructor(message = "", name = "Error") {
        super(message);
        this.name = name;
    }
}

export class Signal {
    aborted = false;
    reason: unknown = undefined;
    onabort: Listener | null = null;
    readonly #listeners = new Set<Listener>();

    addEventListener(type: string, listener: Listener): void {
        if (type === "abort") this.#listeners.add(listener);
    }

    removeEventListener(_type: string, listener: Listener): void {
        this.#listeners.delete(listener);
    }

    throwIfAborted(): void {
        if (this.aborted) throw this.reason;
    }

    static abort(reason?: unknown): Signal {
        const signal = new Signal();
        abort(signal, reason);
        return signal;
    }

    static any(signals: Iterable<Signal>): Signal {
        const out = new Signal();
        for (const one of signals) {
            if (one.aborted) abort(out, one.reason);
            else one.addEventListener("abort", () => abort(out, one.reason));
        }
        return out;
    }

    static fire(signal: Signal): void {
        const event = { type: "abort" as const, target: signal };
        for (const listener of [signal.onabort, ...signal.#listeners])
            if (typeof listener === "function") listener(event);
            else listener?.handleEvent(event);
    }
}

function abort(signal: Signal, reason: unknown = new DOMException("The operation was aborted.", "AbortError")): void {
    if (signal.aborted) return;
    signal.aborted = true;
    signal.reason = reason;
    Signal.fire(signal);
}

export class AbortController {
    readonly signal = new Signal();
    abort(reason?: unknown): void {
        abort(this.signal, reason);
    }
}

/** AbortSignal with a timeout() whose time is this activation's. */
export function signalOf(timers: Timers) {
    return {
        abort: Signal.abort,
        any: Signal.any,
        timeout(ms: number): Signal {
            const signal = new Signal();
            timers.after(ms, () => abort(signal, new DOMException("The operation timed out.", "TimeoutError")));
            return signal;
        },
        [Symbol.hasInstance]: (value: unknown) => value instanceof Signal,
    };
}
