// A clock that stands still between the results of an activation's operations (semantics.md, rule 23).

import type { Activation } from "../activation.ts";

const RealDate = Date;

/** When the entry under way began: what the realm's own Date shows. */
export const entry = { t: 0 };

/** Like Date, with a time of its own; its objects are dates like all others. */
export function dateAt(now: () => number): DateConstructor {
    function Clocked(this: unknown, ...given: unknown[]): Date | string {
        if (!new.target) return new RealDate(now()).toString();
        const args = given.length === 0 ? [now()] : given;
        return Reflect.construct(RealDate, args, new.target === Clocked ? RealDate : new.target) as Date;
    }
    Clocked.prototype = RealDate.prototype;
    Clocked.now = now;
    Clocked.parse = RealDate.parse;
    Clocked.UTC = RealDate.UTC;
    Object.defineProperty(Clocked, "name", { value: "Date" });
    Object.defineProperty(Clocked, "length", { value: 7 });
    return Clocked as unknown as DateConstructor;
}

export function dateOf(a: Activation): DateConstructor {
    return dateAt(() => a.clock);
}
