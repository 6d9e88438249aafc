/** Compared in the server, in constant time. A wrong one is answered later and later, but nobody is ever locked out. */
export async function check({ password }: { password: string }): Promise<{ correct: boolean }> {
    if (await secrets.check("emergency_password", password)) return { correct: true };
    const key = "wrong-passwords";
    const before = await state.get(key);
    const count = typeof before?.value === "number" ? before.value + 1 : 1;
    await state.put(key, count, { ttl: 60_000 });
    await sleep(Math.min(4000, 250 * 2 ** Math.min(count, 4)));
    return { correct: false };
}
