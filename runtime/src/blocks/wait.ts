import type { Activation } from "../activation.ts";
import type { Fault } from "../fault.ts";
import type { Names } from "../values.ts";

/** The longest that the operation takes. */
const MAX_MS = 366 * 24 * 3600 * 1000;
/** For a link, where the block says nothing else. */
const LINK_MS = 30 * 24 * 3600 * 1000;

/** Parked: it counts as no run time (semantics.md, rule 18). */
export function wait(a: Activation): void {
    const link = a.block.config.link as Names | undefined;
    const ms = duration(a, link ? LINK_MS : undefined);
    const failed = (fault: Fault): void => a.fail(fault);
    if (typeof ms === "string") a.fail({ code: "mapping", message: ms });
    else if (!link) a.ask("wait", { ms, park: true }, () => a.succeed("out", {}), failed);
    else a.ask("wait", { ms, park: true, link: { title: a.input.title, text: a.input.text, ...link } }, (value) => linked(a, value), failed);
}

/** null: its time is over. */
function linked(a: Activation, value: unknown): void {
    if (value !== null) a.succeed("out", { answer: (value as Names).answer });
    else a.succeed("timeout", {});
}

/** From the activation's own clock, which a replay sees again; a text says what is wrong. */
function duration(a: Activation, otherwise: number | undefined): number | string {
    const { ms = otherwise, until } = a.input;
    if (until !== undefined && until !== null) {
        const at = typeof until === "string" ? Date.parse(until) : NaN;
        if (Number.isNaN(at)) return 'input "until": a time such as "2027-01-31T18:00:00Z" is needed';
        return at - a.clock > MAX_MS ? 'input "until": is more than 366 days away' : Math.max(0, at - a.clock);
    }
    if (typeof ms !== "number" || !(ms >= 0)) return 'input "ms": a number of milliseconds from 0 is needed';
    return ms > MAX_MS ? 'input "ms": is more than 366 days' : ms;
}
