// What validators need at run time: ajv's texts ask for these by the names of its modules (toolbox/schema.ts).

import * as formats from "ajv-formats/dist/formats";
import equal from "ajv/dist/runtime/equal";
import ucs2length from "ajv/dist/runtime/ucs2length";

/** What a CommonJS module exports as its default, which bundlers hand over one level deeper. */
const inner = <T>(given: T): T => (given as { default?: T }).default ?? given;

const modules: Record<string, unknown> = {
    "ajv-formats/dist/formats": formats,
    "ajv/dist/runtime/equal": { default: inner(equal) },
    "ajv/dist/runtime/ucs2length": { default: inner(ucs2length) },
};

export function lib(name: string): unknown {
    if (!Object.hasOwn(modules, name)) throw new Error(`a validator asks for ${name}, which is not there`);
    return modules[name];
}
