// A worker for tests: the runtime as the C side drives it, one entry a frame, and a server that answers its operations.

import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import vm from "node:vm";
import { Frame, type Host, type Part, type Runtime, type Section } from "../src/host.ts";

declare const BUNDLES: string;

/** As in a worker: nothing but the language, and locked by boot. */
export const realm = vm.createContext({});
const RealmTypeError = vm.runInContext("TypeError", realm) as TypeErrorConstructor;
const Bytes = vm.runInContext("Uint8Array", realm) as Uint8ArrayConstructor;

export interface Sent {
    kind: Frame;
    run: number;
    sections: Section[];
}

/** Of the worker's realm, as the engine's C interface makes them. */
export const buffer = (b: Uint8Array): ArrayBuffer => new Bytes(b).buffer as ArrayBuffer;

export const logged: string[] = [];
export const limits: number[][] = [];
let sent: Sent[] = [];

export const host: Host = {
    send: (kind, run, ...sections) => void sent.push({ kind, run, sections }),
    setLimits: (run, cpuMs, memoryMb) => void limits.push([run, cpuMs, memoryMb]),
    utf8Encode: (text) => buffer(Buffer.from(text, "utf8")),
    utf8Decode: (bytes, fatal) => {
        try {
            return new TextDecoder("utf-8", { fatal, ignoreBOM: true }).decode(Buffer.from(bytes));
        } catch {
            throw new RealmTypeError("the bytes are not UTF-8");
        }
    },
    parseJson: (bytes) => {
        const text = Buffer.from(bytes).toString();
        try {
            return text.includes("\\u0000") ? undefined : vm.runInContext("JSON.parse", realm)(text);
        } catch {
            return undefined;
        }
    },
    digest: (name, bytes) => buffer(createHash(name.replace("-", "").toLowerCase()).update(Buffer.from(bytes)).digest()),
    hmac: (name, key, bytes) => buffer(createHmac(name.replace("-", "").toLowerCase(), Buffer.from(key)).update(Buffer.from(bytes)).digest()),
    parseForm: (text) => [...new URLSearchParams(text)],
    parseMultipart: parseMultipart,
    base64Encode: (bytes) => Buffer.from(bytes).toString("base64"),
    base64Decode: (text) => (/^[A-Za-z0-9+/]*={0,2}$/.test(text) ? buffer(Buffer.from(text, "base64")) : undefined),
    log: (level, text) => void logged.push(`${level} ${text}`),
};

/** Enough of RFC 7578 for tests. */
function parseMultipart(body: ArrayBuffer, boundary: string): Part[] {
    const text = Buffer.from(body).toString("latin1");
    const pieces = text.split(`--${boundary}`).slice(1, -1);
    if (pieces.length === 0) throw new Error("no boundary in it");
    return pieces.map((piece) => {
        const [head, content] = [piece.slice(2, piece.indexOf("\r\n\r\n")), piece.slice(piece.indexOf("\r\n\r\n") + 4, -2)];
        return {
            name: /name="([^"]*)"/.exec(head)![1],
            filename: /filename="([^"]*)"/.exec(head)?.[1],
            type: /content-type: (.*)/i.exec(head)?.[1],
            bytes: buffer(Buffer.from(content, "latin1")),
        };
    });
}

const runtime = (vm.runInContext(readFileSync(`${BUNDLES}/runtime.js`, "utf8"), realm, { filename: "runtime.js" }) as (host: Host) => Runtime)(host);

/** An entry in which nothing is awaited inside the engine. */
export function enterNow(kind: Frame, run: number, ...sections: unknown[]): Sent[] {
    runtime.frame(kind, run, ...sections);
    const out = sent;
    sent = [];
    return out;
}

/** One entry: the frame, and everything that follows from it without the server. */
export async function enter(kind: Frame, run: number, ...sections: unknown[]): Promise<Sent[]> {
    runtime.frame(kind, run, ...sections);
    await new Promise(setImmediate);
    const out = sent;
    sent = [];
    return out;
}

/** A flow without units, from the text that the compiler wrote. */
export function addPlan(number: number, id: string, text: string): void {
    const accepts = vm.runInContext("() => () => undefined", realm);
    enterNow(Frame.FLOW, number, id, vm.runInContext(text, realm, { filename: `${id}.plan` }), "start.inputs", accepts);
}

let lastNumber = 0;
let lastRun = 0;
export const nextRun = (): number => ++lastRun;
/** A number of flows of a release of their own. */
export const nextRelease = (): number => (lastNumber += 65536);

const script = (text: string, name: string): unknown => vm.runInContext(`(${text})`, realm, { filename: name });

/** A script's unit, as the toolbox makes it. */
export const unitOf = (source: string, name: string): string =>
    `function ($) { "use strict"; const { mail, dns, http, fetch, tcp, tls, secrets, state, flows, password, log, console, sleep, setTimeout, clearTimeout, setInterval, clearInterval, AbortSignal, crypto, Math, Date } = $; ${source}
return ${name}; }`;

/** plan: the text of an object; units: by key, the text of a function. */
export async function addFlow(number: number, id: string, plan: string, units: Record<string, string> = {}): Promise<void> {
    const sections: unknown[] = [];
    for (const [key, text] of Object.entries(units)) sections.push(key, script(text, key));
    await enter(Frame.FLOW, number, id, script(`function () { "use strict"; return ${plan}; }`, `${id}.plan`), ...sections);
}

export interface Asked {
    id: string;
    op: string;
    args: Record<string, unknown>;
    key?: string;
}

export interface Finished {
    state: "done" | "failed";
    answer?: { status: number; headers: [string, string][] };
    body?: string;
    output?: unknown;
    error?: { block: string; code: string; message: string };
    errors?: { block: string; code: string }[];
    history: { blocks: { path: string; pin: string; input: unknown; output?: unknown; error?: unknown; attempts?: number }[]; logs: { text: string }[] };
}

export const bodyText = (section: Section): string | undefined =>
    section === undefined ? undefined : typeof section === "string" ? section : Buffer.from(section).toString("latin1");

export function finishedOf(frames: Sent[]): Finished | undefined {
    const frame = frames.find((one) => one.kind === Frame.FINISH);
    if (!frame) return undefined;
    return { ...JSON.parse(frame.sections[0] as string), body: bodyText(frame.sections[1]), history: JSON.parse(frame.sections[2] as string) };
}

export const asksOf = (frames: Sent[]): Asked[] =>
    frames.filter((one) => one.kind === Frame.ASK).map((one) => JSON.parse(one.sections[0] as string) as Asked);

export type Answer = { value?: unknown; error?: Record<string, unknown> };
export const SEED = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

export interface Outcome extends Finished {
    asked: Asked[];
    frames: Sent[];
}

/** Runs a flow to its end; every operation is answered by `answer`, one entry each. */
export async function run(
    number: number,
    id: string,
    head: Record<string, unknown>,
    answer: (asked: Asked) => Answer = () => ({ value: null }),
    body?: ArrayBuffer,
): Promise<Outcome> {
    const runNumber = nextRun();
    let t = 1_800_000_000_000;
    const frames = await enter(Frame.START, runNumber, JSON.stringify({ flow: id, number, t, seed: SEED, mode: "practice", ...head }), body, "");
    const asked: Asked[] = asksOf(frames);
    for (let at = 0; !finishedOf(frames); at++) {
        if (at >= asked.length) throw new Error(`flow ${id} waits for nothing; it asked ${JSON.stringify(asked)}`);
        const more = await enter(Frame.RESULT, runNumber, JSON.stringify({ id: asked[at].id, t: ++t, ...answer(asked[at]) }));
        frames.push(...more);
        asked.push(...asksOf(more));
    }
    return { ...finishedOf(frames)!, asked, frames };
}
