import type { Activation } from "../activation.ts";
import { faultOf } from "../fault.ts";
import { timed } from "../timeout.ts";
import { checked, isPlain, type Names } from "../values.ts";

/** Its module level is evaluated for each activation: no two of them share anything (rule 23). */
export function script(a: Activation): void {
    timed(a, () => {
        let given;
        try {
            given = a.block.script!(a.$)(a.ownInput());
        } catch (error) {
            return a.fail(faultOf(error, "script"));
        }
        if (given instanceof Promise)
            given.then(
                (value) => a.run.enter(() => took(a, value)),
                (error) => a.run.enter(() => a.fail(faultOf(error, "script"))),
            );
        else took(a, given);
    });
}

function took(a: Activation, given: unknown): void {
    if (a.dead) return;
    let value;
    try {
        value = checked(given);
    } catch (error) {
        const fault = faultOf(error, "script");
        return a.fail({ ...fault, message: `what the script returned cannot be handed over: ${fault.message}` });
    }
    a.succeed("out", outputOf(a, value));
}

/** What is no object is handed on as `result`. */
function outputOf(a: Activation, value: unknown): Names {
    if (value === undefined || value === null) return {};
    const asResult = a.block.givesResult && !(isPlain(value) && Object.hasOwn(value, "result"));
    return asResult || !isPlain(value) ? { result: value } : value;
}
