// Values between blocks: JSON and bytes, copied when they are handed over (semantics.md, rule 12).
//
//     checked(value)    a clean copy of what a script or expression gave; throws Unfit, which names the path
//     copy(value)       a copy of a value that is clean already
//     json(value)       its text, fit for the server; bytes become {"$bytes": "BASE64"}
//     parse(text)       the way back

import { host } from "./host.ts";

// On the way of each value indexOf stands where includes would read better: the engine compiles it, and calls the other.

/** Fewer than the server's parser takes, so that a value still fits inside the frames around it. */
export const DEPTH_MAX = 100;

export type Names = Record<string, unknown>;

/** A value that cannot be handed over. The path is as one would write it: `.items[3].when`. */
export class Unfit extends Error {
    constructor(
        readonly path: string,
        readonly why: string,
    ) {
        super(path ? `${path.replace(/^\./, "")} is ${why}` : why);
        this.name = "Unfit";
    }
}

/** Sets an own property, also where the name is `__proto__`. */
export function put(object: object, name: string, value: unknown): void {
    if (name === "__proto__") Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
    else (object as Names)[name] = value;
}

export function isPlain(value: unknown): value is Names {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
    const prototype = Object.getPrototypeOf(value);
    // An object of another realm has another Object.prototype: it is told by having no prototype itself.
    return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null;
}

export function toBytes(value: unknown): Uint8Array | undefined {
    if (value instanceof Uint8Array) return value;
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength);
    return undefined;
}

/** Exactly its bytes, as the host takes them. */
export function bufferOf(bytes: Uint8Array): ArrayBuffer {
    const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
    return (whole ? bytes.buffer : bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)) as ArrayBuffer;
}

export function checked(value: unknown): unknown {
    switch (typeof value) {
        case "string":
        case "boolean":
        case "undefined":
            return value;
        default:
            return check(value, [], []);
    }
}

function check(value: unknown, path: (string | number)[], within: object[]): unknown {
    switch (typeof value) {
        case "string":
        case "boolean":
        case "undefined":
            return value;
        case "number":
            if (!Number.isFinite(value)) throw unfit(path, `${value}: a number must be finite`);
            return value === 0 ? 0 : value; // JSON knows no negative zero
        case "object":
            return value === null ? null : checkObject(value, path, within);
        default:
            throw unfit(path, `a ${typeof value}, which cannot be handed over`);
    }
}

function checkObject(value: object, path: (string | number)[], within: object[]): unknown {
    if (within.includes(value)) throw unfit(path, "a cycle: it holds itself");
    if (within.length >= DEPTH_MAX) throw unfit(path.slice(0, 3), `nested deeper than ${DEPTH_MAX} levels`);
    const plain = Object.getPrototypeOf(value) === Object.prototype;
    if (!plain) {
        const bytes = toBytes(value);
        if (bytes) return bytes.slice();
        if (value instanceof Date && Number.isNaN(value.getTime())) throw unfit(path, "an invalid date");
        for (const [kind, why] of HIDDEN) if (value instanceof kind) throw unfit(path, why);
    }
    within.push(value);
    const toJSON = plain ? undefined : (value as { toJSON?: unknown }).toJSON;
    const out =
        typeof toJSON === "function"
            ? check(toJSON.call(value), path, within)
            : Array.isArray(value)
              ? checkList(value, path, within)
              : checkFields(value, path, within);
    within.pop();
    return out;
}

/** Things with a hidden inside would arrive as {}: better said than lost. */
const HIDDEN: [abstract new (...args: never[]) => object, string][] = [
    [Map, "a Map: use an object, or [...map]"],
    [Set, "a Set: use a list, [...set]"],
    [Promise, "a promise: await it"],
    [Error, "an Error: use its message"],
    [RegExp, "a regular expression"],
];

function checkList(list: unknown[], path: (string | number)[], within: object[]): unknown[] {
    const out = new Array<unknown>(list.length);
    for (let i = 0; i < list.length; i++) {
        path.push(i);
        const item = check(list[i], path, within);
        out[i] = item === undefined ? null : item;
        path.pop();
    }
    return out;
}

function checkFields(value: object, path: (string | number)[], within: object[]): Names {
    const out: Names = {};
    for (const name of Object.keys(value)) {
        if (name.indexOf("\0") >= 0) throw unfit(path, "an object with a NUL in a property's name");
        path.push(name);
        const field = check((value as Names)[name], path, within);
        if (field !== undefined) put(out, name, field);
        path.pop();
    }
    return out;
}

function unfit(path: (string | number)[], why: string): Unfit {
    let text = "";
    for (const part of path) text += typeof part === "number" ? `[${part}]` : /^[\w$]+$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`;
    return new Unfit(text, why);
}

export function copy(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) {
        const out = new Array<unknown>(value.length);
        for (let i = 0; i < value.length; i++) out[i] = copy(value[i]);
        return out;
    }
    const bytes = toBytes(value);
    if (bytes) return bytes.slice();
    const out: Names = { ...value };
    const names = Object.keys(out);
    for (let i = 0; i < names.length; i++) {
        const field = out[names[i]];
        if (typeof field === "object" && field !== null) out[names[i]] = copy(field); // also __proto__, which is its own by now
    }
    return out;
}

/** What a parsed JSON text may still be too much of; undefined: fit. */
export function unfitJson(value: unknown, mayHoldNul: boolean, depth = 0): string | undefined {
    if (typeof value !== "object" || value === null) return undefined;
    if (depth >= DEPTH_MAX) return `nested deeper than ${DEPTH_MAX} levels`;
    const names = Object.keys(value);
    for (let i = 0; i < names.length; i++) {
        if (mayHoldNul && names[i].indexOf("\0") >= 0) return "a property's name holds a NUL";
        const field = (value as Names)[names[i]];
        const why = typeof field === "object" ? unfitJson(field, mayHoldNul, depth + 1) : undefined;
        if (why) return why;
    }
    return undefined;
}

/** undefined gives "null". A half of a surrogate pair becomes U+FFFD: no UTF-8 can hold it. */
export function json(value: unknown): string {
    const text = JSON.stringify(value);
    if (text === undefined) return "null";
    return text.indexOf("\\ud") >= 0 ? text.replace(/\\\\|\\ud[89a-f][0-9a-f]{2}/g, (found) => (found === "\\\\" ? found : "\\ufffd")) : text;
}

export function parse(text: string): unknown {
    return text.indexOf('"$bytes"') >= 0 ? JSON.parse(text, revive) : JSON.parse(text);
}

function revive(_name: string, value: unknown): unknown {
    if (typeof value !== "object" || value === null || typeof (value as Names).$bytes !== "string") return value;
    if (Object.keys(value).length !== 1) return value;
    const bytes = host.base64Decode((value as { $bytes: string }).$bytes);
    return bytes ? new Uint8Array(bytes) : value;
}

/** While on, bytes that are long for a history give only their length. */
let brief = false;
const BRIEF_BYTES = 3000;

/** Its JSON; of a value with long lists as much as makes more than `enough` characters, which then ends anywhere. */
export function briefJson(value: unknown, enough: number): string {
    brief = true;
    try {
        return hasLongList(value, 0) ? beginning(value as object, enough) : json(value);
    } finally {
        brief = false;
    }
}

const LONG = 30;
const LONG_DEPTH = 4;

function hasLongList(value: unknown, depth: number): boolean {
    if (typeof value !== "object" || value === null) return false;
    if (Array.isArray(value)) return value.length > LONG;
    if (depth === LONG_DEPTH || (value as Names).byteLength !== undefined) return false; // bytes, which are written whole
    const names = Object.keys(value);
    for (let i = 0; i < names.length; i++) if (hasLongList((value as Names)[names[i]], depth + 1)) return true;
    return false;
}

/** The list whose beginning was written last: a run mostly hands the same on. Values between blocks do not change. */
let lastList: unknown[] | undefined;
let lastText = "";

function beginning(value: object, enough: number): string {
    if (Array.isArray(value)) {
        if (value === lastList) return lastText;
        let text = "[";
        for (let i = 0; i < value.length && text.length <= enough; i++) text += (i ? "," : "") + (hasLongList(value[i], 0) ? beginning(value[i] as object, enough) : json(value[i]));
        lastList = value;
        lastText = text.length > enough ? text : text + "]";
        return lastText;
    }
    let text = "";
    for (const name of Object.keys(value)) {
        const field = (value as Names)[name];
        if (field === undefined) continue;
        text += `${text ? "," : "{"}${json(name)}:${hasLongList(field, 0) ? beginning(field as object, enough) : json(field)}`;
        if (text.length > enough) return text;
    }
    return text + "}";
}

/** An entry that was ended by force leaves without `finally`. */
export function beginEntry(): void {
    brief = false;
    lastList = undefined;
}

/** Has JSON.stringify write bytes as {"$bytes": ...}; part of locking the realm. */
export function teachBytesToJson(): void {
    const toJSON = function (this: Uint8Array | ArrayBuffer): object {
        if (brief && this.byteLength > BRIEF_BYTES) return { $cut: "", length: this.byteLength };
        return { $bytes: host.base64Encode(bufferOf(toBytes(this)!)) };
    };
    for (const kind of [Uint8Array, ArrayBuffer])
        Object.defineProperty(kind.prototype, "toJSON", { value: toJSON, writable: true, enumerable: false, configurable: true });
}
