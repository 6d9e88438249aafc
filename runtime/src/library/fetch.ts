// fetch, Request, Response and Headers of the Fetch standard, on the operation http.request. Bodies are whole
// texts or bytes: there are no streams.

import { URL, URLSearchParams } from "whatwg-url-minimum";
import { host } from "../host.ts";
import { bufferOf, toBytes, type Names } from "../values.ts";
import { DOMException, type Signal } from "./abort.ts";
import type { Ask } from "./bound.ts";

type HeadersInit = Headers | Record<string, string> | Iterable<[string, string]>;

export class Headers {
    readonly #fields = new Map<string, string>();

    constructor(init?: HeadersInit) {
        if (!init) return;
        const pairs = typeof (init as Iterable<[string, string]>)[Symbol.iterator] === "function" ? (init as Iterable<[string, string]>) : Object.entries(init);
        for (const [name, value] of pairs) this.append(name, value);
    }

    append(name: string, value: unknown): void {
        const before = this.get(name);
        this.set(name, before === null ? value : `${before}, ${value}`);
    }
    delete(name: string): void {
        this.#fields.delete(name.toLowerCase());
    }
    get(name: string): string | null {
        return this.#fields.get(name.toLowerCase()) ?? null;
    }
    has(name: string): boolean {
        return this.#fields.has(name.toLowerCase());
    }
    set(name: string, value: unknown): void {
        if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) throw new TypeError(`"${name}" is no name of a header`);
        const text = String(value).trim();
        if (/[\0\r\n]/.test(text)) throw new TypeError(`the value of the header ${name} holds a line break`);
        this.#fields.set(name.toLowerCase(), text);
    }
    forEach(callback: (value: string, name: string, headers: Headers) => void): void {
        for (const [name, value] of this) callback(value, name, this);
    }
    entries(): IterableIterator<[string, string]> {
        return [...this.#fields].sort(([a], [b]) => (a < b ? -1 : 1))[Symbol.iterator]();
    }
    *keys(): IterableIterator<string> {
        for (const [name] of this) yield name;
    }
    *values(): IterableIterator<string> {
        for (const [, value] of this) yield value;
    }
    [Symbol.iterator](): IterableIterator<[string, string]> {
        return this.entries();
    }
    toJSON(): Record<string, string> {
        return Object.fromEntries(this);
    }
}

type Content = string | Uint8Array | undefined;

/** A body and the type that goes with it. */
function contentOf(body: unknown): [Content, string | undefined] {
    if (body === undefined || body === null) return [undefined, undefined];
    if (body instanceof URLSearchParams) return [String(body), "application/x-www-form-urlencoded;charset=UTF-8"];
    const bytes = toBytes(body);
    return bytes ? [bytes.slice(), undefined] : [String(body), "text/plain;charset=UTF-8"];
}

class Body {
    #content: Content;
    #used = false;

    constructor(content: Content) {
        this.#content = content;
    }

    get bodyUsed(): boolean {
        return this.#used;
    }
    #take(): Content {
        if (this.#used) throw new TypeError("the body was read already");
        this.#used = this.#content !== undefined;
        return this.#content;
    }
    async text(): Promise<string> {
        const content = this.#take() ?? "";
        return typeof content === "string" ? content : host.utf8Decode(bufferOf(content));
    }
    async json(): Promise<unknown> {
        return JSON.parse(await this.text());
    }
    async bytes(): Promise<Uint8Array> {
        const content = this.#take() ?? "";
        return typeof content === "string" ? new Uint8Array(host.utf8Encode(content)) : content.slice();
    }
    async arrayBuffer(): Promise<ArrayBuffer> {
        return bufferOf(await this.bytes());
    }
    static contentOf(body: Body): Content {
        return body.#content;
    }
}

export interface RequestInit {
    method?: string;
    headers?: HeadersInit;
    body?: unknown;
    redirect?: "follow" | "manual" | "error";
    signal?: Signal | null;
    /** Beyond the standard: see http.request in the library's documentation. */
    sample?: unknown;
    timeout?: number;
}

export class Request extends Body {
    readonly url: string;
    readonly method: string;
    readonly headers: Headers;
    readonly redirect: string;
    readonly signal: Signal | null;

    constructor(input: string | URL | Request, init: RequestInit = {}) {
        const from = input instanceof Request ? input : undefined;
        const [content, type] = init.body === undefined && from ? [Body.contentOf(from), undefined] : contentOf(init.body);
        super(content);
        this.url = from ? from.url : new URL(String(input)).href;
        this.method = (init.method ?? from?.method ?? "GET").toUpperCase();
        this.headers = new Headers(init.headers ?? from?.headers);
        this.redirect = init.redirect ?? from?.redirect ?? "follow";
        this.signal = init.signal ?? from?.signal ?? null;
        if (type && !this.headers.has("content-type")) this.headers.set("content-type", type);
        if (content !== undefined && (this.method === "GET" || this.method === "HEAD")) throw new TypeError(`a ${this.method} request has no body`);
    }

    clone(): Request {
        return new Request(this);
    }
}

interface ResponseInit {
    status?: number;
    statusText?: string;
    headers?: HeadersInit;
}

/** What the operation adds to a response. */
interface Facts {
    url: string;
    redirected: boolean;
}

export class Response extends Body {
    readonly status: number;
    readonly statusText: string;
    readonly headers: Headers;
    readonly url: string;
    readonly redirected: boolean;
    readonly body = null;

    constructor(body?: unknown, init: ResponseInit = {}, facts: Facts = { url: "", redirected: false }) {
        const [content, type] = contentOf(body);
        super(content);
        this.status = init.status ?? 200;
        this.statusText = init.statusText ?? "";
        this.headers = new Headers(init.headers);
        this.url = facts.url;
        this.redirected = facts.redirected;
        if (type && !init.headers) this.headers.set("content-type", type);
    }

    get ok(): boolean {
        return this.status >= 200 && this.status < 300;
    }
    clone(): Response {
        return new Response(Body.contentOf(this), this, this);
    }
    static json(value: unknown, init: ResponseInit = {}): Response {
        const headers = new Headers(init.headers);
        if (!headers.has("content-type")) headers.set("content-type", "application/json");
        return new Response(JSON.stringify(value), { ...init, headers });
    }
}

interface HttpAnswer {
    status: number;
    headers: Record<string, string>;
    body?: string | Uint8Array;
    url?: string;
    redirects?: unknown[];
}

export function fetchOf(ask: Ask) {
    return async function fetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
        const request = new Request(input, init);
        request.signal?.throwIfAborted();
        const args: Names = {
            method: request.method,
            url: request.url,
            headers: request.headers.toJSON(),
            body: Body.contentOf(request),
            follow_redirects: request.redirect === "follow",
            sample: init.sample,
            timeout_ms: init.timeout,
        };
        const answer = (await orAborted(ask("http.request", args), request.signal)) as HttpAnswer;
        if (request.redirect === "error" && answer.status >= 300 && answer.status < 400) throw new TypeError(`${request.url} redirects`);
        const redirected = (answer.redirects?.length ?? 0) > 0;
        return new Response(answer.body, answer, { url: answer.url ?? request.url, redirected });
    };
}

function orAborted<T>(work: Promise<T>, signal: Signal | null): Promise<T> {
    if (!signal) return work;
    return new Promise((done, failed) => {
        signal.addEventListener("abort", () => failed(signal.reason ?? new DOMException("The operation was aborted.", "AbortError")));
        work.then(done, failed);
    });
}
