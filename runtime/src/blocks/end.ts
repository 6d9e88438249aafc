import type { Activation } from "../activation.ts";
import type { Fault } from "../fault.ts";
import type { Ending } from "../scope.ts";

export function end(a: Activation): void {
    const pin = a.block.config.pin === "error" ? "error" : "out";
    a.scope.ending = { pin, output: a.input, block: a.block.id };
    a.succeed(pin, a.input);
}

/** A reusable flow that left by its End of pin `error`. What its `cause` says of trying again holds for the caller too. */
export function endFault(ending: Ending): Fault {
    const { code, message, cause } = ending.output;
    const fault: Fault = {
        code: typeof code === "string" && code !== "" ? code : "failed",
        message: typeof message === "string" ? message : "the flow ended by its error pin",
    };
    if (cause !== undefined) fault.cause = cause;
    if (typeof cause === "object" && cause !== null) {
        const { status, retry, retry_after_ms } = cause as Partial<Fault>;
        if (typeof status === "number") fault.status = status;
        if (typeof retry === "boolean") fault.retry = retry;
        if (typeof retry_after_ms === "number") fault.retry_after_ms = retry_after_ms;
    }
    return fault;
}
