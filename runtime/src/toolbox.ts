import type { Host, Runtime } from "./host.ts";

/** The toolbox's entry: called once in a process that serves one job. */
export function boot(host: Host): Runtime {
    return { frame: (kind) => host.log("error", `frame ${kind} is not expected here`) };
}
