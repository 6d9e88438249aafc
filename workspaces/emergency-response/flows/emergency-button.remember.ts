const WEEK_MS = 7 * 24 * 3600 * 1000;

/** Who pressed is told when somebody takes over, and when the incident began is what the estimate learns from. */
export async function remember({ incidentKey, contact }: { incidentKey: string; contact: string }): Promise<void> {
    if (/^[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;]+$/.test(contact)) await state.put(`contact/${incidentKey}/${contact}`, true, { ttl: WEEK_MS });
    if (!(await state.get(`open/${incidentKey}`))) await state.put(`open/${incidentKey}`, Date.now(), { ttl: WEEK_MS });
}
