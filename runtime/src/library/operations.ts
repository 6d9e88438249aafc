// The parts of the library that are operations and little else (docs/internals.md, section 5).

import { refuse } from "../fault.ts";
import { requestOf } from "../request.ts";
import type { Names } from "../values.ts";
import type { Ask } from "./bound.ts";

/** Options by the names they have in scripts, under those that the operation takes; one that there is not is an error. */
export function optionsOf(call: string, given: Names, names: Record<string, string>): Names {
    const out: Names = {};
    for (const [name, value] of Object.entries(given ?? {})) {
        if (!Object.hasOwn(names, name)) throw refuse("invalid", `${call}: there is no option "${name}"; there are ${Object.keys(names).join(", ")}`);
        out[names[name]] = value;
    }
    return out;
}

interface Asking {
    server?: string;
    timeout?: number;
    tries?: number;
}

export function dnsOf(ask: Ask) {
    const how = ({ server, timeout, tries }: Asking): Names => ({ server, timeout_ms: timeout, tries });
    return {
        lookup: (name: string, options: { timeout?: number } = {}) => ask("dns.lookup", { name, timeout_ms: options.timeout }),
        resolve: (name: string, type = "A", options: Asking = {}) => ask("dns.resolve", { name, type, ...how(options) }),
        reverse: (ip: string, options: Asking = {}) => ask("dns.reverse", { ip, ...how(options) }),
    };
}

const HTTP_OPTIONS = {
    method: "method",
    url: "url",
    headers: "headers",
    query: "query",
    body: "body",
    bodyType: "body_type",
    timeout: "timeout_ms",
    followRedirects: "follow_redirects",
    auth: "auth",
    changes: "changes",
    countsAs: "counts_as",
    to: "to",
    sample: "sample",
    idempotencyKey: "idempotency_key",
    unknown: "unknown",
};

export function httpOf(ask: Ask) {
    return {
        async request(given: Names) {
            const { body_type, query: _, ...options } = optionsOf("http.request", given, HTTP_OPTIONS);
            return ask("http.request", { ...options, ...requestOf(given, body_type, "http.request: ") });
        },
    };
}

export function tcpOf(ask: Ask) {
    return { check: (host: string, port: number, options: { timeout?: number } = {}) => ask("tcp.check", { host, port, timeout_ms: options.timeout }) };
}

export function tlsOf(ask: Ask) {
    return { certificate: (host: string, port = 443, options: { timeout?: number } = {}) => ask("tls.certificate", { host, port, timeout_ms: options.timeout }) };
}

export function secretsOf(ask: Ask) {
    return {
        getPassword: (name: string) => ask("secrets.get", { name, as: "password" }),
        getBasic: (name: string) => ask("secrets.get", { name, as: "basic" }),
        check: (name: string, given: unknown) => ask("secrets.check", { name, given: typeof given === "string" ? given : "" }),
    };
}

export function stateOf(ask: Ask) {
    return {
        get: (key: string) => ask("state.get", { key }),
        put: (key: string, value: unknown, options: { ttl?: number; ifVersion?: number } = {}) =>
            ask("state.put", { key, value, ttl_ms: options.ttl, if_version: options.ifVersion }),
        delete: (key: string) => ask("state.delete", { key }),
        list: (prefix = "", options: { limit?: number } = {}) => ask("state.list", { prefix, limit: options.limit }),
    };
}

export function passwordOf(ask: Ask) {
    return {
        hash: (password: string) => ask("password.hash", { password }),
        verify: (password: string, hash: string) => ask("password.verify", { password, hash }),
    };
}
