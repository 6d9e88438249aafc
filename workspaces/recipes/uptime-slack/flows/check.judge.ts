interface Check { url: string; problem: string }
interface Page { failures: number; told: boolean; since: number }
interface News { url: string; down: boolean; text: string }

/** Counts failures in a row; news is what Slack does not know yet. */
export async function judge({ checks }: { checks: Check[] }): Promise<{ news: News[] }> {
    const news: News[] = [];
    for (const { url, problem } of checks) {
        const before = ((await state.get(url))?.value ?? { failures: 0, told: false, since: 0 }) as Page;
        const now = problem ? { ...before, failures: before.failures + 1, since: before.since || Date.now() } : { ...before, failures: 0 };
        await state.put(url, now);
        if (now.failures >= 2 && !now.told) news.push({ url, down: true, text: `:red_circle: ${url} is down: ${problem}` });
        if (!problem && now.told) news.push({ url, down: false, text: `:large_green_circle: ${url} is back after ${minutes(now.since)}` });
    }
    return { news };
}

function minutes(since: number): string {
    const n = Math.max(1, Math.round((Date.now() - since) / 60_000));
    return n === 1 ? "1 minute" : `${n} minutes`;
}
