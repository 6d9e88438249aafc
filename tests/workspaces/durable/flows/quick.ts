export async function quick(): Promise<{ done: boolean }> {
    return { done: true };
}
