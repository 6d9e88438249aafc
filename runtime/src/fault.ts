// Why a block failed: plain data, as the journal, the `error` pin and the operations have it.

import { checked, isPlain, Unfit, type Names } from "./values.ts";

export interface Fault {
    /** A row of base/errors.def, or what a Fail block or a called flow's end gives. */
    code: string;
    message: string;
    /** Whether trying again can help. */
    retry?: boolean;
    status?: number;
    retry_after_ms?: number;
    cause?: unknown;
    /** Where a loop's turn failed. */
    index?: number;
    /** The line of the script that asked: "scan.ts:12:5". */
    at?: string;
}

/** What a script sees thrown when an operation fails. */
export class OperationError extends Error {
    readonly code: string;
    readonly status: number | undefined;
    readonly retry: boolean;
    readonly #fault: Fault;

    /** asked: made where the operation was asked for, so that its stack leads there. */
    constructor(fault: Fault, asked?: Error) {
        super(fault.message);
        if (asked) Object.defineProperty(this, "stack", { value: asked.stack, writable: true, configurable: true });
        this.name = "OperationError";
        this.#fault = asked ? fault : own(fault);
        this.code = this.#fault.code;
        this.status = this.#fault.status;
        this.retry = this.#fault.retry ?? false;
    }

    static faultOf(error: unknown): Fault | undefined {
        return typeof error === "object" && error !== null && #fault in error ? error.#fault : undefined;
    }
}

/** A script may make one itself: what it gives is looked at. */
function own({ code, message, retry, status, cause }: Fault): Fault {
    const fault: Fault = { code: String(code), message: String(message) };
    if (retry !== undefined) fault.retry = retry === true;
    if (typeof status === "number") fault.status = status;
    if (cause !== undefined) fault.cause = checked(cause);
    return fault;
}

export function refuse(code: string, message: string): OperationError {
    return new OperationError({ code, message });
}

/** From whatever was thrown; reading it may throw again. */
export function faultOf(thrown: unknown, code: "script" | "mapping"): Fault {
    try {
        return read(thrown, code);
    } catch {
        return { code, message: "something was thrown that cannot be read" };
    }
}

function read(thrown: unknown, code: "script" | "mapping"): Fault {
    const known = OperationError.faultOf(thrown);
    if (known) {
        const at = place(thrown as Error);
        return at ? { ...known, at } : known;
    }
    if (thrown instanceof Unfit) return { code, message: thrown.message };
    if (thrown instanceof Error) {
        const line = place(thrown);
        const at = line && `${line}: `;
        const kind = thrown.name === "Error" ? "" : `${thrown.name}: `;
        const fault: Fault = { code, message: cut(`${at}${kind}${thrown.message}`) };
        if (thrown.cause !== undefined) fault.cause = causeOf(thrown.cause);
        return fault;
    }
    return { code, message: cut(`something that is no Error was thrown: ${describe(thrown)}`) };
}

function causeOf(cause: unknown): unknown {
    const known = OperationError.faultOf(cause);
    if (known) return { code: known.code, message: known.message };
    return cut(cause instanceof Error ? cause.message : describe(cause));
}

function describe(value: unknown): string {
    if (typeof value === "object" && value !== null)
        return isPlain(value) && typeof (value as Names).message === "string" ? ((value as Names).message as string) : "an object";
    return String(value);
}

const MESSAGE_MAX = 2000;
function cut(text: string): string {
    return text.length > MESSAGE_MAX ? text.slice(0, MESSAGE_MAX) + "..." : text;
}

/** "script.ts:12:5", from the topmost line of the stack that lies in a script; "" where there is none. */
function place(error: Error): string {
    const found = /([\w.-]+\.ts:\d+(?::\d+)?)/.exec(typeof error.stack === "string" ? error.stack.replace(error.message, "") : "");
    return found ? found[1] : "";
}

/** What `input.error` shows after the error pin of a block. */
export function shown(fault: Fault, block: string): Names {
    const out: Names = { block, code: fault.code, message: fault.message };
    for (const name of ["status", "retry", "retry_after_ms"] as const) if (fault[name] !== undefined) out[name] = fault[name];
    if (fault.index !== undefined) out.index = fault.index;
    if (fault.cause !== undefined) out.cause = fault.cause;
    if (fault.at !== undefined) out.at = fault.at;
    return out;
}
