interface Change { key: string; before: string[]; now: string[] }

/** What differs from what was last told. What is asked for the first time is remembered, not told. */
export async function ask({ records, server }: { records: { name: string; type: string }[]; server?: string }): Promise<{ changes: Change[] }> {
    const changes: Change[] = [];
    for (const { name, type } of records) {
        const key = `${name} ${type}`;
        const now = await valuesOf(name, type as keyof DnsRecords, server);
        if (!now) continue;
        const before = (await state.get(key))?.value as string[] | undefined;
        if (!before) await state.put(key, now);
        else if (before.join("\n") !== now.join("\n")) changes.push({ key, before, now });
    }
    return { changes };
}

/** The records as texts, in an order that does not depend on the answer's; null: nobody answered. */
async function valuesOf(name: string, type: keyof DnsRecords, server?: string): Promise<string[] | null> {
    try {
        const answer = await dns.resolve(name, type, server ? { server } : {});
        if (answer.rcode === "SERVFAIL" || answer.rcode === "REFUSED") return null;
        return answer.records.map(({ name, type, ttl, ...value }) => Object.values(value).join(" ")).sort();
    } catch (error) {
        log.warn(`${name} ${type}: ${(error as Error).message}`);
        return null;
    }
}
