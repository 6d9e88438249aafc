export async function f(): Promise<{status: number}> {
    const answer = fetch("https://example.com");
    return {status: answer.status};
}
