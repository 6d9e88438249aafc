import type { Activation } from "../activation.ts";

export function condition(a: Activation): void {
    const value = a.input.condition;
    if (typeof value === "boolean") a.succeed(value ? "true" : "false", {});
    else a.fail({ code: "mapping", message: `input "condition": a boolean is needed, this is ${value === undefined || value === null ? "nothing" : `a ${typeof value}`}` });
}
