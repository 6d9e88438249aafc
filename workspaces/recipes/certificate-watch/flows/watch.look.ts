interface Certificate { host: string; daysLeft: number | null; problem: string }

/** A host that cannot be asked is a finding, too. */
export async function look({ host }: { host: string }): Promise<{ certificate: Certificate }> {
    const [name, port] = host.split(":");
    try {
        const found = await tls.certificate(name, Number(port ?? 443));
        return { certificate: { host, daysLeft: found.days_left, problem: found.trusted ? "" : (found.reason ?? "is not trusted") } };
    } catch (error) {
        return { certificate: { host, daysLeft: null, problem: (error as Error).message } };
    }
}
