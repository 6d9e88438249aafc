/** A query, a form, JSON, or something else: NodePing sends what its user's template says, every value as text. */
export async function read({ query, text, authorization }: { query?: Record<string, string>; text?: string; authorization?: string }): Promise<{
    known: boolean; repeated: boolean; key: string; event: "up" | "down"; check: string; label: string; target: string; message: string;
}> {
    const fields = query ?? fieldsOf(text ?? "");
    const given = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1] ?? pick(fields, "secret");
    const known = given !== "" && (await secrets.check("nodeping_secret", given));
    const event = pick(fields, "event").toLowerCase();
    const read = {
        event: (event === "up" || event === "1" ? "up" : "down") as "up" | "down",
        check: pick(fields, "id", "_id", "uuid") || pick(fields, "label") || "monitor",
        label: pick(fields, "label") || pick(fields, "target", "tg") || "A monitor",
        target: pick(fields, "target", "tg"),
        message: pick(fields, "message", "m"),
    };
    const began = pick(fields, "start", "s");
    const key = known && began ? `nodeping/${read.check}/${read.event}/${began}`.slice(0, 200) : "";
    return { known, repeated: key !== "" && (await wasSeen(key)), key, ...read };
}

/** What we remember never keeps an alarm back: where it cannot be read, the event is a new one. */
async function wasSeen(key: string): Promise<boolean> {
    try {
        return (await state.get(key)) !== null;
    } catch (error) {
        log.warn(`Whether this event was handled before cannot be read: ${(error as Error).message}`);
        return false;
    }
}

function fieldsOf(text: string): Record<string, string> {
    try {
        const parsed = JSON.parse(text);
        if (parsed && typeof parsed === "object") return parsed;
    } catch {
        // No JSON, or a quote in the message broke it: both forms hold names and values.
        if (text.trim().startsWith("{")) return Object.fromEntries([...text.matchAll(/"(\w+)"\s*:\s*"([^"]*)"/g)].map((m) => [m[1], m[2]]));
    }
    return Object.fromEntries(new URLSearchParams(text));
}

function pick(fields: Record<string, unknown>, ...names: string[]): string {
    for (const name of names) {
        const value = fields[name];
        if (typeof value === "string" || typeof value === "number") return String(value).replace(/\s+/g, " ").trim().slice(0, 500);
    }
    return "";
}
