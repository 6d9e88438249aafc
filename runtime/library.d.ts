/**
 * What scripts and expressions find without importing anything.
 *
 * Whatever reaches outside is an operation of the server: time-limited, recorded, captured in practice mode, and in a
 * durable run done once. One that fails throws an {@link OperationError}. All times are in milliseconds.
 */

/** How every operation fails. A script that lets it go leaves by its `error` pin, with the same code and message. */
declare class OperationError extends Error {
    /** One of your own: `code` and `message` are what the `error` pin shows. */
    constructor(fault: { code: string; message: string; retry?: boolean; status?: number; cause?: unknown });
    /** "timeout", "dns_failed", "mail_refused", ...: a row of src/base/errors.def. */
    readonly code: string;
    /** Of the answer, where there was one. */
    readonly status?: number;
    /** Whether trying again can help. */
    readonly retry: boolean;
}

// ---- mail ----

interface MailMessage {
    /**
     * `smtps://USER:PASSWORD@HOST` (TLS from the start) or `smtp://...` (STARTTLS is required). The user name is URL-encoded:
     * `smtps://postmaster%40mg.example.com:PASSWORD@smtp.mailgun.org`.
     */
    server: string;
    from: string;
    /** "a@example.com, Bo <b@example.com>", or a list of one address each. */
    to: string | string[];
    cc?: string | string[];
    bcc?: string | string[];
    replyTo?: string;
    subject: string;
    text?: string;
    html?: string;
    /** Text is sent as UTF-8. */
    attachments?: { name: string; type?: string; content: string | Uint8Array }[];
    headers?: Record<string, string>;
    /** Give one where a mail that is sent again, by another run, must be recognised as the same. */
    messageId?: string;
    /** "no" leaves out `Auto-Submitted: auto-generated`. */
    autoSubmitted?: string;
    timeout?: number;
}

interface MailSent {
    accepted: string[];
    rejected: { address: string; code: number; reply: string }[];
    message_id: string;
    /** The server's last words. */
    reply: string;
    ms: number;
}

declare const mail: {
    /** Works when at least one recipient was accepted. */
    send(message: MailMessage): Promise<MailSent>;
    send(server: string, from: string, to: string | string[], subject: string, body: string, isHtml?: boolean): Promise<MailSent>;
};

// ---- DNS ----

interface DnsRecords {
    A: { address: string };
    AAAA: { address: string };
    CNAME: { target: string };
    NS: { target: string };
    PTR: { target: string };
    MX: { preference: number; exchange: string };
    SOA: { primary: string; mailbox: string; serial: number; refresh: number; retry: number; expire: number; minimum: number };
    TXT: { text: string };
    SRV: { priority: number; weight: number; port: number; target: string };
    CAA: { flags: number; tag: string; value: string };
}

interface DnsOptions {
    /** "192.0.2.1", "[2001:db8::1]:5353" or a name; else the machine's own resolvers. */
    server?: string;
    /** A try. */
    timeout?: number;
    tries?: number;
}

interface DnsAnswer<Type extends keyof DnsRecords> {
    records: ({ name: string; type: string; ttl: number } & DnsRecords[Type])[];
    server: string;
    authoritative: boolean;
    /** "NOERROR", "NXDOMAIN", "SERVFAIL", ...: every answer is a value; an error means that nobody answered. */
    rcode: string;
    ms: number;
}

declare const dns: {
    resolve<Type extends keyof DnsRecords = "A">(name: string, type?: Type, options?: DnsOptions): Promise<DnsAnswer<Type>>;
    /** Addresses as the machine sees them. */
    lookup(name: string, options?: { timeout?: number }): Promise<{ addresses: { address: string; family: 4 | 6 }[]; ms: number }>;
    reverse(ip: string, options?: DnsOptions): Promise<{ names: string[]; ms: number }>;
};

// ---- HTTP ----

interface HttpRequest {
    /** GET when left out. */
    method?: string;
    url: string;
    headers?: Record<string, string | number>;
    query?: Record<string, unknown>;
    /** Text is sent as it is, bytes too, anything else as JSON. */
    body?: unknown;
    bodyType?: "json" | "form" | "text";
    timeout?: number;
    /** true when left out. */
    followRedirects?: boolean;
    /** The name of a secret that goes into the Authorization header. */
    auth?: string;
    /** Sends the operation's key as `Idempotency-Key`: the same for each try. */
    idempotencyKey?: boolean;
    /** What becomes of a request whose outcome is not known; "repeat" when left out. */
    unknown?: "repeat" | "fail";
    /** A GET that changes something. */
    changes?: boolean;
    /** What it is in practice mode's outbox, with `to`. */
    countsAs?: "page" | "sms" | "chat" | "other";
    to?: string;
    /** The answer in practice mode. */
    sample?: { status?: number; headers?: Record<string, string>; body?: unknown };
}

interface HttpAnswer {
    /** 4xx and 5xx are answers too, no errors. */
    status: number;
    /** Names in lower case. */
    headers: Record<string, string>;
    body: string | Uint8Array;
    /** Behind all redirects. */
    url: string;
    redirects: string[];
    address: string;
    timing: { dns: number; connect: number; tls: number; first_byte: number; total: number };
    certificate: Certificate | null;
}

interface Certificate {
    names: string[];
    issuer: string;
    not_before: string;
    not_after: string;
    days_left: number;
}

declare const http: {
    request(request: HttpRequest): Promise<HttpAnswer>;
};

/** The Fetch standard's; bodies are whole, there are no streams. `timeout` and `sample` as in http.request. */
declare function fetch(input: string | URL | Request, init?: RequestInit & { timeout?: number; sample?: HttpRequest["sample"] }): Promise<Response>;

interface RequestInit {
    method?: string;
    headers?: HeadersInit;
    body?: string | Uint8Array | ArrayBuffer | URLSearchParams | null;
    redirect?: "follow" | "manual" | "error";
    signal?: AbortSignal | null;
}

type HeadersInit = Headers | Record<string, string> | Iterable<[string, string]>;

declare class Headers {
    constructor(init?: HeadersInit);
    append(name: string, value: unknown): void;
    delete(name: string): void;
    get(name: string): string | null;
    has(name: string): boolean;
    set(name: string, value: unknown): void;
    forEach(callback: (value: string, name: string, headers: Headers) => void): void;
    entries(): IterableIterator<[string, string]>;
    keys(): IterableIterator<string>;
    values(): IterableIterator<string>;
    [Symbol.iterator](): IterableIterator<[string, string]>;
}

declare class Body {
    readonly bodyUsed: boolean;
    text(): Promise<string>;
    json(): Promise<any>;
    bytes(): Promise<Uint8Array>;
    arrayBuffer(): Promise<ArrayBuffer>;
}

declare class Request extends Body {
    constructor(input: string | URL | Request, init?: RequestInit);
    readonly url: string;
    readonly method: string;
    readonly headers: Headers;
    readonly signal: AbortSignal | null;
    clone(): Request;
}

declare class Response extends Body {
    constructor(body?: RequestInit["body"], init?: { status?: number; statusText?: string; headers?: HeadersInit });
    readonly ok: boolean;
    readonly status: number;
    readonly statusText: string;
    readonly headers: Headers;
    readonly url: string;
    readonly redirected: boolean;
    clone(): Response;
    static json(value: unknown, init?: { status?: number; headers?: HeadersInit }): Response;
}

// ---- TCP and TLS ----

declare const tcp: {
    /** Connects and hangs up. */
    check(host: string, port: number, options?: { timeout?: number }): Promise<{ open: boolean; address: string; ms: number; code?: string; reason?: string }>;
};

declare const tls: {
    /** Also of a certificate that is not trusted: then `reason` says why. */
    certificate(host: string, port?: number, options?: { timeout?: number }): Promise<Certificate & { trusted: boolean; reason?: string; protocol: string }>;
};

// ---- what the server keeps ----

declare const secrets: {
    /** The name is a literal, so that it is known which flow reads what. A mapping's `{"secret": NAME}` shows it to no script. */
    getPassword(name: string): Promise<string>;
    getBasic(name: string): Promise<{ username: string; password: string }>;
    /** Compared in the server, in constant time. */
    check(name: string, given: string | undefined): Promise<boolean>;
};

/** Small JSON values of the workspace: 64 KB each, 100 MB together; practice and live have each their own. */
declare const state: {
    get(key: string): Promise<{ value: any; version: number } | null>;
    /** Fails with the code "conflict" where the value has another version than `ifVersion` (0: there must be none). */
    put(key: string, value: unknown, options?: { ttl?: number; ifVersion?: number }): Promise<{ version: number }>;
    /** Whether there was one. */
    delete(key: string): Promise<boolean>;
    list(prefix?: string, options?: { limit?: number }): Promise<{ key: string; value: any; version: number }[]>;
};

declare const password: {
    hash(password: string): Promise<string>;
    verify(password: string, hash: string): Promise<boolean>;
};

declare const flows: {
    /** Runs a reusable flow as a part of this run; gives its outputs. Throws what leaves by its `error` pin. */
    call(name: string, input?: Record<string, unknown>): Promise<any>;
    /** Starts it as a run of its own, which goes on whatever becomes of this one. */
    start(name: string, input?: Record<string, unknown>): Promise<{ run: string }>;
    /** The link that ends the Wait `block` of this run: send it to whoever may do so, before the Wait or beside it. */
    link(block: string): string;
};

// ---- time ----

declare function sleep(ms: number): Promise<void>;
declare function setTimeout(callback: (...args: any[]) => void, ms?: number, ...args: unknown[]): number;
declare function setInterval(callback: (...args: any[]) => void, ms?: number, ...args: unknown[]): number;
declare function clearTimeout(id: number | undefined): void;
declare function clearInterval(id: number | undefined): void;

declare class AbortController {
    readonly signal: AbortSignal;
    abort(reason?: unknown): void;
}

interface AbortSignal {
    readonly aborted: boolean;
    readonly reason: any;
    onabort: ((event: { type: "abort"; target: AbortSignal }) => void) | null;
    addEventListener(type: "abort", listener: (event: { type: "abort"; target: AbortSignal }) => void): void;
    removeEventListener(type: "abort", listener: (event: { type: "abort"; target: AbortSignal }) => void): void;
    throwIfAborted(): void;
}
declare const AbortSignal: {
    abort(reason?: unknown): AbortSignal;
    any(signals: Iterable<AbortSignal>): AbortSignal;
    timeout(ms: number): AbortSignal;
};

declare class DOMException extends Error {
    constructor(message?: string, name?: string);
}

// ---- text and bytes ----

/** What `html` made: a text when it is handed over or put into another text. */
interface Html {
    toString(): string;
    toJSON(): string;
}

declare const html: {
    /** html`<p>${text}</p>`: what is put in is escaped unless it is html itself; lists are joined, null and false left out. */
    (parts: TemplateStringsArray, ...values: unknown[]): Html;
    escape(value: unknown): string;
};

declare class URL {
    constructor(url: string | URL, base?: string | URL);
    href: string;
    readonly origin: string;
    protocol: string;
    username: string;
    password: string;
    host: string;
    hostname: string;
    port: string;
    pathname: string;
    search: string;
    readonly searchParams: URLSearchParams;
    hash: string;
    toString(): string;
    toJSON(): string;
    static canParse(url: string, base?: string): boolean;
    static parse(url: string, base?: string): URL | null;
}

declare class URLSearchParams {
    constructor(init?: string | Record<string, string> | Iterable<[string, string]> | URLSearchParams);
    readonly size: number;
    append(name: string, value: string): void;
    delete(name: string, value?: string): void;
    get(name: string): string | null;
    getAll(name: string): string[];
    has(name: string, value?: string): boolean;
    set(name: string, value: string): void;
    sort(): void;
    forEach(callback: (value: string, name: string) => void): void;
    entries(): IterableIterator<[string, string]>;
    keys(): IterableIterator<string>;
    values(): IterableIterator<string>;
    [Symbol.iterator](): IterableIterator<[string, string]>;
    toString(): string;
}

declare class TextEncoder {
    readonly encoding: string;
    encode(text?: string): Uint8Array;
}
declare class TextDecoder {
    /** utf-8 only. */
    constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
    readonly encoding: string;
    decode(bytes?: ArrayBuffer | ArrayBufferView): string;
}

declare function atob(base64: string): string;
declare function btoa(binary: string): string;
declare function structuredClone<T>(value: T): T;
declare function queueMicrotask(callback: () => void): void;

// ---- crypto ----

interface CryptoKey {
    readonly type: "secret";
    readonly algorithm: { name: "HMAC"; hash: { name: string } };
}
type Digest = "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512";
type Bytes = ArrayBuffer | ArrayBufferView;

/** Random values come from the run: a run that is resumed gets the same ones. */
declare const crypto: {
    randomUUID(): string;
    getRandomValues<T extends ArrayBufferView>(view: T): T;
    subtle: {
        digest(algorithm: Digest | { name: Digest }, data: Bytes): Promise<ArrayBuffer>;
        importKey(format: "raw", key: Bytes, algorithm: { name: "HMAC"; hash: Digest | { name: Digest } }, extractable: boolean, usages: ("sign" | "verify")[]): Promise<CryptoKey>;
        sign(algorithm: "HMAC" | { name: "HMAC" }, key: CryptoKey, data: Bytes): Promise<ArrayBuffer>;
        verify(algorithm: "HMAC" | { name: "HMAC" }, key: CryptoKey, signature: Bytes, data: Bytes): Promise<boolean>;
    };
};

// ---- lines of the run's record ----

declare const log: Record<"info" | "warn" | "error", (...values: unknown[]) => void>;
declare const console: Record<"log" | "info" | "debug" | "warn" | "error", (...values: unknown[]) => void>;
