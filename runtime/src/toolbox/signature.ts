// A script's inputs and output as JSON Schemas, read from its function's types.
//
// What the parser does not know is {}: anything. It reads object types, the interfaces and type aliases of the
// same file, lists, unions, literals, optional properties, Record, Partial and Promise.

import type { Entry } from "./entry.ts";
import type { Source } from "./source.ts";

type Schema = Record<string, unknown>;

export interface Signature {
    function: string;
    inputs: Schema;
    output: Schema;
}

export function signatureOf(source: Source, entry: Entry): Signature {
    const open = entry.parameters;
    const close = source.closing(open);
    const types = new Types(source);
    const inputs = open + 1 === close ? { type: "object", properties: {} } : inputsOf(source, types, open + 1, close);
    const output = source.is(close + 1, ":") ? types.read(close + 2) : {};
    return { function: entry.name, inputs, output: output === NOTHING ? { type: "object", properties: {} } : output };
}

function inputsOf(source: Source, types: Types, first: number, close: number): Schema {
    const pattern = source.is(first, "{");
    let at = pattern ? source.closing(first) + 1 : first + 1;
    if (source.is(at, "?")) at++;
    const typed = source.is(at, ":");
    const schema = typed ? types.read(at + 1) : pattern ? namesOf(source, first) : {};
    const end = typed ? types.at : at;
    if (source.is(end, ",") && end + 1 !== close)
        throw source.wrong(source.tokens[end].start, "the function takes ONE object: {a, b}: {a: string; b: number}");
    if (schema.type !== undefined && schema.type !== "object")
        throw source.wrong(source.tokens[first].start, "the function takes an object: {a, b}: {a: string; b: number}");
    return schema;
}

/** Without types the names are at least known. */
function namesOf(source: Source, brace: number): Schema {
    const properties: Schema = {};
    const close = source.closing(brace);
    for (let i = brace + 1; i < close; i++) {
        if (source.is(i, "...")) return {};
        if (source.isName(i) || source.isString(i)) properties[source.literal(i) ?? source.textAt(i)] = {};
        let depth = 0;
        for (; i < close && !(depth === 0 && source.is(i, ",")); i++)
            if (/^[([{]$/.test(source.textAt(i))) depth++;
            else if (/^[)\]}]$/.test(source.textAt(i))) depth--;
    }
    return { type: "object", properties };
}

const PRIMITIVES: Record<string, Schema> = {
    string: { type: "string" },
    number: { type: "number" },
    boolean: { type: "boolean" },
    null: { type: "null" },
    object: { type: "object" },
    true: { const: true },
    false: { const: false },
    Date: { type: "string", format: "date-time" },
};

/** Stands for `undefined` in a union: the property is optional. */
const NOTHING: Schema = { not: {} };
/** Schemas of types that may also be `undefined`. */
const maybe = new WeakSet<Schema>();

class Types {
    /** The token behind what was read last. */
    at = 0;
    readonly #declared = new Map<string, number>();
    readonly #open: string[] = [];

    constructor(readonly source: Source) {
        for (let i = 0; !source.isEnd(i); i++)
            if ((source.is(i, "interface") || source.is(i, "type")) && source.tokens[i].isType && source.tokens[i].scopeDepth === 0 && source.isName(i + 1))
                this.#declared.set(source.textAt(i + 1), i);
    }

    read(at: number): Schema {
        this.at = at;
        return this.#union();
    }

    #eat(text: string): boolean {
        if (!this.source.is(this.at, text)) return false;
        this.at++;
        return true;
    }

    #union(): Schema {
        this.#eat("|");
        const parts = [this.#intersection()];
        while (this.#eat("|")) parts.push(this.#intersection());
        return unionOf(parts);
    }

    #intersection(): Schema {
        this.#eat("&");
        const parts = [this.#postfix()];
        while (this.#eat("&")) parts.push(this.#postfix());
        return parts.length === 1 ? parts[0] : mergedOf(parts);
    }

    #postfix(): Schema {
        let schema = this.#primary();
        while (this.source.is(this.at, "[")) {
            if (!this.source.is(this.at + 1, "]")) return this.#skip(this.at); // T["name"]
            this.at += 2;
            schema = { type: "array", items: schema };
        }
        return schema;
    }

    #primary(): Schema {
        const { source } = this;
        const text = source.textAt(this.at);
        if (text === "{") return this.#object();
        if (text === "(") return this.#brackets();
        if (text === "[") return { ...this.#skip(this.at), type: "array" };
        if (source.isString(this.at)) return { const: source.literal(this.at++) };
        if (source.isNumber(this.at)) return { const: Number(source.textAt(this.at++)) };
        if (text === "-" && source.isNumber(this.at + 1)) return { const: -Number(source.textAt((this.at += 2) - 1)) };
        if (text === "readonly") {
            this.at++;
            return this.#postfix();
        }
        return this.#named();
    }

    /** A type in brackets, or a function's type, which no value of a flow has. */
    #brackets(): Schema {
        const close = this.source.closing(this.at);
        if (this.source.is(close + 1, "=>")) return this.#skip(this.at);
        this.at++;
        const schema = this.#union();
        this.at = close + 1;
        return schema;
    }

    #named(): Schema {
        const { source } = this;
        const name = source.textAt(this.at++);
        const parameters = source.is(this.at, "<") ? this.#parameters() : [];
        if (source.is(this.at, ".")) return this.#skip(this.at);
        if (name === "undefined" || name === "void") return NOTHING;
        if (Object.hasOwn(PRIMITIVES, name)) return { ...PRIMITIVES[name] };
        if (name === "Promise" || name === "Required" || name === "Readonly") return parameters[0] ?? {};
        if (name === "Array" || name === "ReadonlyArray") return { type: "array", items: parameters[0] ?? {} };
        if (name === "Record") return { type: "object", additionalProperties: parameters[1] ?? {} };
        if (name === "Partial") {
            const { required: _, ...rest } = parameters[0] ?? {};
            return rest;
        }
        return this.#reference(name);
    }

    #parameters(): Schema[] {
        const out: Schema[] = [];
        do {
            this.at++;
            out.push(this.#union());
        } while (this.source.is(this.at, ","));
        this.#eat(">");
        return out;
    }

    #reference(name: string): Schema {
        const declared = this.#declared.get(name);
        if (declared === undefined || this.#open.includes(name)) return {};
        const back = this.at;
        this.#open.push(name);
        const schema = this.#declaration(declared);
        this.#open.pop();
        this.at = back;
        return schema;
    }

    #declaration(at: number): Schema {
        const { source } = this;
        const isInterface = source.is(at, "interface");
        this.at = at + 2;
        if (source.is(this.at, "<")) return {}; // generic
        if (!isInterface) return this.#eat("=") ? this.#union() : {};
        const parts: Schema[] = [];
        if (this.#eat("extends"))
            do parts.push(this.#named());
            while (this.#eat(","));
        parts.push(this.#object());
        return parts.length === 1 ? parts[0] : mergedOf(parts);
    }

    #object(): Schema {
        const { source } = this;
        const close = source.closing(this.at);
        const properties: Schema = {};
        const required: string[] = [];
        const out: Schema = { type: "object", properties };
        this.at++;
        while (this.at < close) {
            if (source.is(this.at, "readonly") && !source.is(this.at + 1, ":") && !source.is(this.at + 1, "?")) this.at++;
            if (source.is(this.at, "[")) {
                this.at = source.closing(this.at) + 1;
                if (this.#eat(":")) out.additionalProperties = this.#union();
            } else this.#property(properties, required, close);
            while (this.at < close && !source.is(this.at, ";") && !source.is(this.at, ",") && !this.#startsProperty()) this.at++;
            while (source.is(this.at, ";") || source.is(this.at, ",")) this.at++;
        }
        this.at = close + 1;
        if (required.length > 0) out.required = required;
        if (Object.keys(properties).length === 0 && out.additionalProperties !== undefined) delete out.properties;
        return out;
    }

    /** A line end may part two properties. */
    #startsProperty(): boolean {
        const { source } = this;
        const before = source.tokens[this.at - 1];
        return source.text.slice(before.end, source.tokens[this.at].start).includes("\n");
    }

    #property(properties: Schema, required: string[], close: number): void {
        const { source } = this;
        const name = source.isString(this.at) ? source.literal(this.at) : source.textAt(this.at);
        this.at++;
        let optional = this.#eat("?");
        if (!this.#eat(":") || name === undefined || this.at > close) return; // a method
        const read = this.#union();
        const schema = read === NOTHING ? {} : read;
        if (maybe.has(schema)) optional = true;
        Object.defineProperty(properties, name, { value: schema, enumerable: true, configurable: true, writable: true });
        if (!optional) required.push(name);
    }

    /** What is not understood is anything; goes on behind its brackets. */
    #skip(at: number): Schema {
        this.at = this.source.closing(at) + 1;
        return {};
    }
}

function mergedOf(parts: Schema[]): Schema {
    if (!parts.every((part) => part.type === "object")) return {};
    const required = parts.flatMap((part) => (part.required as string[]) ?? []);
    const properties = Object.assign({}, ...parts.map((part) => part.properties)) as Schema;
    return { type: "object", properties, ...(required.length > 0 && { required: [...new Set(required)] }) };
}

function unionOf(all: Schema[]): Schema {
    const parts = all.filter((part) => part !== NOTHING);
    if (parts.length === 0) return NOTHING;
    const schema = parts.length === 1 ? parts[0] : alternatives(parts);
    if (parts.length === all.length) return schema;
    const optional = { ...schema };
    maybe.add(optional);
    return optional;
}

function alternatives(parts: Schema[]): Schema {
    if (parts.some((part) => Object.keys(part).length === 0)) return {};
    const constants = parts.filter((part) => Object.hasOwn(part, "const"));
    const rest = parts.filter((part) => !Object.hasOwn(part, "const"));
    if (constants.length === 2 && constants.every((part) => typeof part.const === "boolean")) rest.push({ type: "boolean" });
    else if (constants.length > 0) rest.push(constants.length === 1 ? constants[0] : { enum: constants.map((part) => part.const) });
    if (rest.length === 1) return rest[0];
    const isPlain = (part: Schema): boolean => typeof part.type === "string" && Object.keys(part).length === 1;
    if (rest.every(isPlain)) return { type: rest.map((part) => part.type) };
    return { anyOf: rest };
}
