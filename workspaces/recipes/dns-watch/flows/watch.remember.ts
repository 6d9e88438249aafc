export async function remember({ changes }: { changes: { key: string; now: string[] }[] }): Promise<void> {
    for (const { key, now } of changes) await state.put(key, now);
}
