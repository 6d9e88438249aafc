// HTTP Request: one operation, JSON both ways. An answer of 400 and above leaves by `error`, with the answer beside it.

import type { Activation } from "../activation.ts";
import { faultOf } from "../fault.ts";
import { host } from "../host.ts";
import { requestOf } from "../request.ts";
import { retryAfter, statusMayRetry } from "../retry.ts";
import { bufferOf, toBytes, type Names } from "../values.ts";
import { keyOf } from "./key.ts";

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
    const { method, changes } = args;
    const reads = !changes && (method === "GET" || method === "HEAD" || method === "OPTIONS");
    a.ask(
        "http.request",
        args,
        (value) => answered(a, args.url, value as Answer),
        (fault) => a.fail(fault),
        reads ? undefined : keyOf(a, args),
    );
}

function argsOf(a: Activation): Names & { url: string; method: string } {
    const { auth, follow_redirects, changes, counts_as, sample, body_type, idempotency_key, unknown } = a.block.config;
    const request = requestOf(a.input, body_type, 'input "url": ');
    return { ...request, timeout_ms: a.block.timeoutMs || undefined, follow_redirects, auth, changes, counts_as, to: a.input.to, sample, idempotency_key, unknown };
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
