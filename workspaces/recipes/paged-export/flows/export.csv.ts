type Item = Record<string, string | number | boolean | null>;

/** A column for each name that the first item has. */
export function csv({ pages }: { pages: { items: Item[] }[] }): { csv: string } {
    const items = pages.flatMap((page) => page.items);
    const names = Object.keys(items[0] ?? {});
    const lines = [names, ...items.map((item) => names.map((name) => item[name] ?? ""))];
    return { csv: lines.map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n" };
}

/** RFC 4180: quoted where it must be. */
function cell(value: unknown): string {
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
