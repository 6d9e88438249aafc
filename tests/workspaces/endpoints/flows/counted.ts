export async function counted({id}: {id: string}): Promise<{count: number}> {
    return {count: ((await state.get(id))?.value as number | undefined) ?? 0};
}
