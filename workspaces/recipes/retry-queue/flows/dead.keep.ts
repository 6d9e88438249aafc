/** Keeps a job that could not be delivered, for thirty days. */
export async function keep({ id, job, reason }: { id: string; job: unknown; reason: string }): Promise<void> {
    log.warn(`job ${id} is kept: ${reason}`);
    await state.put(`dead/${id}`, { job, reason, since: new Date().toISOString() }, { ttl: 30 * 86_400_000 });
}
