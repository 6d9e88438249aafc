/** Tells the peer the time after each write: a run that was interrupted tells the same times again, or is found out. */
export async function clock({ peer }: { peer: string }): Promise<{ told: number }> {
    let told = 0;
    for (; told < 40; told++) {
        await state.put("told", told);
        const written = Date.now();
        await state.get("told");
        await http.request({ method: "POST", url: peer, body: `${told} at ${written} and ${Date.now()}` });
    }
    return { told };
}
