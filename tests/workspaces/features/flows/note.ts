export async function note({id}: {id: string}): Promise<{}> {
    log.info(`child of ${id}`);
    return {};
}
