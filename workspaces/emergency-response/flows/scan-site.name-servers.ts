interface Answer { server: string; ok: boolean; serial: number | null; addresses: string[]; ms: number; problem: string }

/** Asks every configured name server itself: does it answer, and do all say the same? */
export async function checkNameservers({ domain, servers }: { domain?: string; servers?: string[] }): Promise<{ nameServers: Answer[]; agree: boolean }> {
    if (!domain || !servers?.length) return { nameServers: [], agree: true };
    const nameServers = await Promise.all(servers.map((server) => ask(domain, server)));
    const told = nameServers.filter((a) => a.ok).map((a) => `${a.serial} ${a.addresses.join(" ")}`);
    return { nameServers, agree: new Set(told).size <= 1 };
}

async function ask(domain: string, server: string): Promise<Answer> {
    const answer: Answer = { server, ok: false, serial: null, addresses: [], ms: 0, problem: "" };
    try {
        const [soa, a] = await Promise.all([
            dns.resolve(domain, "SOA", { server, timeout: 2000 }),
            dns.resolve(domain, "A", { server, timeout: 2000 }),
        ]);
        answer.ms = soa.ms;
        answer.serial = soa.records.find((r) => r.type === "SOA")?.serial ?? null;
        answer.addresses = a.records.filter((r) => r.type === "A").map((r) => r.address as string).sort();
        answer.ok = soa.rcode === "NOERROR" && answer.serial !== null;
        if (!soa.authoritative) answer.problem = "is not responsible for the domain";
        else if (!answer.ok) answer.problem = `answered ${soa.rcode}`;
        if (answer.problem) answer.ok = false;
    } catch (error) {
        answer.problem = (error as Error).message;
    }
    return answer;
}
