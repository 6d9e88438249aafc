/** Empty: the backup is as it should be. */
export function judge({ name, minBytes, maxHours, status, headers }: {
    name: string; minBytes?: number; maxHours: number; status: number; headers: Record<string, string>;
}): { problem: string } {
    if (status >= 400) return { problem: `${name}: not there (${status})` };
    const hours = (Date.now() - Date.parse(headers["last-modified"])) / 3_600_000;
    const bytes = Number(headers["content-length"]);
    if (!(hours <= maxHours)) return { problem: `${name}: ${Math.round(hours)} hours old` };
    if (bytes < (minBytes ?? 1)) return { problem: `${name}: only ${bytes} bytes` };
    return { problem: "" };
}
