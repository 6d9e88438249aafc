// The bundle's entry: frames from the server, one entry into the engine each.

import { Refused } from "./answer.ts";
import { inputsOf } from "./blocks/call.ts";
import { namesOf, type RequestHead } from "./endpoint.ts";
import type { Fault } from "./fault.ts";
import { installGlobals } from "./globals.ts";
import { Frame, host, setHost, type Host, type Runtime } from "./host.ts";
import { Journal } from "./journal.ts";
import type { Bound } from "./library/bound.ts";
import { entry } from "./library/clock.ts";
import { lockdown } from "./lockdown.ts";
import { addFlow, flowOf, type Flow } from "./plan.ts";
import { Run } from "./run.ts";
import { beginEntry, json, parse, teachBytesToJson, type Names } from "./values.ts";

const runs = new Map<number, Run>();
/** Those that START follows for, and that report from their first block on. */
const watched = new Set<number>();

export function boot(given: Host): Runtime {
    setHost(given);
    teachBytesToJson();
    installGlobals(globalThis);
    lockdown(() => entry.t);
    return { frame };
}

function frame(kind: Frame, run: number, ...sections: unknown[]): void {
    beginEntry();
    switch (kind) {
        case Frame.START:
            return start(run, sections[0] as string, sections[1] as ArrayBuffer | undefined, sections[2] as string | undefined);
        case Frame.RESULT:
            return runs.get(run)?.result(sections[0] as string);
        case Frame.PREPARE:
            return prepare(run, sections[0] as string, sections[1] as ArrayBuffer | undefined);
        case Frame.FLOW:
            return addFlow(run, sections[0] as string, sections[1], sections.slice(2));
        case Frame.PARK: // what was sent before is done: frames come in order, and an entry ends with nothing left to do
            return void (runs.has(run) && host.send(Frame.PARKED, run));
        case Frame.CANCEL:
            return cancel(run, sections[0] as string | undefined);
        case Frame.WATCH:
            return watch(run);
        default:
            throw new Error(`frame ${kind} is not expected here`);
    }
}

function start(number: number, headText: string, body: ArrayBuffer | undefined, journal: string | undefined): void {
    const head = headOf(headText);
    entry.t = head.t;
    const flow = flowOf(head);
    if (typeof flow === "string") return unusable(number, flow);
    const run = new Run(number, flow, head, journal ? new Journal(journal) : undefined, () => runs.delete(number));
    let names: Names;
    try {
        names = namesFor(flow, head, body);
    } catch (error) {
        return error instanceof Refused ? run.refuse(error.answer) : run.crash(error);
    }
    const { limits } = flow;
    if (limits) host.setLimits(number, limits.cpuMs, limits.memoryMb);
    runs.set(number, run);
    if (watched.size > 0 && watched.delete(number)) run.watch();
    run.start(names);
}

/** Before its START, or while it is under way. */
function watch(number: number): void {
    const run = runs.get(number);
    if (run) run.watch();
    else watched.add(number);
}

/** why: {"code", "message"} where the run ran into its limits: its FINISH is waited for. */
function cancel(number: number, why: string | undefined): void {
    const run = runs.get(number);
    if (!why) return run?.cancel();
    run?.end(JSON.parse(why) as Fault);
}

/** A request as it came holds no bytes to be looked for. */
function headOf(text: string): RequestHead {
    const head = JSON.parse(text) as RequestHead;
    return head.input === undefined ? head : (parse(text) as RequestHead);
}

function unusable(number: number, why: string): void {
    host.log("error", why);
    const error = json({ code: "internal", message: why });
    host.send(Frame.FINISH, number, `{"state":"failed","error":${error},"errors":[${error}]}`, undefined, '{"blocks":[]}');
}

/** Throws Refused; an OperationError where the input is not a caller's but another flow's. */
function namesFor(flow: Flow, head: RequestHead, body: ArrayBuffer | undefined): Names {
    if (head.input === undefined) return namesOf(flow, head, body);
    return flow.plan.type === "reusable" ? inputsOf(flow, head.input) : head.input;
}

/** Parses and validates a request whose run has to be stored before it starts. */
function prepare(number: number, headText: string, body: ArrayBuffer | undefined): void {
    const head = headOf(headText);
    const flow = flowOf(head);
    if (typeof flow === "string") return unusable(number, flow);
    try {
        const input = namesOf(flow, head, body);
        const prepared = (delivery: string): void =>
            host.send(Frame.PREPARED, number, `{"input":${json(input)}${delivery && `,"deduplicate":${json(delivery)}`}}`, undefined);
        deliveryOf(flow, head, input, prepared);
    } catch (error) {
        if (!(error instanceof Refused)) return unusable(number, (error as Error).message);
        host.send(Frame.PREPARED, number, `{"answer":${error.answer.head}}`, error.answer.body);
    }
}

/** What tells a repeated delivery; "" where there is nothing, or nothing that can be read, to tell it by. */
function deliveryOf(flow: Flow, head: RequestHead, input: Names, then: (delivery: string) => void): void {
    const map = flow.plan.start.deduplicate;
    if (!map) return then("");
    const text = (values: Names): string => {
        const value = Object.values(values)[0];
        return value === undefined || value === null ? "" : typeof value === "string" ? value : json(value);
    };
    const $ = { at: "", setting: (name: string) => head.settings?.[name] } as Bound;
    try {
        const given = map(input, $);
        if (given instanceof Promise) given.then((values) => then(text(values)), () => then(""));
        else then(text(given));
    } catch {
        then("");
    }
}
