// HTTP Request: one operation, JSON both ways. An answer of 400 and above leaves by `error`, with the answer beside it.

import { URLSearchParams } from "whatwg-url-minimum";
import type { Activation } from "../activation.ts";
import { refuse, faultOf } from "../fault.ts";
import { host } from "../host.ts";
import { retryAfter, statusMayRetry } from "../retry.ts";
import { bufferOf, json, toBytes, type Names } from "../values.ts";

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

/** Rule 24: the same over attempts, of its own and of the calls around it, as long as it is the same request. */
function keyOf(a: Activation, args: Names): string {
    const path = `${a.scope.prefix}${a.block.id}`.replace(/~\d+/g, "");
    return `${path}#1 ${host.base64Encode(host.digest("SHA-256", host.utf8Encode(json(args))))}`;
}

function argsOf(a: Activation): Names & { url: string; method: string } {
    const { method = "GET", url, headers, query, body, to } = a.input;
    const { auth, follow_redirects, changes, counts_as, sample, body_type } = a.block.config;
    if (typeof url !== "string" || url === "") throw refuse("mapping", 'input "url": a URL is needed');
    const fields = fieldsOf(headers);
    const content = body === undefined || body === null ? undefined : contentOf(body, body_type, fields);
    return {
        method: String(method).toUpperCase(),
        url: withQuery(url, query),
        headers: fields,
        body: content,
        timeout_ms: a.block.timeoutMs || undefined,
        follow_redirects,
        auth,
        changes,
        counts_as,
        to,
        sample,
    };
}

function fieldsOf(given: unknown): Record<string, string> {
    const out: Record<string, string> = {};
    for (const [name, value] of Object.entries((given ?? {}) as Names)) if (value !== undefined && value !== null) out[name] = String(value);
    return out;
}

function withQuery(url: string, query: unknown): string {
    const text = formOf(query ?? {});
    if (text === "") return url;
    const [before, fragment] = url.split("#", 2);
    return `${before}${before.includes("?") ? "&" : "?"}${text}${fragment === undefined ? "" : `#${fragment}`}`;
}

function formOf(fields: unknown): string {
    const out = new URLSearchParams();
    for (const [name, value] of Object.entries(fields as Names))
        for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined && one !== null) out.append(name, typeof one === "object" ? json(one) : String(one));
    return out.toString();
}

/** The body as it is sent; its type is added where the headers do not say one. */
function contentOf(body: unknown, type: unknown, headers: Record<string, string>): unknown {
    const typed = (name: string): void => {
        if (!Object.keys(headers).some((one) => one.toLowerCase() === "content-type")) headers["Content-Type"] = name;
    };
    if (toBytes(body)) return body;
    if (type === "form") {
        typed("application/x-www-form-urlencoded");
        return typeof body === "string" ? body : formOf(body);
    }
    if (type === "text" || (type === undefined && typeof body === "string")) {
        typed("text/plain; charset=utf-8");
        return typeof body === "string" ? body : json(body);
    }
    typed("application/json");
    return json(body);
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
