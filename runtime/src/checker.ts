// The type checker: whether the scripts and mappings of a workspace fit their inputs and the library (docs/internals.md,
// section 3). One job, one answer, in a process of its own: it is the TypeScript compiler, 4 MB of it, with what stands
// around a text written as TypeScript too.

import { Frame, type Host, type Runtime } from "./host.ts";
import { check, type Job } from "./checker/check.ts";

export function boot(host: Host): Runtime {
    return {
        frame(kind, run, ...sections) {
            if (kind !== Frame.JOB) throw new Error(`frame ${kind} is not expected here`);
            host.send(Frame.JOB_DONE, run, JSON.stringify({ findings: check(JSON.parse(sections[0] as string) as Job) }));
        },
    };
}
