/** The first attempt has just failed: the next one should not find the same second. */
export async function pause(): Promise<void> {
    await sleep(3000);
}
