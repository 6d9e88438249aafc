export async function put({ city, answer }: { city: string; answer: unknown }): Promise<void> {
    await state.put(`weather/${city.toLowerCase()}`, { answer, at: Date.now() }, { ttl: 86_400_000 });
}
