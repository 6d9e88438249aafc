/** After Slack took it: what Slack did not hear is news again at the next check. */
export async function note({ url, down }: { url: string; down: boolean }): Promise<void> {
    const { value } = (await state.get(url))!;
    await state.put(url, { ...(value as object), told: down, since: down ? (value as { since: number }).since : 0 });
}
