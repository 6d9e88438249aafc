// What the worker's C gives to the bundle, and what it calls. docs/internals.md, section 4, has the frames.

import { noting, type Box } from "./outbox.ts";

export const enum Frame {
    FLOW = 1,
    PREPARE = 2,
    START = 3,
    RESULT = 4,
    CANCEL = 5,
    JOB = 6,
    WATCH = 7,
    PARK = 8,
    READY = 33,
    PREPARED = 34,
    ASK = 35,
    RECORD = 36,
    RESPOND = 37,
    FINISH = 38,
    LOG = 39,
    JOB_DONE = 40,
    EVENT = 41,
    PARKED = 42,
}

/** JSON and text sections are strings; bodies are bytes, as an ArrayBuffer, or undefined. */
export type Section = string | ArrayBuffer | undefined;

export interface Host {
    /** Where frames may be noted instead (outbox.ts). */
    box?: Box;
    /** One frame to the server. A body may also be a string: then its UTF-8. */
    send(kind: Frame, run: number, ...sections: Section[]): void;
    /** What a run may use, where that is not the default. */
    setLimits(run: number, cpuMs: number, memoryMb: number): void;
    utf8Encode(text: string): ArrayBuffer;
    /** Bytes that are no UTF-8 become U+FFFD; with `fatal` they throw a TypeError. */
    utf8Decode(bytes: ArrayBuffer, fatal?: boolean): string;
    /** The value of a JSON text in UTF-8; undefined where it is none, or may hold a NUL. */
    parseJson(bytes: ArrayBuffer): unknown;
    /** name: "SHA-1", "SHA-256", "SHA-384", "SHA-512". */
    digest(name: string, bytes: ArrayBuffer): ArrayBuffer;
    hmac(name: string, key: ArrayBuffer, bytes: ArrayBuffer): ArrayBuffer;
    /** application/x-www-form-urlencoded, decoded. Throws an Error when it is not well formed. */
    parseForm(text: string): [string, string][];
    /** Throws an Error when the body is not well formed. */
    parseMultipart(body: ArrayBuffer, boundary: string): Part[];
    base64Encode(bytes: ArrayBuffer): string;
    /** undefined when the text is no base64. */
    base64Decode(text: string): ArrayBuffer | undefined;
    /** For the operator, about Flowlet itself; never about a run's data. */
    log(level: "info" | "warn" | "error", text: string): void;
}

export interface Part {
    name: string;
    /** Only files have one. */
    filename?: string;
    type?: string;
    bytes: ArrayBuffer;
}

/** Set once by boot, before anything else runs. */
export let host: Host;
export function setHost(given: Host): void {
    host = given.box ? { ...given, send: noting(given, given.box) } : given;
}

export interface Runtime {
    /**
     * One entry into the engine for each frame that arrives. FLOW passes (id, plan function,
     * unit key, unit function, ...); a text that could not be evaluated is passed as the message of its fault.
     *
     * An entry that the worker ended by force is followed by CANCEL with {"code", "message"}: this run is then to
     * be finished. Nothing of what that entry left half done may be relied on.
     */
    frame(kind: Frame, run: number, ...sections: unknown[]): void;
}
