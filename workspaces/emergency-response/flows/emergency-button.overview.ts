interface Channel { name: string; state: "sent" | "trying" | "failed"; detail: string }
interface Row { what: string; state: "good" | "bad" | "unknown"; detail: string }

const STATES = {
    sent: { sign: "✓", word: "Done" },
    trying: { sign: "…", word: "Trying" },
    failed: { sign: "!", word: "Failed" },
    good: { sign: "✓", word: "Good" },
    bad: { sign: "!", word: "Problem" },
    unknown: { sign: "?", word: "Unknown" },
};

/** What has been done, what we see, and how long it may take. */
export function overview({ channels, alarmRun, rows, severity, estimate, contact, raisedAt }: {
    channels?: Channel[]; alarmRun?: string; rows?: Row[]; severity?: string; estimate?: string; contact: string; raisedAt: string;
}): { title: string; content: string; tone: "good" | "trying" | "error" } {
    const told = channels ?? [wholeAlarm(alarmRun)];
    const tone = told.some((c) => c.state === "sent") ? "good" : told.some((c) => c.state === "trying") ? "trying" : "error";
    const incomplete = tone === "good" && told.some((c) => c.state !== "sent");
    const [title, lead] = {
        good: ["Help is on the way", `Your alarm has been raised. ${incomplete ? "What has not worked yet is still being tried. " : ""}You can close this page.`],
        trying: ["We are still trying to reach somebody", "Your alarm is stored and still being delivered, for up to an hour. If you can, call us as well."],
        error: ["We could not raise the alarm", "Please call us, or press the button again."],
    }[tone];
    const mail = contact.includes("@") ? `<p>We write to <b>${html.escape(contact)}</b> as soon as somebody has taken over, and when it is over.</p>` : "";
    return {
        title,
        tone,
        content: `<p class="lead">${lead}</p>
${mail}<section><h2>Who has been alarmed</h2>
<ul>${told.map((c) => item(c.state, c.name, c.detail)).join("")}</ul></section>
<section><h2>Expected duration</h2>
<p class="estimate">${html.escape(capital(estimate ?? "not known yet"))}.</p>
<p class="small">An automated estimate. Whoever takes over knows more.</p></section>
<section><h2>What we see right now</h2>
<ul>${rows?.length ? rows.map((r) => item(r.state, r.what, r.detail)).join("") : item("unknown", "Quick scan", severity === undefined ? "took too long" : "nothing to scan is configured")}</ul></section>
<p class="small">Alarm raised on ${spoken(raisedAt)}.</p>`,
    };
}

/** Raising it took too long or failed as a whole: a run of its own does it again. */
function wholeAlarm(run?: string): Channel {
    return run
        ? { name: "The alarm", state: "trying", detail: "is still being delivered" }
        : { name: "The alarm", state: "failed", detail: "could not be delivered" };
}

function item(state: keyof typeof STATES, what: string, detail: string): string {
    const { sign, word } = STATES[state];
    return `<li class="${state}"><span class="sign" aria-hidden="true">${sign}</span><div><b>${html.escape(what)}</b><span class="detail">${html.escape(detail)}</span></div><span class="word">${word}</span></li>`;
}

function capital(text: string): string {
    return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "23 November 2026 at 18:42 UTC" */
function spoken(iso: string): string {
    const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
    return `${Number(iso.slice(8, 10))} ${months[Number(iso.slice(5, 7)) - 1]} ${iso.slice(0, 4)} at ${iso.slice(11, 16)} UTC`;
}
