/** From how long earlier incidents took, else from what the scan found. */
export async function estimate({ incidentKey, severity }: { incidentKey: string; severity?: string }): Promise<{ estimate: string }> {
    const known = (await state.get(`durations/${incidentKey}`))?.value;
    const minutes = Array.isArray(known) ? known.filter((m) => typeof m === "number").sort((a, b) => a - b) : [];
    if (minutes.length >= 3) {
        const median = minutes[Math.floor(minutes.length / 2)];
        return { estimate: `about ${spoken(median)}, as the last ${minutes.length} incidents took` };
    }
    if (severity === "down") return { estimate: "30 to 90 minutes: nothing we checked answers" };
    if (severity === "part") return { estimate: "15 to 60 minutes: a part of it does not answer as it should" };
    return { estimate: "10 to 45 minutes: from outside everything we checked looks fine, so somebody has to look closer" };
}

function spoken(minutes: number): string {
    return minutes < 90 ? `${Math.max(5, Math.round(minutes / 5) * 5)} minutes` : `${Math.round(minutes / 30) / 2} hours`;
}
