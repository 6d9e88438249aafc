// The names of the library that belong to an activation, and so are taken from `$` (docs/internals.md, section 3).
// All others (URL, TextEncoder, html, ...) are globals of the realm.

export const BOUND_NAMES = [
    "mail",
    "dns",
    "http",
    "fetch",
    "tcp",
    "tls",
    "secrets",
    "state",
    "flows",
    "password",
    "log",
    "console",
    "sleep",
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "clearInterval",
    "AbortSignal",
    "crypto",
    "Math",
    "Date",
] as const;
