interface Row { line: number; values: Record<string, string> }

/** RFC 4180, in UTF-8; the first line has the names. */
export function rows({ file }: { file: Uint8Array }): { rows: Row[] } {
    const [names, ...lines] = parse(new TextDecoder().decode(file));
    if (!names?.length) throw new Error("the file is empty");
    const rows = lines.map((cells, i) => {
        if (cells.length !== names.length) throw new Error(`line ${i + 2} has ${cells.length} values, not ${names.length}`);
        return { line: i + 2, values: Object.fromEntries(cells.map((cell, k) => [names[k].trim(), cell])) };
    });
    return { rows };
}

function parse(text: string): string[][] {
    const rows: string[][] = [];
    const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/y;
    let row: string[] = [];
    const source = text.replace(/^\uFEFF/, "").replace(/(\r?\n)+$/, "");
    while (source.length > 0) {
        const found = cell.exec(source);
        if (!found) throw new Error(`line ${rows.length + 1}: a quote inside a value must be doubled, and the value quoted`);
        row.push(found[1].startsWith('"') ? found[1].slice(1, -1).replaceAll('""', '"') : found[1]);
        if (found[2] === ",") continue;
        rows.push(row);
        row = [];
        if (found[2] === "") break;
    }
    return rows;
}
