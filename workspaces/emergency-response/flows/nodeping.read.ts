/** A query, a form, JSON, or something else: NodePing sends what its user's template says, every value as text. */
export async function read({ query, text }: { query?: Record<string, string>; text?: string }): Promise<{
    known: boolean; event: string; check: string; label: string; target: string; message: string;
}> {
    const fields = query ?? fieldsOf(text ?? "");
    const given = pick(fields, "secret");
    const known = given !== "" && (await secrets.check("nodeping_secret", given));
    const event = pick(fields, "event").toLowerCase();
    return {
        known,
        event: event === "up" || event === "1" ? "up" : "down",
        check: pick(fields, "id", "_id", "uuid") || pick(fields, "label") || "monitor",
        label: pick(fields, "label") || pick(fields, "target", "tg") || "A monitor",
        target: pick(fields, "target", "tg"),
        message: pick(fields, "message", "m"),
    };
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
