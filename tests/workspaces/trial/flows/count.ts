export async function count({item}: {item: string}): Promise<{orders: number}> {
    const before = await state.get("orders/" + item.slice(0, 20));
    const orders = ((before?.value as number | undefined) ?? 0) + 1;
    await state.put("orders/" + item.slice(0, 20), orders);
    log.info(`order ${orders} of ${item}`);
    return {orders};
}
