interface Order {
    id: string; currency?: string; customer: { first: string; last: string; mail?: string };
    lines: { sku: string; quantity: number; price: number }[];
}
interface Position { article: string; pieces: number; amount: number }
interface Result { reference: string; name: string; contact: string | null; positions: Position[]; total: number; currency: string }

/** Lines of one article become one position; amounts are in cents, so that sums are exact. */
export function map({ order, currency }: { order: Order; currency: string }): { result: Result } {
    const positions = new Map<string, Position>();
    for (const { sku, quantity, price } of order.lines) {
        const position = positions.get(sku) ?? { article: sku, pieces: 0, amount: 0 };
        positions.set(sku, { ...position, pieces: position.pieces + quantity, amount: position.amount + quantity * Math.round(price * 100) });
    }
    const list = [...positions.values()];
    const { first, last, mail } = order.customer;
    return {
        result: {
            reference: `WEB-${order.id}`,
            name: `${last}, ${first}`,
            contact: mail ?? null,
            positions: list,
            total: list.reduce((sum, { amount }) => sum + amount, 0),
            currency: order.currency ?? currency,
        },
    };
}
