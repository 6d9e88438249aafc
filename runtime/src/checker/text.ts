// A mapping's source (docs/internals.md, section 2) as a TypeScript module in which the compiler finds what does not fit:
//
//     export {}; declare const input: {...}; declare const settings: {...};
//     const output: WANTED = ...;
//
// and where each expression of its author stands in it.

import { typeOf, type Schema } from "./types.ts";

export type Source = {
    from?: string;
    value?: unknown;
    code?: string;
    secret?: string;
    setting?: string;
    object?: Record<string, Source>;
    list?: Source[];
};

/** What a name may be: a schema for each block that may have bound it (null: anything). */
export interface Name {
    schemas: (Schema | null)[];
    maybe?: boolean;
}

export interface Mapping {
    source: Source;
    names: Record<string, Name>;
    /** The name and schema of the block's input; without a schema it takes anything. */
    input?: string;
    wants?: Schema;
    required?: boolean;
}

/** Characters of the module that the author wrote, or that stand for one of the sources. */
export interface Part {
    start: number;
    end: number;
    /** From the mapping's source to this one. */
    pointer: string;
    isCode: boolean;
}

export interface Module {
    text: string;
    parts: Part[];
}

export function moduleOf(mapping: Mapping, settings: string): Module {
    const names = Object.entries(mapping.names).map(([name, { schemas, maybe }]) => {
        const types = [...new Set(schemas.map((schema) => typeOf(schema ?? undefined, true)))];
        return `${JSON.stringify(name)}: ${types.includes("any") ? "any" : types.join(" | ")}${maybe ? " | undefined" : ""}`;
    });
    const wanted = typeOf(mapping.wants, false);
    const module: Module = {
        text: `export {}; declare const input: { ${names.join("; ")} }; declare const settings: ${settings};\nexport const output: ${wanted}${mapping.required ? "" : " | undefined"} = `,
        parts: [],
    };
    write(module, mapping.source, "");
    module.text += ";\n";
    return module;
}

function write(module: Module, source: Source, pointer: string): void {
    const part: Part = { start: module.text.length, end: 0, pointer, isCode: source.code !== undefined };
    const add = (text: string): void => void (module.text += text);
    if (source.code !== undefined) {
        add("(\n");
        part.start = module.text.length;
        add(source.code);
        part.end = module.text.length;
        add("\n)");
    } else if (source.from !== undefined) add(pathOf(source.from));
    else if (source.secret !== undefined) add('("" as string)');
    else if (source.setting !== undefined) add(`settings[${JSON.stringify(source.setting)}]`);
    else if (source.object)
        inside(module, "{", Object.entries(source.object).map(([name, one]) => [`${JSON.stringify(name)}: `, one, `${pointer}/object/${name.replace(/~/g, "~0").replace(/\//g, "~1")}`]), "}");
    else if (source.list) inside(module, "[", source.list.map((one, i) => ["", one, `${pointer}/list/${i}`]), "]");
    else add(JSON.stringify(source.value));
    part.end ||= module.text.length;
    module.parts.push(part); // those inside stand before it
}

function inside(module: Module, open: string, members: [string, Source, string][], close: string): void {
    module.text += open;
    for (const [label, one, pointer] of members) {
        module.text += label;
        write(module, one, pointer);
        module.text += ", ";
    }
    module.text += close;
}

/** `response.body.items[0].id`: what is missing on the way gives undefined. */
function pathOf(path: string): string {
    const steps = path.match(/^[A-Za-z_$][\w$]*|\.[A-Za-z_$][\w$]*|\[\d+\]|\["(?:[^"\\]|\\.)*"\]/g) ?? [];
    return steps.map((step, i) => (i === 0 ? `input.${step}` : step.startsWith(".") ? `?${step}` : `?.${step}`)).join("");
}
