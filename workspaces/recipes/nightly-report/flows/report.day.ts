/** Yesterday, as 2027-01-31. */
export function yesterday(): { day: string } {
    return { day: new Date(Date.now() - 86_400_000).toISOString().slice(0, 10) };
}
