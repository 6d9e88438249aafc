import type { Activation } from "../activation.ts";
import { answerOf } from "../answer.ts";
import { faultOf } from "../fault.ts";

/** The first answer counts; it leaves at once, the flow goes on (semantics.md, rule 17). */
export function respond(a: Activation): void {
    try {
        const answer = answerOf(a.input);
        if (!a.run.responded) a.run.respond(answer);
    } catch (error) {
        return a.fail(faultOf(error, "mapping"));
    }
    a.succeed("out", {});
}
