// The parts of the library that are operations and little else (docs/internals.md, section 5).

import type { Names } from "../values.ts";
import type { Ask } from "./bound.ts";

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

export function httpOf(ask: Ask) {
    return { request: (request: Names) => ask("http.request", request) };
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
