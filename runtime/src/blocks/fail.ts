import type { Activation } from "../activation.ts";

export function fail(a: Activation): void {
    const { code, message } = a.input;
    a.fail({
        code: typeof code === "string" && code !== "" ? code : "failed",
        message: typeof message === "string" && message !== "" ? message : "the flow said that it failed",
    });
}
