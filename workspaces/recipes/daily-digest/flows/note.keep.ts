/** The key sorts by time. */
export async function keep({ topic, text }: { topic: string; text: string }): Promise<{ id: string }> {
    const id = `${new Date().toISOString()}-${crypto.randomUUID()}`;
    await state.put(`note/${id}`, { topic, text });
    return { id };
}
