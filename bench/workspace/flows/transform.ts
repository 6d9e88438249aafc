interface Order {
    id: string;
    customer: string;
    country: string;
    paid: boolean;
    quantity: number;
    price: number;
}
interface Line {
    id: string;
    country: string;
    total: number;
}

export function transform({orders}: {orders: Order[]}): {count: number; total: number; countries: Record<string, number>; top: Line[]} {
    const lines = orders.filter((o) => o.paid).map((o) => ({id: o.id, country: o.country, total: o.quantity * o.price}));
    const countries: Record<string, number> = {};
    for (const line of lines) countries[line.country] = (countries[line.country] ?? 0) + line.total;
    const total = lines.reduce((sum, line) => sum + line.total, 0);
    const top = [...lines].sort((a, b) => b.total - a.total).slice(0, 5);
    return {count: lines.length, total, countries, top};
}
