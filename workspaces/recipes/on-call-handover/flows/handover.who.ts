interface Week { week: string; name: string; email: string }
interface Issue { title: string; url: string }

const DAY = 86_400_000;

/** This week's person and last week's, and what the one leaves to the other. */
export function who({ roster, issues }: { roster: Week[]; issues: Issue[] | null }): { name: string; to: string[]; text: string } {
    const now = roster.find(({ week }) => week === weekOf(Date.now()));
    const before = roster.find(({ week }) => week === weekOf(Date.now() - 7 * DAY));
    if (!now) throw new Error(`nobody is on the roster for ${weekOf(Date.now())}`);
    const open = issues === null ? "The tracker did not answer: look there yourself." : issues.map(({ title, url }) => `- ${title}\n  ${url}`).join("\n") || "Nothing is open.";
    return {
        name: now.name,
        to: [now.email, ...(before && before.email !== now.email ? [before.email] : [])],
        text: `${before?.name ?? "Nobody"} hands over to ${now.name}.\n\nOpen:\n${open}\n`,
    };
}

/** ISO 8601: week 1 is the one with the year's first Thursday. */
function weekOf(ms: number): string {
    const day = new Date(ms);
    const thursday = new Date(ms + (4 - (day.getUTCDay() || 7)) * DAY);
    const first = Date.UTC(thursday.getUTCFullYear(), 0, 1);
    const n = Math.floor((thursday.getTime() - first) / (7 * DAY)) + 1;
    return `${thursday.getUTCFullYear()}-W${String(n).padStart(2, "0")}`;
}
