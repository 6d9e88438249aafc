// What a validator's unit is given (docs/internals.md, section 3), and what it tells: a JSON pointer and a sentence for
// each value that does not fit. The units are written by toolbox/schema.ts.

import { FORMATS } from "./formats.ts";

export interface Violation {
    pointer: string;
    message: string;
}

/** Adds to `wrong` what does not fit, and to the value what is left out and has a default. `at`: the value's own pointer. */
export type Validator = (value: unknown, at: string, wrong: Violation[]) => void;
export type ValidatorUnit = (given: typeof lib) => Validator;

const SHOWN_MAX = 100;
/** Pointers and alternatives hold texts of others: not longer than this. */
const TEXT_MAX = 500;

function tell(wrong: Violation[], pointer: string, message: string): void {
    if (wrong.length < SHOWN_MAX) wrong.push({ pointer: pointer.slice(0, TEXT_MAX), message: message.slice(0, TEXT_MAX) });
}

/** None of several forms fits: what is wrong with each. */
function tellForms(wrong: Violation[], at: string, forms: Violation[][]): void {
    const first = forms.map(([{ pointer, message }]) => (pointer === at ? message : `${pointer.slice(at.length)} ${message}`));
    tell(wrong, at, [...new Set(first)].join(", or "));
}

/** A member's name as a step of a pointer. */
const step = (name: string): string => `/${name.replace(/~/g, "~0").replace(/\//g, "~1")}`;

/** Characters as people count them: code points. */
function length(text: string): number {
    let count = text.length;
    for (let i = 0; i + 1 < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) count--;
    return count;
}

/** The same text for values that are equal. */
function canonical(value: unknown): string {
    if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
    const members = value as Record<string, unknown>;
    const names = Object.keys(members).filter((name) => members[name] !== undefined);
    return `{${names.sort().map((name) => `${JSON.stringify(name)}:${canonical(members[name])}`).join()}}`;
}

const isUnique = (list: unknown[]): boolean => new Set(list.map(canonical)).size === list.length;

export const lib = { tell, tellForms, step, length, canonical, isUnique, formats: FORMATS };
