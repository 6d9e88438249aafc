import type { Activation } from "../activation.ts";

/** The longest that the operation takes. */
const MAX_MS = 366 * 24 * 3600 * 1000;

/** Parked: it counts as no run time (semantics.md, rule 18). */
export function wait(a: Activation): void {
    const ms = duration(a);
    if (typeof ms === "string") a.fail({ code: "mapping", message: ms });
    else a.ask("wait", { ms, park: true }, () => a.succeed("out", {}), (fault) => a.fail(fault));
}

/** From the activation's own clock, which a replay sees again; a text says what is wrong. */
function duration(a: Activation): number | string {
    const { ms, until } = a.input;
    if (until !== undefined && until !== null) {
        const at = typeof until === "string" ? Date.parse(until) : NaN;
        if (Number.isNaN(at)) return 'input "until": a time such as "2027-01-31T18:00:00Z" is needed';
        return at - a.clock > MAX_MS ? 'input "until": is more than 366 days away' : Math.max(0, at - a.clock);
    }
    if (typeof ms !== "number" || !(ms >= 0)) return 'input "ms": a number of milliseconds from 0 is needed';
    return ms > MAX_MS ? 'input "ms": is more than 366 days' : ms;
}
