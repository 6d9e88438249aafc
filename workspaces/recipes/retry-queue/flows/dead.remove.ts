/** It may have been there from an earlier attempt. */
export async function remove({ id }: { id: string }): Promise<void> {
    await state.delete(`dead/${id}`);
}
