// The engine's own word on a text: sucrase lets some faults pass.

import type { Finding } from "./source.ts";

/** `text`: a function expression in brackets, which is made but not called. */
export function syntaxFault(text: string): Finding | undefined {
    try {
        (0, eval)(text);
        return undefined;
    } catch (error) {
        const { message, line, column } = error as { message: string; line?: number; column?: number };
        return { line: line ?? 1, column: column ?? 1, message: `${message.replace(/\.$/, "")}: mend what stands here or before it` };
    }
}
