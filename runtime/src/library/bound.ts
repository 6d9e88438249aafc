// `$`: the library as one activation sees it (docs/internals.md, section 3). Compiled texts take from it what
// they mention; each property is made when it is asked for.

import type { Activation } from "../activation.ts";
import { OperationError } from "../fault.ts";
import { checked, type Names } from "../values.ts";
import { signalOf } from "./abort.ts";
import { dateOf } from "./clock.ts";
import { cryptoOf } from "./crypto.ts";
import { fetchOf } from "./fetch.ts";
import { flowsOf } from "./flows.ts";
import { consoleOf, logOf } from "./log.ts";
import { mailOf } from "./mail.ts";
import { dnsOf, httpOf, passwordOf, secretsOf, stateOf, tcpOf, tlsOf } from "./operations.ts";
import { mathOf, Streams } from "./random.ts";
import { timersOf, type Timers } from "./timers.ts";

/** One operation: its result, or an OperationError. */
export type Ask = (op: string, args: Names) => Promise<unknown>;

export class Bound {
    /** The input whose expression is being evaluated; set by mappings. */
    at = "";
    readonly #a: Activation;
    #timers: Timers | undefined;
    #streams: Streams | undefined;

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

    get #ask(): Ask {
        const a = this.#a;
        return (op, args) => {
            const here = new Error();
            return new Promise((done, failed) => a.ask(op, checked(args) as Names, done, (fault) => failed(new OperationError(fault, here))));
        };
    }

    get #ownTimers(): Timers {
        return (this.#timers ??= timersOf(this.#a));
    }

    get #ownStreams(): Streams {
        return (this.#streams ??= new Streams(this.#a));
    }

    get mail() {
        return mailOf(this.#ask);
    }
    get dns() {
        return dnsOf(this.#ask);
    }
    get http() {
        return httpOf(this.#ask);
    }
    get fetch() {
        return fetchOf(this.#ask);
    }
    get tcp() {
        return tcpOf(this.#ask);
    }
    get tls() {
        return tlsOf(this.#ask);
    }
    get secrets() {
        return secretsOf(this.#ask);
    }
    get state() {
        return stateOf(this.#ask);
    }
    get password() {
        return passwordOf(this.#ask);
    }
    get flows() {
        return flowsOf(this.#a, this.#ask);
    }
    get log() {
        return logOf(this.#a);
    }
    get console() {
        return consoleOf(this.#a);
    }
    get sleep() {
        return this.#ownTimers.sleep;
    }
    get setTimeout() {
        return this.#ownTimers.setTimeout;
    }
    get clearTimeout() {
        return this.#ownTimers.clear;
    }
    get setInterval() {
        return this.#ownTimers.setInterval;
    }
    get clearInterval() {
        return this.#ownTimers.clear;
    }
    get AbortSignal() {
        return signalOf(this.#ownTimers);
    }
    get crypto() {
        return cryptoOf(this.#ownStreams);
    }
    get Math() {
        return mathOf(this.#ownStreams);
    }
    get Date() {
        return dateOf(this.#a);
    }
}
