/** How often this was called by that name. */
export async function times({name, seen}: {name: string; seen?: unknown}): Promise<{times: number; seen: unknown}> {
    const before = await state.get("times/" + name);
    const times = ((before?.value as number | undefined) ?? 0) + 1;
    await state.put("times/" + name, times);
    return {times, seen: seen ?? null};
}
