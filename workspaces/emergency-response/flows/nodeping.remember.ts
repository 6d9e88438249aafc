/** Once its alarm is under way: a delivery that comes again is the same event. */
export async function remember({ key }: { key: string }): Promise<void> {
    if (key) await state.put(key, true, { ttl: 24 * 3600 * 1000 });
}
