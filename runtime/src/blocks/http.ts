import type { Activation } from "../activation.ts";

export function http(a: Activation): void {
    a.succeed("out", {});
}
