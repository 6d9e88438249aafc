/** When it is over: how long it took goes into the next estimate, and nobody is told twice. */
export async function tidy({ incidentKey, over }: { incidentKey: string; over: boolean }): Promise<void> {
    if (!over || !incidentKey) return;
    const began = (await state.get(`open/${incidentKey}`))?.value;
    if (typeof began === "number") {
        const before = (await state.get(`durations/${incidentKey}`))?.value;
        const minutes = Math.max(1, Math.round((Date.now() - began) / 60_000));
        await state.put(`durations/${incidentKey}`, [...(Array.isArray(before) ? before : []), minutes].slice(-20));
        await state.delete(`open/${incidentKey}`);
    }
    for (const { key } of await state.list(`contact/${incidentKey}/`)) await state.delete(key);
}
