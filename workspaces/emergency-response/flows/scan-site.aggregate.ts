interface NameServer { server: string; ok: boolean; serial: number | null; addresses: string[]; ms: number; problem: string }
interface Page { url: string; ok: boolean; status: number | null; ms: number | null; certificateDays: number | null; problem: string }
interface Load { one: number; five: number; fifteen: number; problem: string }
interface Memory { total_mb: number; used_mb: number; available_mb: number; problem: string }
interface Row { what: string; state: "good" | "bad" | "unknown"; detail: string }

/** All that the scan found, as rows for the page and as text for mails. `asked` is who was to be asked, answers or not. */
export function aggregate({ nameServers, asked, agree, pages, load, memory }: {
    nameServers?: NameServer[]; asked?: string[]; agree?: boolean; pages?: (Page | null)[]; load?: Load | null; memory?: Memory | null;
}): { text: string; findings: string[]; severity: "none" | "part" | "down"; rows: Row[] } {
    const rows = [
        ...(pages ?? []).map(pageRow),
        ...(nameServers?.map(nameServerRow) ?? (asked ?? []).map((server) => ({ what: `Name server ${server}`, state: "unknown" as const, detail: "took too long" }))),
        ...(agree === false ? [{ what: "Name servers", state: "bad" as const, detail: "do not agree with each other" }] : []),
        ...(load ? [loadRow(load)] : []),
        ...(memory ? [memoryRow(memory)] : []),
    ];
    const findings = rows.filter((r) => r.state === "bad").map((r) => `${r.what} ${r.detail}`);
    const checked = (pages ?? []).filter((p) => p !== null);
    const down = allBad(checked) || allBad(nameServers ?? []);
    return {
        text: rows.length ? rows.map((r) => `${{ good: "ok ", bad: "BAD", unknown: " ? " }[r.state]}  ${r.what}: ${r.detail}`).join("\n") : "Nothing to scan is configured.",
        findings,
        severity: down ? "down" : findings.length ? "part" : "none",
        rows,
    };
}

function allBad(checked: { ok: boolean }[]): boolean {
    return checked.length > 0 && checked.every((one) => !one.ok);
}

function pageRow(page: Page | null): Row {
    if (!page) return { what: "A page", state: "unknown", detail: "could not be checked" };
    const certificate = page.certificateDays === null ? "" : `, certificate good for ${page.certificateDays} days`;
    return { what: page.url, state: page.ok ? "good" : "bad", detail: page.problem || `answers ${page.status} in ${page.ms} ms${certificate}` };
}

function nameServerRow(a: NameServer): Row {
    return { what: `Name server ${a.server}`, state: a.ok ? "good" : "bad", detail: a.problem || `serial ${a.serial}, ${a.addresses.join(" ") || "no address"}, ${a.ms} ms` };
}

function loadRow(load: Load): Row {
    if (load.problem) return { what: "load.txt", state: "bad", detail: load.problem };
    return { what: "Load", state: load.one > 20 ? "bad" : "good", detail: `${load.one} ${load.five} ${load.fifteen}` };
}

function memoryRow(memory: Memory): Row {
    if (memory.problem) return { what: "memory.txt", state: "bad", detail: memory.problem };
    const free = memory.available_mb / memory.total_mb;
    return { what: "Memory", state: free < 0.05 ? "bad" : "good", detail: `${memory.available_mb} of ${memory.total_mb} MB available` };
}
