import type { Activation } from "../activation.ts";
import { keyOf } from "./key.ts";

export function mail(a: Activation): void {
    const args = { ...a.input, timeout_ms: a.block.timeoutMs || undefined };
    a.ask("mail.send", args, (sent) => a.succeed("out", { sent }), (fault) => a.fail(fault), keyOf(a, args));
}
