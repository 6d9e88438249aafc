export async function greet({salutation, name}: {salutation: string; name: string}):
    Promise<{greeting: string; letters: number}> {
    log.info(`greeting ${name}`);
    return {greeting: `${salutation}, ${name}`, letters: [...name].length};
}
