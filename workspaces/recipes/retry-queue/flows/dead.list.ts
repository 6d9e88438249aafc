interface Dead { id: string; job: unknown; reason: string; since: string }

export async function list(): Promise<{ jobs: Dead[] }> {
    const kept = await state.list("dead/");
    return { jobs: kept.map(({ key, value }) => ({ id: key.slice("dead/".length), ...(value as Omit<Dead, "id">) })) };
}
