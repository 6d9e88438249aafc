import type { Activation } from "../activation.ts";

interface Case {
    id: string;
    value: unknown;
}

/** What is missing is null. A number is never a text. */
export function switch_(a: Activation): void {
    const value = a.input.value ?? null;
    const found = (a.block.config.cases as Case[]).find((one) => one.value === value);
    a.succeed(found ? found.id : "default", {});
}
