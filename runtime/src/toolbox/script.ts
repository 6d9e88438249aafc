// A script: one exported function, helpers beside it.
//
// The unit that comes out has the script's lines where they were; types are taken out, `export` is blanked.

import type { Token } from "sucrase/dist/esm/parser/index.js";
import { entryOf } from "./entry.ts";
import { signatureOf, type Signature } from "./signature.ts";
import { Source, Wrong } from "./source.ts";
import { syntaxFault } from "./syntax.ts";
import { usesOf, type Uses } from "./uses.ts";

export function script(text: string): { js: string; await: boolean; uses: Uses; signature: Signature } {
    const source = new Source(text);
    for (let i = 0; !source.isEnd(i); i++)
        if (source.is(i, "import") && !source.isString(i) && !source.is(i - 1, ".") && !source.tokens[i].isType)
            throw source.wrong(source.tokens[i].start, "a script imports nothing: the library's names are there without it");
    const entry = entryOf(source);
    const signature = signatureOf(source, entry);
    const uses = usesOf(source);
    const code = source.javascript(exportsOf(source));
    const taken = uses.names.length > 0 ? `const { ${uses.names.join(", ")} } = $; ` : "";
    const js = `(function ($) { "use strict"; ${taken}${code}\nreturn ${entry.name}; })`;
    const fault = syntaxFault(js);
    if (fault) throw new Wrong(fault);
    return { js, await: true, uses, signature };
}

/** The words `export` and `default` at the top. */
function exportsOf(source: Source): Token[] {
    return source.tokens.flatMap((token, i) => {
        if (!source.is(i, "export") || source.isString(i) || token.scopeDepth !== 0) return [];
        return source.is(i + 1, "default") ? [token, source.tokens[i + 1]] : [token];
    });
}
