export async function nap({n, ms}: {n: number; ms?: number}): Promise<string> {
    await sleep(ms ?? 300);
    return `nap ${n}`;
}
