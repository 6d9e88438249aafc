// HTTP Request: one operation, JSON both ways. An answer of 400 and above leaves by `error`, with the answer beside it.

import type { Activation } from "../activation.ts";
import { faultOf, type Fault } from "../fault.ts";
import { host } from "../host.ts";
import { requestOf } from "../request.ts";
import { retryAfter, statusMayRetry } from "../retry.ts";
import { bufferOf, toBytes, type Names } from "../values.ts";
import { keyOf } from "./key.ts";

type Request = Names & { url: string; method: string };

/** How often a probe is asked that does not tell, and how often a request is sent that was not carried out. */
const PROBES_MAX = 5;
const SENDS_MAX = 3;

interface Answer extends Names {
    status: number;
    headers: Record<string, string>;
    body?: unknown;
}

export function http(a: Activation): void {
    let args;
    try {
        args = argsOf(a);
    } catch (error) {
        return a.fail(faultOf(error, "mapping"));
    }
    send(a, args, 1);
}

function send(a: Activation, args: Request, times: number): void {
    const { method, changes } = args;
    const reads = !changes && (method === "GET" || method === "HEAD" || method === "OPTIONS");
    a.ask(
        "http.request",
        args,
        (value) => answered(a, args.url, value as Answer),
        (fault) => (fault.code === "unknown_outcome" && a.block.config.unknown === "probe" ? probe(a, args, times, fault, 1) : a.fail(fault)),
        reads ? undefined : keyOf(a, args),
    );
}

/** Asks whether it was carried out, and sends it again, with the same key, where it was not. */
function probe(a: Activation, args: Request, times: number, unknown: Fault, attempt: number): void {
    const url = String(a.input.probe);
    const { headers, auth, timeout_ms, follow_redirects } = args;
    const notTold = (why: string): void => {
        if (attempt >= PROBES_MAX) return a.fail({ ...unknown, message: `${unknown.message}; its probe does not tell: ${why}` });
        const ms = 1000 * 2 ** (attempt - 1);
        a.ask("wait", { ms, park: true }, () => probe(a, args, times, unknown, attempt + 1), (fault) => a.fail(fault));
    };
    const told = (answer: Answer): void => {
        const happened = carriedOut(answer, a.block.config.probe_finds as string | undefined);
        if (happened === undefined) notTold(`${hostOf(url)} answered ${answer.status}`);
        else if (happened) a.succeed("out", { response: { ...answer, body: readable(answer), probed: true } });
        else if (times < SENDS_MAX) send(a, args, times + 1);
        else a.fail({ ...unknown, message: `${unknown.message}; it was sent ${times} times, and each time its probe found nothing` });
    };
    a.ask("http.request", { method: "GET", url, headers, auth, timeout_ms, follow_redirects }, (value) => told(value as Answer), (fault) => notTold(fault.message));
}

/** undefined: the answer does not tell. */
function carriedOut(answer: Answer, finds: string | undefined): boolean | undefined {
    const { status } = answer;
    if (status === 404 || status === 410) return false;
    if (status < 200 || status > 299) return undefined;
    if (finds === undefined) return true;
    let at: unknown = { headers: answer.headers, body: readable(answer) };
    for (const key of finds.split(/[.[\]"]+/)) if (key !== "") at = typeof at === "object" && at !== null && Object.hasOwn(at, key) ? (at as Names)[key] : undefined;
    return at !== undefined && at !== null && at !== false && at !== "" && !(Array.isArray(at) && at.length === 0);
}

function argsOf(a: Activation): Request {
    const { auth, follow_redirects, changes, counts_as, sample, body_type, idempotency_key, unknown } = a.block.config;
    const request = requestOf(a.input, body_type, 'input "url": ');
    return { ...request, timeout_ms: a.block.timeoutMs || undefined, follow_redirects, auth, changes, counts_as, to: a.input.to, sample, idempotency_key, unknown: unknown === "probe" ? "fail" : unknown };
}

function answered(a: Activation, url: string, answer: Answer): void {
    const response = { ...answer, body: readable(answer) };
    const { status } = answer;
    if (status < 400 || a.block.config.any_status === true) return a.succeed("out", { response });
    const after = retryAfter(answer.headers ?? {}, a.clock);
    a.fail({
        code: "http_status",
        message: `${hostOf(url)} answered ${status}`,
        status,
        retry: statusMayRetry(status),
        ...(after !== undefined && { retry_after_ms: after }),
        response,
    });
}

/** Of a URL that may hold secrets: what is fit for a message. */
function hostOf(url: string): string {
    return /^[a-z]+:\/\/(?:[^/?#]*@)?([^/?#]+)/i.exec(url)?.[1] ?? "the server";
}

function readable(answer: Answer): unknown {
    const { body } = answer;
    const type = String(answer.headers?.["content-type"] ?? "");
    if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type) || body === undefined || body === "") return body;
    const bytes = toBytes(body);
    try {
        return JSON.parse(bytes ? host.utf8Decode(bufferOf(bytes)) : (body as string));
    } catch {
        return body;
    }
}
