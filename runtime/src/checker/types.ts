// A JSON Schema as the text of a TypeScript type. What a type cannot say (ranges, patterns) is left out; what is not
// known is any.

export type Schema = Record<string, unknown>;

const SIMPLE: Record<string, string> = { string: "string", number: "number", integer: "number", boolean: "boolean", null: "null" };
/** A type is written out where it stands, also one that holds itself: down to here. */
const DEPTH_MAX = 12;

export interface Side {
    root: Schema;
    /** Of a value that is there: its schema's defaults are filled in. Else of one that is wanted, where those may be missing. */
    isThere: boolean;
}

export const typeOf = (schema: Schema | undefined, isThere: boolean): string => (schema ? text(schema, { root: schema, isThere }, 0) : "any");

function text(schema: unknown, side: Side, depth: number): string {
    if (typeof schema !== "object" || schema === null || depth > DEPTH_MAX) return "any";
    const one = schema as Schema;
    const parts: string[] = [];
    if ("const" in one) parts.push(literal(one.const));
    else if (Array.isArray(one.enum)) parts.push(either(one.enum.map(literal)));
    else if (one.type !== undefined) parts.push(either([one.type].flat().map((name) => ofType(name as string, one, side, depth))));
    else if (one.properties !== undefined) parts.push(objectOf(one, side, depth));
    if (typeof one.$ref === "string") parts.push(text(find(side.root, one.$ref), side, depth + 1));
    for (const forms of [one.anyOf, one.oneOf]) if (Array.isArray(forms)) parts.push(either(forms.map((form) => text(form, side, depth + 1))));
    if (Array.isArray(one.allOf)) parts.push(...one.allOf.map((part) => text(part, side, depth + 1)));
    const known = parts.filter((part) => part !== "any");
    return known.length === 0 ? "any" : known.length === 1 ? known[0] : `(${known.join(" & ")})`;
}

const either = (types: string[]): string => (types.includes("any") ? "any" : types.length === 1 ? types[0] : `(${[...new Set(types)].join(" | ")})`);

function literal(value: unknown): string {
    if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    return `{ ${Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${literal(one)}`).join("; ")} }`;
}

function ofType(name: string, schema: Schema, side: Side, depth: number): string {
    if (name === "array") return `Array<${text(schema.items, side, depth + 1)}>`;
    return name === "object" ? objectOf(schema, side, depth) : (SIMPLE[name] ?? "any");
}

function objectOf(schema: Schema, side: Side, depth: number): string {
    const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>);
    const required = (schema.required ?? []) as string[];
    const others = schema.additionalProperties;
    const members = properties.map(([name, one]) => {
        const hasDefault = typeof one === "object" && one !== null && "default" in one;
        const isSure = side.isThere ? hasDefault || required.includes(name) : required.includes(name) && !hasDefault;
        return `${JSON.stringify(name)}${isSure ? "" : "?"}: ${text(one, side, depth + 1)}`;
    });
    // A value that is wanted may hold more; of one that is there only what is declared can be relied on.
    if (properties.length === 0 && others === undefined && side.isThere) return "any";
    if (properties.length === 0) members.push(`[name: string]: ${text(others, side, depth + 1)}`);
    else if (others !== false && !side.isThere) members.push("[name: string]: any");
    return `{ ${members.join("; ")} }`;
}

function find(root: Schema, reference: string): unknown {
    let at: unknown = root;
    for (const part of reference.split("/").slice(1)) {
        const name = part.replace(/~1/g, "/").replace(/~0/g, "~");
        at = typeof at === "object" && at !== null && Object.hasOwn(at, name) ? (at as Schema)[name] : undefined;
    }
    return at;
}
