// Locks the realm that all runs of a worker share, so that nothing of one run is found by another (design.md of
// the platform: "one locked realm per worker"). Called once, before any user's text is evaluated.
//
// 1. What leaks, evaluates text or depends on the garbage collector is removed.
// 2. Members that programs commonly override on their own objects become accessors: assignment to an object
//    that inherits a read-only member would throw otherwise ("the override mistake").
// 3. Everything reachable from the intrinsics is frozen, but for RegExp.prototype: that is made read-only and not
//    extensible, its members stay configurable, as otherwise regular expressions are ten times slower.

import { dateAt } from "./library/clock.ts";

type Key = string | symbol;

const REMOVED = ["WebAssembly", "SharedArrayBuffer", "Atomics", "WeakRef", "FinalizationRegistry", "ShadowRealm", "eval"];

/** Statics of RegExp that tell of the last match, whoever made it. */
const REGEXP_STATICS = ["input", "multiline", "lastMatch", "lastParen", "leftContext", "rightContext"];

/** The clock of the realm's own Date: scripts have one of their own (library/clock.ts). */
export function lockdown(now: () => number): void {
    const realm = globalThis as unknown as Record<Key, unknown>;
    const hidden = hiddenIntrinsics();
    remove(realm, hidden);
    replace(now);
    for (const [object, keys] of overridden(hidden)) enableOverride(object, keys);
    for (const object of reachable([...ownValues(realm), ...hidden])) seal(object);
    for (const key of Reflect.ownKeys(realm)) makeConstant(realm, key);
    // Not Object's, which throws where the realm is node's own kind, as in tests.
    Reflect.preventExtensions(realm);
}

/** What only syntax reaches. */
function hiddenIntrinsics(): object[] {
    const protos = (value: object): object[] => {
        const out: object[] = [];
        for (let at = Object.getPrototypeOf(value) as object | null; at; at = Object.getPrototypeOf(at) as object | null) out.push(at);
        return out;
    };
    const makers = [function* () {}, async function () {}, async function* () {}];
    const iterators = [
        [][Symbol.iterator](),
        ""[Symbol.iterator](),
        new Map()[Symbol.iterator](),
        new Set()[Symbol.iterator](),
        "".matchAll(/x/g),
        (function* () {})(),
        (async function* () {})(),
    ];
    return [...makers, ...iterators, new Uint8Array(0), Promise.resolve()].flatMap(protos);
}

function remove(realm: Record<Key, unknown>, hidden: object[]): void {
    for (const name of REMOVED) delete realm[name];
    for (const name of Reflect.ownKeys(RegExp))
        if (typeof name === "string" && (REGEXP_STATICS.includes(name) || /^\$/.test(name))) Reflect.deleteProperty(RegExp, name);
    for (const name of ["caller", "arguments"]) Reflect.deleteProperty(Function.prototype, name);
    // The four constructors of functions from text; prototypes lead to them.
    for (const proto of [Function.prototype, ...hidden]) {
        const own = Object.getOwnPropertyDescriptor(proto, "constructor");
        if (own && typeof own.value === "function" && /^(Async)?(Generator)?Function$/.test((own.value as { name: string }).name))
            Object.defineProperty(proto, "constructor", { value: noFunction, writable: false, configurable: false });
    }
    realm.Function = noFunction;
}

function noFunction(): never {
    throw new TypeError("functions cannot be made from text here");
}
noFunction.prototype = Function.prototype;

/** What would differ from one evaluation to the next. */
function replace(now: () => number): void {
    const clocked = dateAt(now);
    Object.defineProperty(Date.prototype, "constructor", { value: clocked, writable: true, enumerable: false, configurable: true });
    (globalThis as { Date: DateConstructor }).Date = clocked;
    Math.random = () => {
        throw new TypeError("write Math.random(), with Math as a name: only so it can be repeated after a restart");
    };
    fixLocale();
}

/** Time zone UTC, locale en-US, whatever the machine's are (rule 23). */
function fixLocale(): void {
    const withDefaults = (prototype: object, name: string, zoned: boolean): void => {
        const original = (prototype as Record<string, (...args: unknown[]) => string>)[name];
        const replaced = {
            [name](this: unknown, locales?: unknown, options?: object): string {
                return original.call(this, locales ?? "en-US", zoned ? { timeZone: "UTC", ...options } : options);
            },
        }[name];
        Object.defineProperty(prototype, name, { value: replaced, writable: true, enumerable: false, configurable: true });
    };
    for (const name of ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"]) withDefaults(Date.prototype, name, true);
    withDefaults(Number.prototype, "toLocaleString", false);
    withDefaults(BigInt.prototype, "toLocaleString", false);
}

const OVERRIDDEN: Record<string, Key[] | "all"> = {
    Object: "all",
    Array: ["toString", "constructor"], // no more: the engine's fast paths look at the others
    Function: ["name", "toString", "call", "apply", "bind"],
    Error: ["name", "message", "toString", "stack", "constructor", "cause"],
    Promise: ["then", "catch", "finally", "constructor"],
    Map: ["get", "set", "has", "delete", "size", "constructor"],
    Set: ["add", "has", "delete", "size", "constructor"],
    Date: ["toString", "toJSON", "constructor"],
};

function overridden(hidden: object[]): [object, Key[]][] {
    const realm = globalThis as unknown as Record<string, { prototype: object }>;
    const out: [object, Key[]][] = [];
    for (const [name, keys] of Object.entries(OVERRIDDEN)) {
        const { prototype } = realm[name];
        out.push([prototype, keys === "all" ? Reflect.ownKeys(prototype) : keys]);
    }
    for (const name of ["TypeError", "RangeError", "SyntaxError", "ReferenceError", "EvalError", "URIError", "AggregateError"])
        out.push([realm[name].prototype, ["name", "message", "toString", "constructor"]]);
    for (const object of hidden) out.push([object, ["next", "return", "throw", "constructor", "toString"]]);
    return out;
}

/** Reads as before; an assignment to an object that inherits it makes that object's own property. */
function enableOverride(holder: object, keys: Key[]): void {
    for (const key of keys) {
        const own = Object.getOwnPropertyDescriptor(holder, key);
        if (!own || !own.configurable || own.get || own.set) continue;
        const { value } = own;
        Object.defineProperty(holder, key, {
            get: () => value as unknown,
            set(this: object, given: unknown) {
                if (this === holder) throw new TypeError(`${String(key)} of a built-in object cannot be changed`);
                Object.defineProperty(this, key, { value: given, writable: true, enumerable: true, configurable: true });
            },
            enumerable: own.enumerable,
            configurable: true,
        });
    }
}

function* ownValues(object: object): Generator<unknown> {
    for (const key of Reflect.ownKeys(object)) {
        const own = Object.getOwnPropertyDescriptor(object, key)!;
        if ("value" in own) yield own.value;
        else {
            yield own.get;
            yield own.set;
        }
    }
}

function reachable(from: unknown[]): Set<object> {
    const found = new Set<object>();
    const open = from;
    const skip: unknown = globalThis;
    while (open.length > 0) {
        const value = open.pop();
        if ((typeof value !== "object" && typeof value !== "function") || value === null || value === skip || found.has(value)) continue;
        found.add(value);
        open.push(Object.getPrototypeOf(value), ...ownValues(value));
    }
    return found;
}

function seal(object: object): void {
    if (object !== RegExp.prototype) {
        Object.freeze(object);
        return;
    }
    for (const key of Reflect.ownKeys(object))
        if ("value" in Object.getOwnPropertyDescriptor(object, key)!) Object.defineProperty(object, key, { writable: false });
    Object.preventExtensions(object);
}

function makeConstant(object: object, key: Key): void {
    const own = Object.getOwnPropertyDescriptor(object, key);
    if (!own?.configurable) return;
    own.configurable = false;
    if ("value" in own) own.writable = false;
    Object.defineProperty(object, key, own);
}
