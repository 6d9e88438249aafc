import type { Activation } from "../activation.ts";
import { host } from "../host.ts";
import { json, type Names } from "../values.ts";

/**
 * What the key of a block's single operation is made of (rule 24): the same over attempts, of its own and of the
 * calls around it, as long as it is the same request.
 */
export function keyOf(a: Activation, args: Names): string {
    const path = `${a.scope.prefix}${a.block.id}`.replace(/~\d+/g, "");
    return `${path}#1 ${host.base64Encode(host.digest("SHA-256", host.utf8Encode(json(args))))}`;
}
