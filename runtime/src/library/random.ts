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
        this.#key = hexBytes(a.run.head.seed);
        this.#label = `${use} ${a.mapped ? "block" : "mapping"} ${a.path} `;
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

/** Math, with a random() of this activation's own: 53 bits of it at a time. */
export function mathOf(a: Activation): Math {
    let bytes: RandomBytes | undefined;
    const pool = new Uint32Array(64);
    let at = pool.length;
    const random = (): number => {
        if (at === pool.length) {
            bytes ??= new RandomBytes(a, "Math");
            bytes.fill(new Uint8Array(pool.buffer));
            at = 0;
        }
        const high = pool[at++] >>> 5;
        const low = pool[at++] >>> 6;
        return (high * 67108864 + low) / 9007199254740992;
    };
    return Object.create(Math, { random: { value: random } }) as Math;
}
