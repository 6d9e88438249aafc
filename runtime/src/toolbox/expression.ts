// One TypeScript expression of a mapping, as if it stood in `const output = (...);`.

import { Source } from "./source.ts";
import { syntaxFault } from "./syntax.ts";
import { usesOf, type Uses } from "./uses.ts";
import { Wrong } from "./source.ts";

export function expression(text: string): { js: string; await: boolean; uses: Uses } {
    // The line end lets it end in a comment.
    const source = new Source(`(${text}\n)`, 1);
    if (source.is(1, ")")) throw source.wrong(1, "an expression is missing");
    const end = source.closing(0);
    if (!source.isEnd(end + 1)) throw source.wrong(source.tokens[end].start, "this bracket closes nothing: ONE expression is needed");
    let depth = 0;
    for (let i = 0; i < end; i++) {
        const is = source.isString(i) ? "" : source.textAt(i);
        if (is === "(" || is === "[" || is === "{" || is === "${") depth++;
        else if (is === ")" || is === "]" || is === "}") depth--;
        else if (is === "," && depth === 1 && !source.tokens[i].isType) throw source.wrong(source.tokens[i].start, "ONE expression is needed, not several with commas");
    }
    const js = source.javascript().trim().replace(/^\(|\)$/g, "");
    const fault = syntaxFault(`(async function (input, $) { "use strict"; return (${js}); })`);
    if (fault) throw new Wrong(fault);
    return { js: js.trim().includes("//") ? js : js.trim(), await: awaits(source), uses: usesOf(source) };
}

function awaits(source: Source): boolean {
    return source.tokens.some((_, i) => source.is(i, "await") && source.isName(i) && !source.is(i - 1, ".") && !source.is(i - 1, "?.") && !source.is(i + 1, ":"));
}
