// structuredClone, for what a script can have.

import { DOMException } from "./abort.ts";

export function structuredClone<T>(value: T): T {
    return clone(value, new Map()) as T;
}

function clone(value: unknown, seen: Map<object, unknown>): unknown {
    if (typeof value === "function" || typeof value === "symbol") throw new DOMException(`a ${typeof value} cannot be cloned`, "DataCloneError");
    if (typeof value !== "object" || value === null) return value;
    const known = seen.get(value);
    if (known !== undefined) return known;
    const keep = <O extends object>(out: O): O => {
        seen.set(value, out);
        return out;
    };
    if (Array.isArray(value)) {
        const out = keep(new Array<unknown>(value.length));
        for (const key of Object.keys(value)) out[Number(key)] = clone(value[Number(key)], seen);
        return out;
    }
    if (value instanceof Date) return keep(new Date(value.getTime()));
    if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
    if (value instanceof ArrayBuffer) return keep(value.slice(0));
    if (ArrayBuffer.isView(value)) return keep(cloneView(value));
    if (value instanceof Map) {
        const out = keep(new Map<unknown, unknown>());
        for (const [key, item] of value) out.set(clone(key, seen), clone(item, seen));
        return out;
    }
    if (value instanceof Set) {
        const out = keep(new Set<unknown>());
        for (const item of value) out.add(clone(item, seen));
        return out;
    }
    if (value instanceof Error) return keep(Object.assign(new Error(value.message), { name: value.name }));
    const out = keep({} as Record<string, unknown>);
    for (const [key, item] of Object.entries(value))
        Object.defineProperty(out, key, { value: clone(item, seen), writable: true, enumerable: true, configurable: true });
    return out;
}

function cloneView(view: ArrayBufferView): ArrayBufferView {
    const bytes = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
    if (view instanceof DataView) return new DataView(bytes);
    return new (view.constructor as new (buffer: ArrayBufferLike) => ArrayBufferView)(bytes);
}
