// What a validator found, for people: a JSON pointer and a sentence each.

import type { SchemaError } from "./plan.ts";

export interface Violation {
    pointer: string;
    message: string;
}

const SHOWN_MAX = 100;
/** Pointers are the caller's own text: not longer than this. */
const POINTER_MAX = 500;

export function violations(errors: SchemaError[] | null | undefined): Violation[] {
    const out: Violation[] = [];
    for (const error of errors ?? []) {
        if (out.length === SHOWN_MAX) break;
        // oneOf, anyOf and if report themselves after their parts.
        out.push({ pointer: pointerOf(error).slice(0, POINTER_MAX), message: messageOf(error) });
    }
    return out;
}

const escape = (name: string): string => name.replace(/~/g, "~0").replace(/\//g, "~1");

/** A missing or unwanted property is named itself, not only the object that it is missing in. */
function pointerOf(error: SchemaError): string {
    const name = error.params.missingProperty ?? error.params.additionalProperty ?? error.params.unevaluatedProperty;
    return typeof name === "string" ? `${error.instancePath}/${escape(name)}` : error.instancePath;
}

function messageOf(error: SchemaError): string {
    switch (error.keyword) {
        case "required":
            return "is required";
        case "additionalProperties":
        case "unevaluatedProperties":
            return "is not known here";
        case "enum":
            return `must be one of ${(error.params.allowedValues as unknown[]).map((value) => JSON.stringify(value)).join(", ")}`;
        case "const":
            return `must be ${JSON.stringify(error.params.allowedValue)}`;
        default:
            return error.message ?? `does not keep to ${error.keyword}`;
    }
}
