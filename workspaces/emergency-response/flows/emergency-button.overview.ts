interface Channel { name: string; state: "sent" | "trying" | "failed"; detail: string }
interface Row { what: string; state: "good" | "bad" | "unknown"; detail: string }

const WORDS = { sent: "✓ Done", trying: "… Trying", failed: "! Failed", good: "✓ Good", bad: "! Problem", unknown: "? Unknown" };
const CLASSES = { sent: "good", trying: "trying", failed: "bad", good: "good", bad: "bad", unknown: "unknown" };

/** What has been done, what we see, and how long it may take. */
export function overview({ channels, rows, severity, estimate, contact }: {
    channels?: Channel[]; rows?: Row[]; severity?: string; estimate?: string; contact: string;
}): { title: string; content: string } {
    const reached = channels?.some((c) => c.state === "sent");
    const told = contact.includes("@") ? `<p>We write to <b>${html.escape(contact)}</b> as soon as somebody has taken over, and when it is over.</p>` : "";
    return {
        title: reached ? "Help is on the way" : "We are still trying to reach somebody",
        content: `<p class="lead">${reached ? "Your alarm has been raised. You can close this page." : "Your alarm is safe with us and is still being delivered. If you can, call us as well."}</p>
${told}<h2>Who has been alarmed</h2>
<ul>${(channels ?? [{ name: "The alarm", state: "trying", detail: "is still being delivered" }] as Channel[]).map((c) => item(c.state, c.name, c.detail)).join("")}</ul>
<h2>Expected duration</h2>
<p>${html.escape(estimate ?? "not known yet")}. This is an automated estimate.</p>
<h2>What we see right now</h2>
<ul>${rows?.length ? rows.map((r) => item(r.state, r.what, r.detail)).join("") : item("unknown", "Quick scan", severity === undefined ? "took too long" : "nothing to scan is configured")}</ul>`,
    };
}

function item(state: keyof typeof WORDS, what: string, detail: string): string {
    return `<li><span class="state ${CLASSES[state]}">${WORDS[state]}</span><div><b>${html.escape(what)}</b><span>${html.escape(detail)}</span></div></li>`;
}
