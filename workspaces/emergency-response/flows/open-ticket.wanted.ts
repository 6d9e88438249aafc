export async function wanted({ key, url }: { key: string; url?: string }): Promise<{ wanted: boolean }> {
    return { wanted: !!url && !(await state.get(`ticket/${key}`)) };
}
