import type { Host, Runtime } from "./host.ts";

/** The bundle's entry: called once in a fresh realm. */
export function boot(host: Host): Runtime {
    return { frame: (kind) => host.log("error", `frame ${kind} is not expected here`) };
}
