export async function tick({at}: {at: string}): Promise<{}> {
    log.info("tick at " + at);
    return {};
}
