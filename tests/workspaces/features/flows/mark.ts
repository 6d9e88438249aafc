// Twice would be a conflict.
export async function mark({id}: {id: string}): Promise<{}> {
    await state.put(`marked ${id}`, true, {ifVersion: 0});
    return {};
}
