const FRESH = 10 * 60_000;

/** What was answered last for this city, at most a day old. */
export async function get({ city }: { city: string }): Promise<{ answer: unknown; fresh: boolean }> {
    const kept = (await state.get(`weather/${city.toLowerCase()}`))?.value as { answer: unknown; at: number } | undefined;
    return { answer: kept?.answer ?? null, fresh: kept !== undefined && Date.now() - kept.at < FRESH };
}
