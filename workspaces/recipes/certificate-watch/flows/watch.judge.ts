interface Certificate { host: string; daysLeft: number | null; problem: string }

/** A line for each that is not trusted or ends soon. */
export function judge({ certificates, days }: { certificates: Certificate[]; days: number }): { lines: string[] } {
    const lines = certificates.flatMap(({ host, daysLeft, problem }) => {
        if (problem) return [`${host}: ${problem}`];
        return daysLeft !== null && daysLeft <= days ? [`${host}: ends in ${daysLeft} days`] : [];
    });
    return { lines };
}
