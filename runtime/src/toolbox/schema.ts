// A JSON Schema (the subset of docs/schemas.md) becomes a validator: a unit whose text stands alone but for what
// `lib` gives it (validation.ts). It is one function of straight code; what $ref names becomes functions beside it.

import { FORMATS } from "../formats.ts";
import type { Finding } from "./source.ts";

type Schema = Record<string, unknown>;

/** The schema is wrong at this place in it. */
class Unfit extends Error {
    constructor(
        readonly pointer: string,
        message: string,
    ) {
        super(message);
    }
}

export function schema(given: Schema): { js: string } | { findings: (Finding & { pointer: string })[] } {
    try {
        return { js: new Writer(given).unit() };
    } catch (error) {
        if (!(error instanceof Unfit)) throw error;
        return { findings: [{ line: 1, column: 1, pointer: error.pointer, message: error.message }] };
    }
}

interface Type {
    article: string;
    test(value: string): string;
    /** Keywords that say something about values of this type. */
    keywords: string[];
}

const NUMERIC = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const TYPES: Record<string, Type> = {
    object: {
        article: "an object",
        test: (v) => `typeof ${v} === "object" && ${v} !== null && !Array.isArray(${v})`,
        keywords: ["properties", "required", "additionalProperties", "minProperties", "maxProperties"],
    },
    array: { article: "a list", test: (v) => `Array.isArray(${v})`, keywords: ["items", "minItems", "maxItems", "uniqueItems"] },
    string: { article: "a text", test: (v) => `typeof ${v} === "string"`, keywords: ["minLength", "maxLength", "pattern", "format"] },
    number: { article: "a number", test: (v) => `typeof ${v} === "number"`, keywords: NUMERIC },
    integer: { article: "a whole number", test: (v) => `typeof ${v} === "number" && ${v} % 1 === 0`, keywords: [] },
    boolean: { article: "true or false", test: (v) => `typeof ${v} === "boolean"`, keywords: [] },
    null: { article: "null", test: (v) => `${v} === null`, keywords: [] },
};
const EVERYWHERE = ["type", "enum", "const", "allOf", "anyOf", "oneOf", "$ref"];
const SILENT = ["$schema", "$id", "$comment", "$defs", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"];
const KNOWN = new Set([...EVERYWHERE, ...SILENT, ...Object.values(TYPES).flatMap((type) => type.keywords)]);

const quoted = (value: unknown): string => JSON.stringify(value).replace(/\u2028/g, "\\u2028").replace(/\u2029/g, "\\u2029");
const escaped = (name: string): string => `/${name.replace(/~/g, "~0").replace(/\//g, "~1")}`;
const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

/** A place in the checked value: a variable, the text of its pointer's code, and where it stands in the schema. */
interface Place {
    value: string;
    at: string;
    wrong: string;
    pointer: string;
    /** One of several forms: nothing is filled in before it is known which one it is. */
    isForm: boolean;
}

class Writer {
    #code = "";
    #constants = "";
    #names = 0;
    /** Of what $ref names: its function, and what it refers to without going into the value. */
    readonly #functions = new Map<string, string>();
    readonly #same = new Map<string, Set<string>>();
    #target = "#";
    readonly #waiting: string[] = [];

    constructor(readonly root: Schema) {}

    unit(): string {
        this.#reference("#", "");
        let functions = "";
        for (let target = this.#waiting.shift(); target !== undefined; target = this.#waiting.shift()) {
            this.#target = target;
            this.#code = "";
            this.#any(this.#find(target), { value: "v", at: "at", wrong: "wrong", pointer: target.slice(1), isForm: false });
            functions += `function ${this.#functions.get(target)}(v, at, wrong) {${this.#code}}\n`;
        }
        this.#refuseCircles();
        return `(function (lib) { "use strict"; const { tell, tellForms, step, length, canonical, isUnique, formats } = lib;\n${this.#constants}${functions}return ${this.#functions.get("#")}; })`;
    }

    #name(): string {
        return `x${++this.#names}`;
    }

    #constant(text: string): string {
        const name = this.#name();
        this.#constants += `const ${name} = ${text};\n`;
        return name;
    }

    #tell(place: Place, message: string, more = ""): string {
        return `tell(${place.wrong}, ${place.at}${more && ` + ${quoted(more)}`}, ${quoted(message)});`;
    }

    /** The function of what a reference names, which is written when its turn comes. */
    #reference(target: string, pointer: string): string {
        if (!this.#functions.has(target)) {
            if (this.#find(target) === undefined) throw new Unfit(pointer, `${quoted(target)} names nothing in this schema: write the pointer of a part of it, like #/$defs/address`);
            this.#functions.set(target, this.#name());
            this.#waiting.push(target);
        }
        return this.#functions.get(target)!;
    }

    #find(target: string): unknown {
        if (target !== "#" && !target.startsWith("#/")) return undefined;
        let at: unknown = this.root;
        for (const part of target.split("/").slice(1)) {
            const name = part.replace(/~1/g, "/").replace(/~0/g, "~");
            at = typeof at === "object" && at !== null && Object.hasOwn(at, name) ? (at as Schema)[name] : undefined;
        }
        return at;
    }

    /** $ref to oneself without a step into the value would go on for ever. */
    #refuseCircles(): void {
        for (const start of this.#same.keys()) {
            const seen = new Set(this.#same.get(start));
            for (const target of seen) for (const next of this.#same.get(target) ?? []) seen.add(next);
            if (seen.has(start)) throw new Unfit(start.slice(1), "this refers to itself before it says anything: let it refer to itself inside of properties or items");
        }
    }

    #any(given: unknown, place: Place): void {
        if (given === true) return;
        if (given === false) {
            this.#code += this.#tell(place, "is not allowed here");
            return;
        }
        if (typeof given !== "object" || given === null || Array.isArray(given)) throw new Unfit(place.pointer, "a schema is an object, like {\"type\": \"string\"}");
        const schema = given as Schema;
        for (const keyword of Object.keys(schema))
            if (!KNOWN.has(keyword)) throw new Unfit(place.pointer + escaped(keyword), `schemas have no keyword \`${keyword.slice(0, 50)}\` here: remove it, or say it by ${near(keyword)}`);
        const types = this.#types(schema, place);
        if (types) {
            const tests = types.map((name) => TYPES[name].test(place.value));
            this.#code += `if (!(${tests.length === 1 ? tests[0] : tests.map((test) => `(${test})`).join(" || ")})) ${this.#tell(place, `must be ${types.map((name) => TYPES[name].article).join(" or ")}`)}\nelse {`;
        }
        this.#anyType(schema, place);
        for (const [name, type] of Object.entries(TYPES)) {
            if (!type.keywords.some((keyword) => Object.hasOwn(schema, keyword))) continue;
            const isSure = types?.length === 1 && (types[0] === name || (name === "number" && types[0] === "integer"));
            if (!isSure) this.#code += `if (${type.test(place.value)}) `;
            this.#code += "{";
            this.#ofType(name, schema, place);
            this.#code += "}";
        }
        if (types) this.#code += "}";
    }

    #types(schema: Schema, place: Place): string[] | undefined {
        if (schema.type === undefined) return undefined;
        const types = (Array.isArray(schema.type) ? schema.type : [schema.type]) as string[];
        for (const name of types)
            if (typeof name !== "string" || !Object.hasOwn(TYPES, name)) throw new Unfit(`${place.pointer}/type`, `a type is one of ${Object.keys(TYPES).join(", ")}`);
        if (types.length === 0) throw new Unfit(`${place.pointer}/type`, "name a type, or leave `type` out");
        return types;
    }

    #anyType(schema: Schema, place: Place): void {
        if (Object.hasOwn(schema, "const")) this.#oneOfValues([schema.const], place);
        if (Object.hasOwn(schema, "enum")) this.#oneOfValues(this.#list(schema, "enum", place), place);
        if (Object.hasOwn(schema, "$ref")) {
            const pointer = `${place.pointer}/$ref`;
            if (typeof schema.$ref !== "string") throw new Unfit(pointer, "$ref is a text, like #/$defs/address");
            this.#code += `${this.#reference(schema.$ref, pointer)}(${place.value}, ${place.at}, ${place.wrong});`;
            if (place.value === "v") this.#same.set(this.#target, (this.#same.get(this.#target) ?? new Set()).add(schema.$ref));
        }
        if (Object.hasOwn(schema, "allOf")) this.#list(schema, "allOf", place).forEach((one, i) => this.#any(one, { ...place, pointer: `${place.pointer}/allOf/${i}` }));
        for (const keyword of ["anyOf", "oneOf"]) if (Object.hasOwn(schema, keyword)) this.#forms(this.#list(schema, keyword, place), keyword, place);
    }

    #list(schema: Schema, keyword: string, place: Place): unknown[] {
        const list = schema[keyword];
        if (!Array.isArray(list) || list.length === 0) throw new Unfit(`${place.pointer}/${keyword}`, `\`${keyword}\` is a list with at least one item`);
        return list;
    }

    #oneOfValues(values: unknown[], place: Place): void {
        const tests = values.map((one) => (typeof one === "object" && one !== null ? `canonical(${place.value}) !== canonical(${quoted(one)})` : `${place.value} !== ${quoted(one)}`));
        this.#code += `if (${tests.join(" && ")}) ${this.#tell(place, `must be ${values.length > 1 ? "one of " : ""}${values.map(quoted).join(", ")}`)}\n`;
    }

    #forms(forms: unknown[], keyword: string, place: Place): void {
        const lists = forms.map(() => this.#name());
        this.#code += `{const ${lists.map((list) => `${list} = []`).join(", ")};`;
        forms.forEach((form, i) => this.#any(form, { ...place, wrong: lists[i], pointer: `${place.pointer}/${keyword}/${i}`, isForm: true }));
        this.#code += `if (${lists.map((list) => `${list}.length > 0`).join(" && ")}) tellForms(${place.wrong}, ${place.at}, [${lists.join(", ")}]);`;
        if (keyword === "oneOf" && forms.length > 1)
            this.#code += `\nelse if (${lists.map((list) => `(${list}.length === 0)`).join(" + ")} > 1) ${this.#tell(place, "fits several of the forms of which it must be one")}`;
        this.#code += "}";
    }

    #ofType(type: string, schema: Schema, place: Place): void {
        if (type === "object") this.#object(schema, place);
        else if (type === "array") this.#array(schema, place);
        else if (type === "string") this.#string(schema, place);
        else this.#number(schema, place);
    }

    /** A keyword whose value is a number: the code of its test, and what the value must be. */
    #limit(schema: Schema, keyword: string, place: Place, test: (limit: number) => string, message: (limit: number) => string): void {
        if (!Object.hasOwn(schema, keyword)) return;
        const limit = schema[keyword];
        const isCount = !NUMERIC.includes(keyword);
        if (typeof limit !== "number" || (isCount && !(Number.isInteger(limit) && limit >= 0)) || (keyword === "multipleOf" && limit <= 0))
            throw new Unfit(`${place.pointer}/${keyword}`, `\`${keyword}\` is a ${isCount ? "whole number, 0 or more" : keyword === "multipleOf" ? "number above 0" : "number"}`);
        this.#code += `if (${test(limit)}) ${this.#tell(place, message(limit))}\n`;
    }

    #number(schema: Schema, place: Place): void {
        const v = place.value;
        this.#limit(schema, "minimum", place, (n) => `${v} < ${n}`, (n) => `must be ${n} or more`);
        this.#limit(schema, "maximum", place, (n) => `${v} > ${n}`, (n) => `must be ${n} or less`);
        this.#limit(schema, "exclusiveMinimum", place, (n) => `${v} <= ${n}`, (n) => `must be more than ${n}`);
        this.#limit(schema, "exclusiveMaximum", place, (n) => `${v} >= ${n}`, (n) => `must be less than ${n}`);
        this.#limit(schema, "multipleOf", place, (n) => `!Number.isInteger(${v} / ${n})`, (n) => `must be a multiple of ${n}`);
    }

    #string(schema: Schema, place: Place): void {
        const v = place.value;
        this.#limit(schema, "minLength", place, (n) => `${v}.length < ${2 * n} && length(${v}) < ${n}`, (n) => `must have at least ${plural(n, "character")}`);
        this.#limit(schema, "maxLength", place, (n) => `${v}.length > ${n} && length(${v}) > ${n}`, (n) => `must have at most ${plural(n, "character")}`);
        if (Object.hasOwn(schema, "pattern")) {
            const name = this.#constant(`new RegExp(${quoted(this.#pattern(schema.pattern, place))}, "u")`);
            this.#code += `if (!${name}.test(${v})) ${this.#tell(place, `must match ${schema.pattern}`)}\n`;
        }
        if (!Object.hasOwn(schema, "format")) return;
        const format = schema.format as string;
        if (typeof format !== "string" || !Object.hasOwn(FORMATS, format)) throw new Unfit(`${place.pointer}/format`, `a format is one of ${Object.keys(FORMATS).join(", ")}`);
        this.#code += `if (!formats[${quoted(format)}](${v})) ${this.#tell(place, `must be of the format ${format}`)}\n`;
    }

    #pattern(pattern: unknown, place: Place): string {
        try {
            if (typeof pattern !== "string") throw new Error("it is no text");
            new RegExp(pattern, "u");
            return pattern;
        } catch (error) {
            throw new Unfit(`${place.pointer}/pattern`, `this is no regular expression (${(error as Error).message}): mend it`);
        }
    }

    #array(schema: Schema, place: Place): void {
        const v = place.value;
        this.#limit(schema, "minItems", place, (n) => `${v}.length < ${n}`, (n) => `must have at least ${plural(n, "item")}`);
        this.#limit(schema, "maxItems", place, (n) => `${v}.length > ${n}`, (n) => `must have at most ${plural(n, "item")}`);
        if (schema.uniqueItems === true) this.#code += `if (!isUnique(${v})) ${this.#tell(place, "must not hold the same item twice")}\n`;
        if (!Object.hasOwn(schema, "items")) return;
        const [i, item] = [this.#name(), this.#name()];
        this.#code += `for (let ${i} = 0; ${i} < ${v}.length; ${i}++) {const ${item} = ${v}[${i}];`;
        this.#any(schema.items, { ...place, value: item, at: `${place.at} + "/" + ${i}`, pointer: `${place.pointer}/items` });
        this.#code += "}";
    }

    #object(schema: Schema, place: Place): void {
        const properties = (schema.properties ?? {}) as Schema;
        const required = (schema.required ?? []) as string[];
        if (typeof properties !== "object" || Array.isArray(properties)) throw new Unfit(`${place.pointer}/properties`, "`properties` is an object with a schema for each name");
        if (!Array.isArray(required) || !required.every((name) => typeof name === "string")) throw new Unfit(`${place.pointer}/required`, "`required` is a list of names, like [\"a\"]");
        for (const name of required) if (!Object.hasOwn(properties, name)) this.#member(name, true, true, place);
        for (const [name, one] of Object.entries(properties)) this.#member(name, one, required.includes(name), place);
        this.#limit(schema, "minProperties", place, (n) => `Object.keys(${place.value}).length < ${n}`, (n) => `must have at least ${plural(n, "member")}`);
        this.#limit(schema, "maxProperties", place, (n) => `Object.keys(${place.value}).length > ${n}`, (n) => `must have at most ${plural(n, "member")}`);
        if (Object.hasOwn(schema, "additionalProperties") && schema.additionalProperties !== true) this.#others(schema.additionalProperties, Object.keys(properties), place);
    }

    #member(name: string, schema: unknown, isRequired: boolean, place: Place): void {
        const member = this.#name();
        const property = `${place.value}[${quoted(name)}]`;
        // What every object inherits is no member of this one.
        const own = name in {} ? `Object.hasOwn(${place.value}, ${quoted(name)}) ? ${property} : undefined` : property;
        const fallback = name === "__proto__" || place.isForm ? undefined : (schema as Schema | undefined)?.default;
        this.#code += `{let ${member} = ${own};`;
        if (fallback !== undefined) this.#code += `if (${member} === undefined) ${member} = ${property} = ${quoted(fallback).replace(/"__proto__":/g, '["__proto__"]:')};`;
        this.#code += `if (${member} === undefined) {${isRequired ? this.#tell(place, "is required", escaped(name)) : ""}} else {`;
        this.#any(schema, { ...place, value: member, at: `${place.at} + ${quoted(escaped(name))}`, pointer: `${place.pointer}/properties${escaped(name)}` });
        this.#code += "}}";
    }

    #others(schema: unknown, known: string[], place: Place): void {
        const [name, member] = [this.#name(), this.#name()];
        const names = known.length > 0 ? this.#constant(`new Set(${quoted(known)})`) : "";
        this.#code += `for (const ${name} of Object.keys(${place.value})) {${names && `if (${names}.has(${name})) continue;`}const ${member} = ${place.value}[${name}];if (${member} === undefined) continue;`;
        const inside = { ...place, value: member, at: `${place.at} + step(${name})`, pointer: `${place.pointer}/additionalProperties` };
        if (schema === false) this.#code += this.#tell(inside, "is not known here");
        else this.#any(schema, inside);
        this.#code += "}";
    }
}

/** The keywords that begin most alike. */
function near(keyword: string): string {
    const common = (other: string): number => {
        let n = 0;
        while (n < other.length && other[n].toLowerCase() === keyword[n]?.toLowerCase()) n++;
        return n;
    };
    const best = Math.max(...[...KNOWN].map(common));
    const found = best > 2 ? [...KNOWN].filter((one) => common(one) === best) : [...EVERYWHERE];
    return found.slice(0, 6).join(", ");
}
