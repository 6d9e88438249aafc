// Digests, HMAC and random values of the Web Crypto API.

import { host } from "../host.ts";
import { bufferOf, toBytes } from "../values.ts";
import type { Streams } from "./random.ts";

type Named = string | { name: string };
const HASHES = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];

function hashOf(given: Named): string {
    const name = (typeof given === "string" ? given : given.name).toUpperCase();
    if (!HASHES.includes(name)) throw new TypeError(`${name} is not supported here: use one of ${HASHES.join(", ")}`);
    return name;
}

function bytesOf(given: unknown): ArrayBuffer {
    const bytes = toBytes(given);
    if (!bytes) throw new TypeError("bytes are needed: new TextEncoder().encode(text)");
    return bufferOf(bytes);
}

class CryptoKey {
    readonly type = "secret";
    readonly extractable = false;
    readonly #bytes: ArrayBuffer;

    constructor(
        bytes: ArrayBuffer,
        readonly algorithm: { name: "HMAC"; hash: { name: string } },
        readonly usages: string[],
    ) {
        this.#bytes = bytes.slice(0);
    }

    static sign(key: CryptoKey, data: unknown): ArrayBuffer {
        return host.hmac(key.algorithm.hash.name, key.#bytes, bytesOf(data));
    }
}

const subtle = {
    async digest(algorithm: Named, data: unknown): Promise<ArrayBuffer> {
        return host.digest(hashOf(algorithm), bytesOf(data));
    },
    async importKey(format: string, key: unknown, algorithm: { name: string; hash: Named }, _extractable: boolean, usages: string[]): Promise<CryptoKey> {
        if (format !== "raw" || algorithm.name.toUpperCase() !== "HMAC") throw new TypeError("only raw keys for HMAC are supported here");
        return new CryptoKey(bytesOf(key), { name: "HMAC", hash: { name: hashOf(algorithm.hash) } }, usages);
    },
    async sign(_algorithm: Named, key: CryptoKey, data: unknown): Promise<ArrayBuffer> {
        return CryptoKey.sign(key, data);
    },
    async verify(_algorithm: Named, key: CryptoKey, signature: unknown, data: unknown): Promise<boolean> {
        const given = new Uint8Array(bytesOf(signature));
        const right = new Uint8Array(CryptoKey.sign(key, data));
        // No early end: how long it takes tells nothing.
        let differs = given.length ^ right.length;
        for (let i = 0; i < right.length; i++) differs |= (given[i] ?? 0) ^ right[i];
        return differs === 0;
    },
};

export function cryptoOf(streams: Streams) {
    const random = <T extends ArrayBufferView>(view: T): T => {
        streams.bytes.fill(new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength));
        return view;
    };
    return {
        subtle,
        getRandomValues: random,
        randomUUID(): string {
            const bytes = random(new Uint8Array(16));
            bytes[6] = (bytes[6] & 0x0f) | 0x40;
            bytes[8] = (bytes[8] & 0x3f) | 0x80;
            const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
            return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
        },
    };
}
