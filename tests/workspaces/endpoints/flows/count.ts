// How often a delivery was handled.
export async function count({id, ms}: {id: string; ms?: number}): Promise<{count: number}> {
    await sleep(ms ?? 0);
    const before = await state.get(id);
    const count = ((before?.value as number | undefined) ?? 0) + 1;
    await state.put(id, count);
    return {count};
}
