interface Order { product: string; quantity: number; price: number }
interface Row { product: string; quantity: number; sum: number }

/** A row for each product, the best selling first; the mail's table and the file of them. */
export function sum({ orders }: { orders: Order[] }): { rows: Row[]; total: number; table: string; csv: string } {
    const byProduct = new Map<string, Row>();
    for (const { product, quantity, price } of orders) {
        const row = byProduct.get(product) ?? { product, quantity: 0, sum: 0 };
        byProduct.set(product, { product, quantity: row.quantity + quantity, sum: row.sum + quantity * price });
    }
    const rows = [...byProduct.values()].sort((a, b) => b.sum - a.sum);
    const total = rows.reduce((all, row) => all + row.sum, 0);
    const table = html`<table><tr><th>Product<th>Quantity<th>Sum</tr>${rows.map(
        (row) => html`<tr><td>${row.product}<td>${row.quantity}<td>${row.sum.toFixed(2)}</tr>`,
    )}</table><p>Total ${total.toFixed(2)}</p>`;
    const csv = [["product", "quantity", "sum"], ...rows.map((row) => [row.product, row.quantity, row.sum.toFixed(2)])];
    return { rows, total, table: String(table), csv: csv.map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n" };
}

/** RFC 4180: quoted where it must be. */
function cell(value: string | number): string {
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
