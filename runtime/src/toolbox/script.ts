// A script: one exported function, helpers beside it.
//
// The unit that comes out has the script's lines where they were; types are taken out, `export` is blanked.

import { transform } from "sucrase";
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
    const { code } = transform(withoutExports(source), { transforms: ["typescript"], disableESTransforms: true });
    const taken = uses.names.length > 0 ? `const { ${uses.names.join(", ")} } = $; ` : "";
    const js = `(function ($) { "use strict"; ${taken}${code}\nreturn ${entry.name}; })`;
    const fault = syntaxFault(js);
    if (fault) throw new Wrong(fault);
    return { js, await: true, uses, signature };
}

/** Blanks keep every other character where it was. */
function withoutExports(source: Source): string {
    let text = source.text;
    source.tokens.forEach((token, i) => {
        if (!source.is(i, "export") || source.isString(i) || token.scopeDepth !== 0) return;
        const last = source.is(i + 1, "default") ? source.tokens[i + 1] : token;
        text = text.slice(0, token.start) + " ".repeat(last.end - token.start) + text.slice(last.end);
    });
    return text;
}
