import type { Activation } from "../activation.ts";
import { inside } from "../blocks/call.ts";
import { OperationError, refuse } from "../fault.ts";
import { host } from "../host.ts";
import type { ScopeRun } from "../scope.ts";
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
        link: (block: string) => linkOf(a, block),
        start: (name: string, input: Names = {}) => ask("flows.start", { flow: name, input }),
    };
}

/** To a Wait of this scope, or of one around it in the same flow; it need not have begun (src/run/links.h has the format). */
function linkOf(a: Activation, block: string): string {
    const { links } = a.run.head;
    if (!links) throw refuse("invalid", "flows.link: only a run that is stored has links: make the flow durable");
    const path = `${prefixOf(a.scope, block)}${block}`;
    const hex = (bytes: ArrayBuffer): string => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const key = Uint8Array.from({ length: 32 }, (_, i) => parseInt(links.key.slice(2 * i, 2 * i + 2), 16));
    const mac = hex(host.hmac("SHA-256", key.buffer, host.utf8Encode(path)));
    return `${links.at}${encodeURIComponent(path)}/${mac.slice(0, 32)}`;
}

function prefixOf(scope: ScopeRun, block: string): string {
    for (let at: ScopeRun | undefined = scope; at; at = at.owner?.block.type === "loop" ? at.owner.scope : undefined)
        if (at.plan.blocks.some(({ id, config }) => id === block && config?.link)) return at.prefix;
    throw refuse("not_found", `flows.link: "${block}" is no Wait with a link of this flow, here or around this loop`);
}
