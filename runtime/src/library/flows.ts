import type { Activation } from "../activation.ts";
import { inside } from "../blocks/call.ts";
import { OperationError } from "../fault.ts";
import { checked, type Names } from "../values.ts";
import type { Ask } from "./bound.ts";

export function flowsOf(a: Activation, ask: Ask) {
    return {
        /** A scope inside this activation. It has a number among its operations, and so a path: `script#2>block`. */
        call(name: string, input: Names = {}): Promise<Names> {
            const here = new Error();
            return new Promise((done, failed) => {
                const own = checked(input) as Names;
                const prefix = `${a.path}#${++a.asked}>`;
                a.run.enter(() => inside(a, name, own, prefix, done, (fault) => failed(new OperationError(fault, here)), true));
            });
        },
        start: (name: string, input: Names = {}) => ask("flows.start", { flow: name, input }),
    };
}
