// Texts from a path, a query or a form become what their schema says (never those in JSON).

import type { Schema } from "./plan.ts";
import { put, type Names } from "./values.ts";
import type { Violation } from "./validation.ts";

const property = (schema: Schema | undefined, name: string): Schema | undefined => {
    const properties = schema?.properties as Record<string, Schema> | undefined;
    return properties && Object.hasOwn(properties, name) ? properties[name] : undefined;
};

const isType = (schema: Schema, type: string): boolean => schema.type === type || (Array.isArray(schema.type) && schema.type.includes(type));

/** Pairs become an object. A name that repeats is a list where the schema has one; elsewhere it is refused, not guessed. */
export function collect(pairs: [string, unknown][], schema: Schema | undefined, at: string, wrong: Violation[]): Names {
    const out: Names = {};
    for (const pair of pairs) {
        const name = pair[0];
        const value = pair[1];
        const own = property(schema, name);
        if (own && isType(own, "array")) {
            if (Object.hasOwn(out, name)) (out[name] as unknown[]).push(value);
            else put(out, name, [value]);
        } else if (Object.hasOwn(out, name)) wrong.push({ pointer: `${at}/${name.slice(0, 200)}`, message: "is given more than once" });
        else put(out, name, value);
    }
    return out;
}

/** In place. What does not look like its type stays a text, for the validator to name. */
export function coerce(object: Names, schema: Schema): void {
    for (const name of Object.keys(object)) {
        const own = property(schema, name);
        if (!own) continue;
        const value = object[name];
        if (Array.isArray(value)) put(object, name, value.map((one) => scalar(one, (own.items as Schema) ?? {})));
        else put(object, name, scalar(value, own));
    }
}

function scalar(value: unknown, schema: Schema): unknown {
    if (typeof value !== "string" || isType(schema, "string")) return value;
    if ((isType(schema, "integer") || isType(schema, "number")) && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value)) {
        const number = Number(value);
        return Number.isFinite(number) ? number : value;
    }
    if (isType(schema, "boolean") && (value === "true" || value === "false")) return value === "true";
    if (isType(schema, "null") && value === "") return null;
    return value;
}
