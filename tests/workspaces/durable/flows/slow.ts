export async function slow(): Promise<void> {
    await sleep(20_000);
}
