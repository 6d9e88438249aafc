// Which function of a script the block calls: the exported one.

import { Source } from "./source.ts";

export interface Entry {
    name: string;
    /** Token index of the bracket that opens its parameters. */
    parameters: number;
}

export function entryOf(source: Source): Entry {
    const exported: Entry[] = [];
    const others: Entry[] = [];
    let ends = 0;
    for (let i = 0; !source.isEnd(i); i++) {
        if (i < ends || source.tokens[i].scopeDepth !== 0) continue;
        if (source.is(i, "export") && (source.is(i + 1, "{") || source.is(i + 1, "*")))
            throw source.wrong(source.tokens[i].start, "write `export` before the function that the block calls");
        const isExported = source.is(i, "export");
        const found = functionAt(source, isExported ? i + (source.is(i + 1, "default") ? 2 : 1) : i);
        if (!found) continue;
        (isExported ? exported : others).push(found);
        ends = source.closing(found.parameters);
    }
    if (exported.length > 1) throw source.wrong(0, `several functions are exported (${exported.map((one) => one.name).join(", ")}): export only the one that the block calls`);
    const entry = exported[0] ?? (others.length === 1 ? others[0] : undefined);
    if (!entry) throw source.wrong(0, others.length === 0 ? "a function is missing: export async function NAME({...}: {...}) { ... }" : "write `export` before the function that the block calls");
    return entry;
}

/** `[async] function NAME(` or `const NAME = [async] (`. */
function functionAt(source: Source, at: number): Entry | undefined {
    let i = source.is(at, "async") ? at + 1 : at;
    if (source.is(i, "function")) {
        i += source.is(i + 1, "*") ? 2 : 1;
        if (!source.isName(i)) throw source.wrong(source.tokens[at].start, "the function needs a name");
        const name = source.textAt(i++);
        while (!source.isEnd(i) && !source.is(i, "(")) i++; // type parameters
        return { name, parameters: i };
    }
    if (!source.is(at, "const") || !source.isName(at + 1)) return undefined;
    i = at + 2;
    if (!source.is(i, "=")) return undefined;
    i += source.is(i + 1, "async") ? 2 : 1;
    if (!source.is(i, "(")) return undefined;
    const after = source.closing(i) + 1;
    return source.is(after, "=>") || source.is(after, ":") ? { name: source.textAt(at + 1), parameters: i } : undefined;
}
