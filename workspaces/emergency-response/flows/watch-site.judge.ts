interface Watched { bad: number; good: number; alarmed: boolean }

/** Flap damping: two bad scans in a row are down, two good ones in a row are up again. */
export async function judge({ severity, siteName }: { severity: string; siteName: string }): Promise<{
    tell: boolean; event: "down" | "up"; down: boolean; name: string;
}> {
    const bad = severity === "down";
    try {
        const before = ((await state.get("watch"))?.value as Watched | undefined) ?? { bad: 0, good: 0, alarmed: false };
        const now = { bad: bad ? before.bad + 1 : 0, good: bad ? 0 : before.good + 1, alarmed: before.alarmed };
        const goesDown = !before.alarmed && now.bad >= 2;
        const comesUp = before.alarmed && now.good >= 2;
        now.alarmed = goesDown || (before.alarmed && !comesUp);
        await state.put("watch", now);
        return { tell: goesDown || comesUp, event: comesUp ? "up" : "down", down: bad && now.alarmed, name: siteName };
    } catch (error) {
        log.warn(`Without a memory of the last scan a bad one counts at once: ${(error as Error).message}`);
        return { tell: bad, event: "down", down: bad, name: siteName };
    }
}
