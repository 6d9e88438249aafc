export async function clear({ keys }: { keys: string[] }): Promise<void> {
    for (const key of keys) await state.delete(key);
}
