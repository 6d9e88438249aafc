/** The next time that it is down is another incident, with a ticket of its own. */
export async function forget({ incidentKey }: { incidentKey: string }): Promise<void> {
    await state.delete(`ticket/${incidentKey}`);
}
