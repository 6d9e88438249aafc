// Random numbers that a replay gives again (semantics.md, rule 23): from the run's accepted bytes and the
// activation's path. A mapping and the block behind it draw from different streams, as a resumed run
// evaluates only the latter.

import type { Activation } from "../activation.ts";
import { host } from "../host.ts";

/** Bytes that cannot be told in advance without the run's seed. */
export class RandomBytes {
    readonly #key: ArrayBuffer;
    readonly #label: string;
    #block = 0;
    #left = new Uint8Array(0);

    constructor(a: Activation, use: string) {
        this.#key = hexBytes(a.run.head.seed!);
        this.#label = `${use} ${a.path} `;
    }

    fill(out: Uint8Array): void {
        let at = 0;
        while (at < out.length) {
            if (this.#left.length === 0) this.#left = new Uint8Array(host.hmac("SHA-256", this.#key, host.utf8Encode(this.#label + this.#block++)));
            const n = Math.min(this.#left.length, out.length - at);
            out.set(this.#left.subarray(0, n), at);
            this.#left = this.#left.subarray(n);
            at += n;
        }
    }
}

function hexBytes(text: string): ArrayBuffer {
    const out = new Uint8Array(text.length / 2);
    for (let i = 0; i < out.length; i++) out[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
    return out.buffer;
}

/** What all that is made for an activation's mapping, or for its block, shares. */
export class Streams {
    readonly #a: Activation;
    readonly #made = new Map<string, unknown>();

    constructor(a: Activation) {
        this.#a = a;
    }

    #once<T>(use: string, make: (source: RandomBytes) => T): T {
        const key = `${use} ${this.#a.mapped ? "block" : "mapping"}`;
        if (!this.#made.has(key)) this.#made.set(key, make(new RandomBytes(this.#a, key)));
        return this.#made.get(key) as T;
    }

    get bytes(): RandomBytes {
        return this.#once("crypto", (source) => source);
    }

    /** For Math.random: fast, and fit for nothing that must not be guessed. */
    get numbers(): () => number {
        return this.#once("Math", numbersFrom);
    }
}

/** sfc32, by C. Doty-Humphrey (PractRand): 53 bits of it at a time. */
function numbersFrom(source: RandomBytes): () => number {
    const seed = new Uint32Array(3);
    source.fill(new Uint8Array(seed.buffer));
    let [a, b, c] = seed;
    let counter = 1;
    const next = (): number => {
        const out = (a + b + counter) | 0;
        counter = (counter + 1) | 0;
        a = b ^ (b >>> 9);
        b = (c + (c << 3)) | 0;
        c = (((c << 21) | (c >>> 11)) + out) | 0;
        return out >>> 0;
    };
    return () => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992;
}

/** Math, with a random() of this activation's own. */
export function mathOf(streams: Streams): Math {
    return Object.create(Math, { random: { value: () => streams.numbers() } }) as Math;
}
