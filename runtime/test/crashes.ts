// A server for proof (b): keeps a run's journal by rules 20 to 22, carries operations out, loses power after a commit.

import assert from "node:assert/strict";
import { asksOf, enter, finishedOf, nextRun, SEED, type Asked, type Finished, type Sent } from "./worker.ts";
import type { Random } from "./graphs.ts";
import { Frame } from "../src/host.ts";

interface Entry {
    r: "begin" | "end" | "asked" | "done";
    id?: string;
    path?: string;
    [more: string]: unknown;
}

/** What is outside of the server and survives its crashes. */
export class World {
    /** By idempotency key: the request. */
    readonly requests = new Map<string, string>();
    /** Store operations that were applied, by id. */
    readonly applied = new Set<string>();
    /** Operations whose `done` is on disk. */
    readonly done = new Set<string>();
    executed = 0;
    replayed = 0;
    asked = 0;
}

const EFFECTS = new Set(["mail.send"]);
const STORES = new Set(["state.put", "flows.start"]);
const kindOf = ({ op, args }: Asked): "effect" | "store" | "read" =>
    EFFECTS.has(op) || (op === "http.request" && args.method === "POST") ? "effect" : STORES.has(op) ? "store" : "read";

interface Operation {
    asked: Asked;
    state: "waits for its commit" | "under way" | "done, to be committed" | "ready";
    result?: object;
}

export class Power extends Error {}

/** One life of the server, from a start to the run's end or a crash. */
export class Life {
    #committed: Entry[];
    #pending: Entry[] = [];
    #operations: Operation[] = [];
    /** In the order of their `done` records. */
    #deliveries: Operation[] = [];
    #before: Map<string, string>;
    #run = nextRun();
    #t: number;
    commits = 0;

    constructor(
        readonly number: number,
        readonly world: World,
        readonly random: Random,
        journal: Entry[],
        readonly crashAfter: number,
    ) {
        this.#committed = journal;
        this.#before = new Map(journal.filter((entry) => entry.r === "asked").map((entry) => [entry.id!, entry.digest as string]));
        this.#t = Math.max(1000, ...journal.map((entry) => (entry.t as number | undefined) ?? 0));
    }

    get journal(): Entry[] {
        return this.#committed;
    }

    async live(input: object): Promise<Finished> {
        const dones = this.#committed.filter((entry) => entry.r === "done");
        const byPath = (r: string): object => Object.fromEntries(this.#committed.filter((entry) => entry.r === r).map((entry) => [entry.path, entry]));
        const journal = this.#committed.length > 0 ? JSON.stringify({ ends: byPath("end"), begins: byPath("begin"), dones }) : "";
        const head = { flow: "main", number: this.number, t: 1000, seed: SEED, mode: "live", durable: true, input };
        this.#deliveries = dones.map((entry) => ({ asked: { id: entry.id! } as Asked, state: "ready", result: entry }));
        this.world.replayed += dones.length;
        let finished = this.#take(await enter(Frame.START, this.#run, JSON.stringify(head), undefined, journal));
        while (!finished) finished = this.#take(await this.#step());
        this.#commit();
        return finished;
    }

    #take(frames: Sent[]): Finished | undefined {
        for (const frame of frames)
            if (frame.kind === Frame.RECORD) this.#pending.push(JSON.parse(frame.sections[0] as string) as Entry);
            else if (frame.kind === Frame.ASK) this.#ask(asksOf([frame])[0]);
        return finishedOf(frames);
    }

    #ask(asked: Asked): void {
        const { id, op, args } = asked;
        const digest = `${op} ${JSON.stringify(args)}`;
        this.world.asked++;
        assert.ok(!this.world.done.has(id), `${id} is asked for again, although it is done`);
        const before = this.#before.get(id);
        assert.equal(digest, before ?? digest, `mismatch at ${id}`);
        assert.ok(!this.#operations.some((one) => one.asked.id === id), `${id} is asked for twice`);
        if (before === undefined) this.#pending.push({ r: "asked", id, digest });
        const operation: Operation = { asked, state: kindOf(asked) === "read" ? "under way" : "waits for its commit" };
        this.#operations.push(operation);
    }

    /** Something happens, by chance. */
    async #step(): Promise<Sent[]> {
        const underWay = this.#operations.filter((one) => one.state === "under way");
        const due = this.#operations.some((one) => one.state === "waits for its commit" || one.state === "done, to be committed");
        const choices: (() => Sent[] | Promise<Sent[]>)[] = underWay.map((one) => () => this.#complete(one));
        if (this.#deliveries[0]?.state === "ready") choices.push(() => this.#deliver(), () => this.#deliver());
        if (due || (this.#pending.length > 0 && this.random(3) === 0)) choices.push(() => this.#commit());
        assert.ok(choices.length > 0, "nothing can happen");
        return choices[this.random(choices.length)]();
    }

    #complete(operation: Operation): Sent[] {
        if (kindOf(operation.asked) === "effect") this.#execute(operation.asked);
        this.#record(operation, this.#resultOf(operation.asked));
        operation.state = "ready";
        return [];
    }

    #execute(asked: Asked): void {
        const key = asked.key ?? asked.id;
        const request = JSON.stringify(asked.args);
        assert.equal(this.world.requests.get(key) ?? request, request, `key ${key} is used for two requests`);
        this.world.requests.set(key, request);
        this.world.executed++;
    }

    /** Never the same twice, so that whatever is repeated shows. */
    #resultOf({ op, id }: Asked): object {
        if (op === "wait" || op === "wait.cancel") return { value: null };
        const n = ++this.world.executed;
        const chance = this.random(8);
        if (chance === 0) return { error: { code: "timeout", message: `lost ${n}`, retry: true } };
        return { value: { status: chance === 1 ? 503 : 200, headers: {}, body: `${id} ${n}`, n } };
    }

    /** Its place among the results is fixed now. */
    #record(operation: Operation, result: object): void {
        operation.result = { id: operation.asked.id, t: ++this.#t, ...result };
        this.#pending.push({ r: "done", ...operation.result } as Entry);
        this.#deliveries.push(operation);
    }

    #commit(): Sent[] {
        const stores = this.#operations.filter((one) => one.state === "waits for its commit" && kindOf(one.asked) === "store");
        for (const one of stores) {
            assert.ok(!this.world.applied.has(one.asked.id), `${one.asked.id} is applied twice`);
            this.#record(one, this.#resultOf(one.asked));
        }
        this.#committed = [...this.#committed, ...this.#pending];
        for (const entry of this.#pending) if (entry.r === "done") this.world.done.add(entry.id!);
        for (const one of stores) this.world.applied.add(one.asked.id);
        this.#pending = [];
        this.commits++;
        for (const one of this.#operations) if (one.state === "waits for its commit") one.state = kindOf(one.asked) === "store" ? "ready" : "under way";
        if (this.commits === this.crashAfter) throw new Power();
        return [];
    }

    #deliver(): Promise<Sent[]> {
        const operation = this.#deliveries.shift()!;
        this.#operations = this.#operations.filter((one) => one !== operation);
        return enter(Frame.RESULT, this.#run, JSON.stringify(operation.result));
    }

    /** The engine forgets it. */
    async die(): Promise<void> {
        await enter(Frame.CANCEL, this.#run);
    }
}
