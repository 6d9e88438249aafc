// TextEncoder, TextDecoder and btoa, on the host's conversions.

import { host } from "../host.ts";
import { bufferOf, toBytes } from "../values.ts";
import { DOMException } from "./abort.ts";

export class TextEncoder {
    readonly encoding = "utf-8";
    encode(text = ""): Uint8Array {
        return new Uint8Array(host.utf8Encode(String(text)));
    }
}

export class TextDecoder {
    readonly encoding = "utf-8";
    readonly fatal: boolean;
    readonly ignoreBOM: boolean;

    constructor(label = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
        if (!/^\s*(utf-?8|unicode-1-1-utf-8)\s*$/i.test(label)) throw new RangeError(`TextDecoder knows utf-8 only, not ${label}`);
        this.fatal = options.fatal === true;
        this.ignoreBOM = options.ignoreBOM === true;
    }

    decode(given?: unknown): string {
        if (given === undefined) return "";
        const bytes = toBytes(given);
        if (!bytes) throw new TypeError("TextDecoder.decode takes bytes");
        const text = host.utf8Decode(bufferOf(bytes), this.fatal);
        return !this.ignoreBOM && text.startsWith("\ufeff") ? text.slice(1) : text;
    }
}

export function btoa(given: unknown): string {
    const text = String(given);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (code > 255) throw new DOMException("btoa takes characters up to U+00FF", "InvalidCharacterError");
        bytes[i] = code;
    }
    return host.base64Encode(bytes.buffer);
}
