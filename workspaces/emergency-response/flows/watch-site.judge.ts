/** Flap damping: two bad scans in a row are down, two good ones in a row are up again. */
export async function judge({ severity, text }: { severity: string; text: string }): Promise<{ tell: boolean; event: "down" | "up" }> {
    const bad = severity === "down";
    let before = { bad: 0, good: 0, alarmed: false };
    try {
        before = ((await state.get("watch"))?.value as typeof before) ?? before;
    } catch (error) {
        log.warn(`What is remembered of the last scan cannot be read: ${(error as Error).message}`);
        return { tell: bad, event: "down" };
    }
    const now = { bad: bad ? before.bad + 1 : 0, good: bad ? 0 : before.good + 1, alarmed: before.alarmed };
    const goesDown = !before.alarmed && now.bad >= 2;
    const comesUp = before.alarmed && now.good >= 2;
    now.alarmed = goesDown || (before.alarmed && !comesUp);
    await state.put("watch", now);
    if (goesDown) log.warn(text);
    return { tell: goesDown || comesUp, event: comesUp ? "up" : "down" };
}
