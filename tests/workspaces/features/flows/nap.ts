export async function nap({ms, name}: {ms: number; name: string}): Promise<{slept: string}> {
    await sleep(ms);
    return {slept: name};
}
