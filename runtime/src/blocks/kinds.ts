// What a block does when it runs, by its type. Each calls the activation's succeed or fail, once, now or later.

import type { Activation } from "../activation.ts";
import { call } from "./call.ts";
import { condition } from "./condition.ts";
import { end } from "./end.ts";
import { fail } from "./fail.ts";
import { http } from "./http.ts";
import { loop } from "./loop.ts";
import { mail } from "./mail.ts";
import { respond } from "./respond.ts";
import { script } from "./script.ts";
import { switch_ } from "./switch.ts";
import { wait } from "./wait.ts";

export type BlockKind = (activation: Activation) => void;

const kinds: Record<string, BlockKind> = { call, condition, end, fail, http, loop, mail, respond, script, switch: switch_, wait };
/** They take part in the graph alone. */
const passive = new Set(["start", "turn", "join"]);

export function kindOf(type: string): BlockKind {
    if (Object.hasOwn(kinds, type)) return kinds[type];
    if (passive.has(type)) return () => {};
    throw new Error(`there is no type of block "${type}"`);
}
