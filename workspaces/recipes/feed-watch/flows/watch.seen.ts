const DAYS_180 = 180 * 86_400_000;

export async function seen({ id }: { id: string }): Promise<void> {
    await state.put(`seen/${id}`, true, { ttl: DAYS_180 });
}
