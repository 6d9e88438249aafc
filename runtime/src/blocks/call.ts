import type { Activation } from "../activation.ts";
import { OperationError, refuse, type Fault } from "../fault.ts";
import { flowCalled, type Flow } from "../plan.ts";
import { ScopeRun } from "../scope.ts";
import { timed } from "../timeout.ts";
import { copy, type Names } from "../values.ts";
import type { Violation } from "../validation.ts";
import { endFault } from "./end.ts";

export const DEPTH_MAX = 50;

/** A called flow is a scope inside this run; a started one a run of its own (semantics.md, rule 15). */
export function call(a: Activation): void {
    const flow = a.block.config.flow as string;
    if (a.block.config.mode === "start")
        a.ask(
            "flows.start",
            { flow, input: a.input },
            (value) => a.succeed("out", value as Names),
            (fault) => a.fail(fault),
        );
    else timed(a, () => {
        try {
            inside(a, flow, a.input, `${a.path}>`, (output) => a.succeed("out", output), (fault) => a.fail(fault));
        } catch (error) {
            a.fail(refusal(error));
        }
    });
}

function refusal(error: unknown): Fault {
    const fault = OperationError.faultOf(error);
    if (!fault) throw error;
    return fault;
}

/** Runs a flow as a part of `a`. What keeps it from starting is thrown; later exactly one of the two is called. */
export function inside(
    a: Activation,
    id: string,
    input: Names,
    prefix: string,
    done: (output: Names) => void,
    failed: (fault: Fault) => void,
    fromScript = false,
): void {
    const flow = flowCalled(a.scope.plan.flow, id);
    if (typeof flow === "string") throw refuse("not_found", flow);
    if (a.scope.depth >= DEPTH_MAX) throw refuse("too_deep", `calls are nested deeper than ${DEPTH_MAX}: "${id}" is not called any more`);
    const scope = new ScopeRun(a.run, flow.scope, prefix, inputsOf(flow, input), a, a.scope.depth + 1, (over) => {
        if (a.dead) return;
        if (over.t > a.clock) a.clock = over.t;
        const { ending, uncaught } = over;
        if (uncaught.length > 0) failed(uncaught[0].fault);
        else if (ending?.pin === "error") failed(endFault(ending));
        else done(ending?.output ?? {});
    });
    scope.fromScript ||= fromScript;
    scope.start(a.clock);
}

/** The Start's names, checked by the flow's schema. */
export function inputsOf(flow: Flow, given: Names): Names {
    const validate = flow.validators.inputs;
    if (!validate) return given;
    const input = copy(given) as Names; // defaults are filled in
    const wrong: Violation[] = [];
    validate(input, "", wrong);
    if (wrong.length === 0) return input;
    const what = wrong.map(({ pointer, message }) => `${pointer || "/"} ${message}`);
    throw refuse("invalid", `the input of flow "${flow.id}" does not fit: ${what.join("; ")}`);
}
