// What a text takes from outside: which names of the library, which values of `input`, which secrets and flows.

import { BOUND_NAMES } from "../library/names.ts";
import type { Source } from "./source.ts";

export interface Uses {
    names: string[];
    /** null: all of it. */
    input: string[] | null;
    secrets: string[];
    flows: string[];
    /** Waits whose links are asked for, as far as their names are written out. */
    links: string[];
    /** Of `secrets` and `flows`: those whose names are not all written out. */
    dynamic: string[];
}

const NAMED: Record<string, Set<string>> = {
    secrets: new Set(["getPassword", "getBasic", "check"]),
    flows: new Set(["call", "start"]),
};

const LINK = new Set(["link"]);

export function usesOf(source: Source): Uses {
    const names = new Set<string>();
    const input = new Set<string>();
    let wholeInput = false;
    const named: Record<string, Set<string>> = { secrets: new Set(), flows: new Set() };
    const links = new Set<string>();
    const dynamic = new Set<string>();
    for (const at of source.outside(new Set([...BOUND_NAMES, "input"]))) {
        const name = source.textAt(at);
        if (name === "input") {
            const property = propertyAfter(source, at);
            if (property === undefined) wholeInput = true;
            else input.add(property);
            continue;
        }
        names.add(name);
        if (!Object.hasOwn(NAMED, name)) continue;
        if (name === "flows" && source.is(at + 1, ".") && source.textAt(at + 2) === "link") {
            const block = argumentAfter(source, at, LINK);
            if (block !== undefined) links.add(block);
            continue;
        }
        const literal = argumentAfter(source, at, NAMED[name]);
        if (literal === undefined) dynamic.add(name);
        else named[name].add(literal);
    }
    const sorted = (set: Set<string>): string[] => [...set].sort();
    return { names: sorted(names), input: wholeInput ? null : sorted(input), secrets: sorted(named.secrets), flows: sorted(named.flows), links: sorted(links), dynamic: sorted(dynamic) };
}

/** `.name`, `?.name` or `["name"]`. */
function propertyAfter(source: Source, at: number): string | undefined {
    if (source.is(at + 1, ".") || source.is(at + 1, "?.")) {
        if (source.isName(at + 2)) return source.textAt(at + 2);
        return source.is(at + 2, "[") && source.is(at + 4, "]") ? source.literal(at + 3) : undefined;
    }
    return source.is(at + 1, "[") && source.is(at + 3, "]") ? source.literal(at + 2) : undefined;
}

/** `.method("literal"`. */
function argumentAfter(source: Source, at: number, methods: Set<string>): string | undefined {
    if (!source.is(at + 1, ".") || !methods.has(source.textAt(at + 2)) || !source.is(at + 3, "(")) return undefined;
    const end = source.is(at + 4, "`") ? at + 7 : at + 5;
    return source.is(end, ",") || source.is(end, ")") ? source.literal(at + 4) : undefined;
}
