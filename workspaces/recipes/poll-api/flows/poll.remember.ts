export async function remember({ key, digest }: { key: string; digest: string }): Promise<void> {
    await state.put(key, digest);
}
