// A request becomes the Start's names: parsed, strings made into numbers and booleans where the schema says so,
// validated (docs/internals.md, section 4, heads). All that does not fit is told at once, as a problem (RFC 9457).

import { problem, Refused, refuseRequest } from "./answer.ts";
import { bodyOf } from "./body.ts";
import { coerce, collect } from "./coerce.ts";
import type { Flow } from "./plan.ts";
import type { Head } from "./run.ts";
import { host } from "./host.ts";
import { put, type Names } from "./values.ts";
import type { Validator, Violation } from "./validation.ts";

/** A request as the server passes it on. */
export interface RequestHead extends Head {
    method?: string;
    /** Path parameters, not decoded. */
    path?: Record<string, string>;
    query?: string;
    headers?: [string, string][];
    client?: string;
    /** Its Content-Type. */
    type?: string;
}

/** Throws Refused. */
export function namesOf(flow: Flow, head: RequestHead, body: ArrayBuffer | undefined): Names {
    const { start } = flow.plan;
    const wrong: Violation[] = [];
    const names: Names = {};
    const needs = flow.needs;
    if (start.parameters) parameters(start.parameters, head.path ?? {}, names, wrong);
    if (needs.has("query") || flow.validators.query) {
        const query = collect(pairsOf(head.query), start.query, "/query", wrong);
        if (start.query) coerce(query, start.query);
        validate(flow.validators.query, query, "/query", wrong);
        names.query = query;
    }
    if (needs.has("headers") || needs.has("cookies")) {
        const headers = fieldsOf(head.headers ?? []);
        if (needs.has("headers")) names.headers = headers;
        if (needs.has("cookies")) names.cookies = cookiesOf(headers.cookie as string | undefined);
    }
    if (needs.has("method")) names.method = head.method;
    if (needs.has("client")) names.client = head.client;
    if (needs.has("rawBody")) names.rawBody = new Uint8Array(body ?? new ArrayBuffer(0));
    if (needs.has("requestBody") || flow.validators.body) {
        const value = bodyOf(start.body ?? {}, head.type ?? "", body, wrong);
        validate(flow.validators.body, value, "", wrong);
        if (value !== undefined) names.requestBody = value;
    }
    if (wrong.length > 0)
        throw new Refused(problem(400, "Bad Request", { detail: "The request does not fit what this address takes.", errors: wrong }));
    return names;
}

/** A query in which nothing is escaped, as most are. */
const PLAIN_QUERY = /^[\w.~=&-]*$/;

function pairsOf(query: string | undefined): [string, string][] {
    if (!query) return [];
    if (PLAIN_QUERY.test(query)) return plainPairs(query);
    try {
        return host.parseForm(query);
    } catch (error) {
        throw refuseRequest(400, "Bad Request", `The query is not well formed: ${(error as Error).message.slice(0, 200)}.`);
    }
}

function plainPairs(query: string): [string, string][] {
    const out: [string, string][] = [];
    for (const pair of query.split("&")) {
        if (pair === "") continue;
        const at = pair.indexOf("=");
        out.push(at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)]);
    }
    return out;
}

function validate(check: Validator | undefined, value: unknown, at: string, wrong: Violation[]): void {
    check?.(value === undefined ? null : value, at, wrong);
}

function parameters(types: Record<string, { type: string }>, given: Record<string, string>, names: Names, wrong: Violation[]): void {
    for (const [name, { type }] of Object.entries(types)) {
        const text = decode(given[name] ?? "");
        if (text === undefined) wrong.push({ pointer: `/path/${name}`, message: "is not well encoded" });
        else if (type !== "integer") put(names, name, text);
        else if (/^-?\d{1,15}$/.test(text)) put(names, name, Number(text));
        else wrong.push({ pointer: `/path/${name}`, message: "must be an integer" });
    }
}

function decode(text: string): string | undefined {
    try {
        return text.includes("%") ? decodeURIComponent(text) : text;
    } catch {
        return undefined;
    }
}

/** Names in lower case; what came several times is joined (RFC 9110, 5.2). */
function fieldsOf(given: [string, string][]): Names {
    const out: Names = {};
    for (const [name, value] of given) {
        const key = name.toLowerCase();
        put(out, key, Object.hasOwn(out, key) ? `${out[key]}${key === "cookie" ? "; " : ", "}${value}` : value);
    }
    return out;
}

/** RFC 6265, 5.4, read leniently; the first of a name counts. */
function cookiesOf(text: string | undefined): Names {
    const out: Names = {};
    for (const pair of (text ?? "").split(";")) {
        const at = pair.indexOf("=");
        if (at < 0) continue;
        const name = pair.slice(0, at).trim();
        if (name === "" || Object.hasOwn(out, name)) continue;
        const value = pair.slice(at + 1).trim().replace(/^"(.*)"$/, "$1");
        put(out, name, decode(value) ?? value);
    }
    return out;
}
