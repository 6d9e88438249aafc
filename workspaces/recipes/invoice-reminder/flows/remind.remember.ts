export async function remember({ key }: { key: string }): Promise<void> {
    await state.put(key, new Date().toISOString());
}
