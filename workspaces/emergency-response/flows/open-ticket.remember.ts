export async function remember({ key }: { key: string }): Promise<void> {
    await state.put(`ticket/${key}`, true, { ttl: 30 * 24 * 3600 * 1000 });
}
