// `$`: the library as one activation sees it (docs/internals.md, section 3). Compiled texts take from it what
// they mention; each property is made when it is asked for.

import type { Activation } from "../activation.ts";

export class Bound {
    /** The input whose expression is being evaluated; set by mappings. */
    at = "";
    readonly #a: Activation;

    constructor(activation: Activation) {
        this.#a = activation;
    }

    /** A placeholder: the server puts the value in its place (docs/internals.md, section 4). */
    secret(name: string): string {
        return `«secret:${name}:${this.#a.run.nonce}»`;
    }

    setting(name: string): unknown {
        return this.#a.run.settings[name];
    }
}
